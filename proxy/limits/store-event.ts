// Owns what the store tells its caller, for logs and metrics. Labels are bounded; `message` is for logs only.
export type StoreEvent =
  /** `timeout` and `reply`: a request was decided without the store. `connection`: a connect failed or broke. */
  | { readonly kind: 'error'; readonly reason: 'timeout' | 'reply' | 'connection'; readonly message: string }
  | { readonly kind: 'state'; readonly up: boolean }
  /**
   * A limit was decided without its shared count: counted in this process (`local`), not at all (`allow`), or with the
   * memory table full, so that other keys lost theirs (`forgotten`).
   */
  | { readonly kind: 'open'; readonly limit: string; readonly how: 'local' | 'allow' | 'forgotten' }
