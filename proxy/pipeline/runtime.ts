// Owns the shape of Runtime: everything that one configuration compiles to, immutable. An exchange takes the Runtime
// that is current when it begins and keeps it to its end; a reload makes a whole new one.
import type { Logger } from 'pino'
import type { AuditLog } from '../audit/log.ts'
import type { Plan } from '../detect/redaction.ts'
import type { Scanner } from '../detect/scanner.ts'
import type { VaultStore } from '../detect/vault-store.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import type { Clock } from '../lib/clock.ts'
import type { Priority } from '../lib/priority.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Prices } from '../limits/prices.ts'
import type { Needs } from '../policy/decision.ts'
import type { Policy } from '../policy/compile.ts'
import type { Protocol } from '../protocol/protocol.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Metrics } from './metrics.ts'
import type { Hosts } from './origin.ts'
import type { Inquirer } from './inquirer.ts'
import type { Replays } from './replays.ts'
import type { Shedder } from './shedder.ts'
import type { ToolPins } from './tool-pins.ts'
import type { DenyPreset, Posture } from './options.ts'

/** One route with everything about it that can be worked out at load. */
export type Route = {
  readonly id: string
  /** Prefix without a trailing slash; empty for `/`. */
  readonly path: string
  readonly protocol: Protocol
  readonly upstream: Upstream
  /** The upstream url's own path, without a trailing slash. */
  readonly upstreamPath: string
  readonly denyStatus: number | undefined
  /** Every denial on this route is written for that client, those that no rule made included. */
  readonly denyPreset: DenyPreset | undefined
  readonly posture: Posture
  /** Absent: what the principal says. */
  readonly priority?: Priority
  /** Upgrades to WebSocket are accepted. */
  readonly websocket: boolean
  readonly needs: Needs
  readonly request: Inspection
  readonly answer: Inspection
  /** Something is redacted, in requests or in answers. */
  readonly redacts: boolean
  /** In the place of something stands a token. */
  readonly issuesTokens: boolean
  /** Some rule lets the upstream have the values of tokens that it is sent. */
  readonly restoresTokens: boolean
  /** Some limit on this route must know the body, or somebody wants to know what the model that it names costs. */
  readonly limitsBody: boolean
  /** What is known of the server's tools, where they are pinned. */
  readonly pins: ToolPins | undefined
  /**
   * Where there are several upstreams: the route as it is for each, itself included. Each has plans, path and names of its
   * own, and is judged by itself.
   */
  readonly targets?: readonly Target[]
  /** A breaker that is open refuses nothing. */
  readonly panics?: true
  /** Model that is asked for → what it is called at the upstream. */
  readonly aliases?: ReadonlyMap<string, string>
  /** Of an http upstream by path, of an mcp one by tool: what may be done twice. */
  readonly mayRepeat?: (name: string) => boolean
  /** False: its streams are not asked for their usage, because it would refuse the request. */
  readonly streamUsage?: boolean
  /** The upstream honours Idempotency-Key. */
  readonly sendsKeys?: boolean
  /** What may be sent again, to another or under another name must be there as a whole. */
  readonly keepsBody?: boolean
  /** How long answers are kept for requests with an Idempotency-Key; absent: not at all. */
  readonly keepsAnswersMs?: number
}

/**
 * `weight`: how often it is the first to be asked, against the others; a fallback has none. `panic`: the route for when all
 * are held by their breakers, where the operator wants one to be asked all the same.
 */
export type Target = { readonly route: Route; readonly weight: number; readonly panic?: Route }

/** What is scanned in one direction. `scanner` finds the union of what the rules and the redaction ask for;
 * `scans` names it for the record. */
export type Inspection = {
  readonly scanner: Scanner | undefined
  readonly scans: readonly string[]
  /** What is looked for in bodies and targets, by `scanner` or by an inquirer. */
  readonly entities: ReadonlySet<string>
  /** For bodies, for the targets of tool calls, and for headers. */
  readonly plan: Plan | undefined
  readonly target: Plan | undefined
  readonly headers: Plan | undefined
  /** The external detectors that find some of these entities. */
  readonly inquirers: readonly Inquirer[]
  /** The ids of those for a rule that is enforced: without them nothing goes on, where their configuration says so. */
  readonly mustAsk: ReadonlySet<string>
}

export type Runtime = {
  /** Digest of the configuration, for the record and `config_info`. */
  readonly hash: string
  /** Longest path first. */
  readonly routes: readonly Route[]
  readonly authenticator: Authenticator
  readonly limiter: Limiter
  /** Where something asks what tokens cost. */
  readonly prices: Prices | undefined
  readonly policy: Policy
  readonly policyHeaders: ReadonlySet<string>
  readonly audit: Audit
  readonly vaults: VaultStore
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly limits: {
    readonly bodyBytesMax: number
    readonly jsonDepthMax: number
    readonly jsonKeysMax: number
    readonly eventBytesMax: number
  }
  readonly slowMs: number
  readonly hosts: Hosts
  /** In [0, 1). */
  readonly random: () => number
  /** Undefined: nothing is refused for overload. */
  readonly shedder: Shedder | undefined
  /** Of all routes, through reloads. */
  readonly replays: Replays
}

export type Audit = {
  readonly log: AuditLog
  readonly strict: boolean
  readonly onFailure: 'deny' | 'allow'
  /** Keyed digest of content, base64url: proves equality to a key holder, tells nobody else anything. */
  digest(bytes: Uint8Array): string
  readonly tokenKey: Buffer
  /** The same of another key: binds a server's session to who opened it. */
  sessionCode(message: Uint8Array): string
}
