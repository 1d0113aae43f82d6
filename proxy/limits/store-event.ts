// Owns what the store and those who count in it tell their caller, for logs and metrics. Labels are bounded; `message` is for logs only.
export type StoreErrorReason = 'timeout' | 'reply' | 'unavailable' | 'connection' | 'dropped'

export type StoreEvent =
  /**
   * A request was decided without the store, because it was slow (`timeout`), answered with an error (`reply`) or was
   * not asked at all (`unavailable`: not connected, or the breaker is open). `connection`: a connect failed or broke.
   * `dropped`: what a request has used will never be put right, because too many others wait for the store.
   */
  | { readonly kind: 'error'; readonly reason: StoreErrorReason; readonly message: string }
  /** The store went away or came back; worth a line in the log, unlike each single error. */
  | { readonly kind: 'state'; readonly up: boolean }
  /** That many requests keep what was reserved for them. */
  | { readonly kind: 'lost'; readonly count: number }
  /**
   * A limit was decided without its shared count: counted in this process (`local`), not at all (`allow`), or with the
   * memory table full, so that other keys lost theirs (`forgotten`).
   */
  | { readonly kind: 'open'; readonly limit: string; readonly how: 'local' | 'allow' | 'forgotten' }
  /** A request took more of a limit than was reserved for it: perhaps more than there was room for. */
  | { readonly kind: 'overrun'; readonly limit: string }
