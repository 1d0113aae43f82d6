// Owns what a contender is: a proxy that stands between the load and the upstream while it is measured.

export type Contender = {
  readonly id: string
  readonly title: string
  readonly port: number
  /** Every process whose time counts. */
  readonly pids: readonly number[]
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  /** Headers that an answer must carry if the proxy did its work. */
  readonly expected: { readonly [name: string]: RegExp }
  stop(): Promise<void>
}
