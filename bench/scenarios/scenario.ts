// Owns what a scenario is: the request that the load sends and the answer that the upstream gives.

export type Scenario = {
  readonly id: string
  readonly title: string
  /** JSON of the request. */
  readonly body: string
  /** What the upstream writes, one piece a turn of its event loop; framing included. */
  readonly answer: readonly Buffer[]
  /** Every body that comes back through a proxy has this near its end. */
  readonly lastText: string
}
