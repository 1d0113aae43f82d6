// Owns what a scenario is: the request that the load sends and the answer that the upstream gives.

export type Scenario = {
  readonly id: string
  readonly title: string
  /** JSON of the request. */
  readonly body: string
  /** What the upstream knows it by: a part of the body that no other scenario has; one has none. */
  readonly mark?: string
  /** What the upstream writes, framing included, and the time between two pieces; 0 is the next turn of its event loop. */
  readonly answer: readonly Buffer[]
  readonly pauseMs: number
  /** How many connections it takes at least to keep a proxy busy. */
  readonly connectionsMin: number
  /** The open loop runs at no more than this share of what Gatewright can do at most. */
  readonly shareOfMost: number
  /** Every body that comes back through a proxy has this near its end. */
  readonly lastText: string
}
