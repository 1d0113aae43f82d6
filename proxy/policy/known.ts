// Owns what the rest of a configuration tells the policy compiler: which names exist, so that a rule over a name that
// does not is an error and not a rule that never matches.

export type KnownRoute = {
  readonly id: string
  readonly upstream: string
  readonly protocol: string
  /** Upstreams that may serve the route in place of its own. */
  readonly fallback?: readonly string[]
}

export type Known = {
  readonly routes: readonly KnownRoute[]
  readonly upstreams: readonly { readonly id: string; readonly protocol: string }[]
  readonly principals: {
    readonly ids: readonly string[]
    readonly orgs: readonly string[]
    readonly teams: readonly string[]
    readonly roles: readonly string[]
  }
  /** Entity → group. */
  readonly entities: ReadonlyMap<string, string>
}
