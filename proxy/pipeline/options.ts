// Owns what operators may write under `server`, `routes`, `demo` and `log`: types, JSON Schema, defaults and bounds. It
// does not know the other sections, so references to upstreams are checked by config/.
import type { Path } from '../lib/pointer.ts'
import { prioritySchema, type Priority } from '../lib/priority.ts'
import type { Problem } from '../lib/problem.ts'
import { durationPattern, parseDuration, parseSize, sizePattern } from '../lib/units.ts'

/** As written, after the schema has filled in its defaults. */
export type ServerOptions = {
  readonly listen: string
  readonly admin: string
  readonly limits: {
    readonly body: string | number
    readonly headerBytes: string | number
    readonly headerCount: number
    readonly jsonDepth: number
    readonly connections: number
    readonly url: string | number
    readonly bodyRate: string | number
  }
  readonly timeouts: {
    readonly headers: string
    readonly body: string
    readonly keepAlive: string
    readonly drain: string
    readonly clientWrite: string
  }
  /** Hosts accepted in absolute-form request targets (RFC 9112 §3.2.2), lower case, with the port where one is used. */
  readonly publicNames: readonly string[]
  readonly cors?: { readonly origins: readonly string[] }
  readonly overload?: OverloadOptions
}

export type OverloadOptions = { readonly eventLoopDelay?: string; readonly inflight?: number }

export type RouteOptions = {
  readonly id: string
  /** Begins with `/`, never ends with one. */
  readonly path: string
  /** After loading always there: where the route names several by weight, the first of them. */
  readonly upstream: string
  readonly upstreams?: readonly WeightedUpstream[]
  readonly denyStatus?: number | DenyPreset
  readonly fallback?: readonly string[]
  readonly panic?: boolean
  readonly models?: { readonly [asked: string]: string }
  readonly idempotency?: string
  readonly posture: Posture
  readonly priority?: Priority
  /** Absent: as `acceptsSockets` says. */
  readonly websocket?: boolean
}

export type WeightedUpstream = { readonly upstream: string; readonly weight: number }

/** Every upstream that may serve a route, each once, the first one first; those without a weight only stand in. */
export function weightedUpstreams({ upstream, upstreams, fallback }: RouteOptions): readonly WeightedUpstream[] {
  const weighted = upstreams ?? [{ upstream, weight: 1 }]
  const others = (fallback ?? []).filter((id) => !weighted.some((one) => one.upstream === id))
  return [...weighted, ...others.map((id) => ({ upstream: id, weight: 0 }))]
}

/** What becomes of what no adapter can read: it is refused, or passes unread and on the record. */
export type Posture = 'inspect' | 'opaque'

/** Whether upgrades to WebSocket are accepted on a route. */
export function acceptsSockets({ posture, websocket }: RouteOptions): boolean {
  return websocket ?? posture === 'opaque'
}

/** Clients that take a 403 for something else: one reconnects, the other asks its user to log in. */
export type DenyPreset = 'codex' | 'claude-code'

/** The status of a denial on a route, and the client that it is written for. */
export function denialOf({ denyStatus }: RouteOptions): { status: number | undefined; preset: DenyPreset | undefined } {
  return typeof denyStatus === 'string'
    ? { status: presetStatus[denyStatus], preset: denyStatus }
    : { status: denyStatus, preset: undefined }
}

const presetStatus: Readonly<Record<DenyPreset, number>> = { codex: 400, 'claude-code': 451 }

export type DemoOptions = { readonly listen: string }

export type LogOptions = { readonly level: LogLevel; readonly slow: string }
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** The same as ServerOptions in numbers: bytes and milliseconds. */
export type ServerSettings = {
  readonly listen: ListenAddress
  readonly admin: ListenAddress
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  readonly headerCountMax: number
  readonly jsonDepthMax: number
  readonly connectionsMax: number
  readonly urlBytesMax: number
  /** Bytes a second, once a body has taken a while. */
  readonly bodyRateMin: number
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly keepAliveMs: number
  readonly drainMs: number
  readonly clientWriteTimeoutMs: number
  readonly publicNames: readonly string[]
  /** Lower case. */
  readonly corsOrigins: readonly string[]
  /** Undefined: nothing is refused for it. */
  readonly overload: { readonly loopDelayMs: number | undefined; readonly inflight: number | undefined } | undefined
}

export type ListenAddress = { readonly host: string; readonly port: number }

/** Numbers for the listener. Out of bounds is a problem; the settings are then not to be used. */
export function compileServer(options: ServerOptions, at: Path): { settings: ServerSettings; problems: Problem[] } {
  const problems: Problem[] = []
  const { limits, timeouts } = options
  const bytes = (
    key: 'body' | 'headerBytes' | 'url' | 'bodyRate',
    min: number,
    max: number,
    bounds: string,
  ): number => {
    const value = parseSize(String(limits[key])) ?? Number.NaN
    if (!(value >= min && value <= max)) problems.push(outOfBounds([...at, 'limits', key], bounds))
    return value
  }
  const ms = (key: keyof ServerOptions['timeouts']): number => {
    const value = parseDuration(timeouts[key]) ?? Number.NaN
    if (!(value >= 1 && value <= timeoutMsMax)) problems.push(outOfBounds([...at, 'timeouts', key], 'from 1ms to 24h'))
    return value
  }
  const loopDelay = (): number | undefined => {
    const text = options.overload?.eventLoopDelay
    const value = text === undefined ? undefined : (parseDuration(text) ?? Number.NaN)
    if (value === undefined || (value >= 10 && value <= 60_000)) return value
    problems.push(outOfBounds([...at, 'overload', 'eventLoopDelay'], 'from 10ms to 1m'))
    return undefined
  }
  const address = (key: 'listen' | 'admin'): ListenAddress => {
    const parsed = parseListen(options[key])
    if (parsed === undefined) problems.push(outOfBounds([...at, key], 'host:port with a port from 0 to 65535'))
    return parsed ?? { host: '', port: 0 }
  }
  const settings: ServerSettings = {
    listen: address('listen'),
    admin: address('admin'),
    bodyBytesMax: bytes('body', 1, 1024 ** 3, 'from 1 to 1GiB'),
    headerBytesMax: bytes('headerBytes', 1024, 1024 ** 2, 'from 1KiB to 1MiB'),
    headerCountMax: limits.headerCount,
    jsonDepthMax: limits.jsonDepth,
    connectionsMax: limits.connections,
    urlBytesMax: bytes('url', 64, 64 * 1024, 'from 64 to 64KiB'),
    bodyRateMin: bytes('bodyRate', 1, 1024 ** 3, 'from 1 to 1GiB'),
    headersTimeoutMs: ms('headers'),
    bodyTimeoutMs: ms('body'),
    keepAliveMs: ms('keepAlive'),
    drainMs: ms('drain'),
    clientWriteTimeoutMs: ms('clientWrite'),
    publicNames: options.publicNames.map((name) => name.toLowerCase()),
    corsOrigins: (options.cors?.origins ?? []).map((origin) => origin.toLowerCase()),
    overload:
      options.overload === undefined ? undefined : { loopDelayMs: loopDelay(), inflight: options.overload.inflight },
  }
  if (options.listen === options.admin && settings.listen.port !== 0) {
    problems.push({
      path: [...at, 'admin'],
      message: 'server.admin and server.listen are the same address',
      severity: 'error',
    })
  }
  return { settings, problems }
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, portText] = listenRegExp.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(portText)
  return host === undefined || !(port <= 65_535) ? undefined : { host, port }
}

const timeoutMsMax = 24 * 3_600_000
const listenPattern = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$'
const listenRegExp = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/
const originPattern = '^[a-z][a-z0-9+.-]*://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$'
const idPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'

function outOfBounds(path: Path, bounds: string): Problem {
  return { path, message: `${path.join('.')} must be ${bounds}`, severity: 'error' }
}

function duration(initial: string, description: string): object {
  return { type: 'string', pattern: durationPattern, default: initial, description }
}

function size(initial: string, description: string): object {
  return { type: ['string', 'integer'], pattern: sizePattern, minimum: 1, default: initial, description }
}

function count(initial: number, maximum: number, description: string): object {
  return { type: 'integer', minimum: 1, maximum, default: initial, description }
}

function listen(description: string): object {
  return { type: 'string', pattern: listenPattern, description, examples: ['127.0.0.1:8080', '[::1]:8080'] }
}

export const serverSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'The two listeners and their limits.',
  properties: {
    listen: { ...listen('Address of the data listener, host:port.'), default: '127.0.0.1:8080' },
    admin: { ...listen('Address of the admin listener: probes, metrics, admin API.'), default: '127.0.0.1:9901' },
    limits: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How big a request may be; more is refused.',
      properties: {
        body: size('10MiB', 'Largest request body, after decoding.'),
        headerBytes: size('64KiB', 'Largest request head.'),
        headerCount: count(100, 1000, 'Most request header fields.'),
        jsonDepth: count(64, 512, 'Deepest nesting of a JSON body.'),
        connections: count(10_000, 1_000_000, 'Most connections at the same time.'),
        url: size('8KiB', 'Longest request target.'),
        bodyRate: size('240', 'Fewest bytes a second of a request body, counted from its fifth second.'),
      },
    },
    timeouts: {
      type: 'object',
      additionalProperties: false,
      default: {},
      description: 'How long a client may take.',
      properties: {
        headers: duration('10s', 'Until the whole request head has arrived.'),
        body: duration('60s', 'Until the whole request body has arrived.'),
        keepAlive: duration('5s', 'How long an idle connection is kept.'),
        drain: duration('30s', 'How long running exchanges may go on after SIGTERM.'),
        clientWrite: duration('30s', 'How long a client may go without reading.'),
      },
    },
    publicNames: {
      type: 'array',
      uniqueItems: true,
      default: [],
      items: { type: 'string', pattern: '^[A-Za-z0-9.-]+(:[0-9]{1,5})?$' },
      description: 'Host names accepted in absolute-form request targets.',
    },
    cors: {
      type: 'object',
      required: ['origins'],
      additionalProperties: false,
      description: 'Pages of which origins may read answers in a browser; absent: none.',
      properties: {
        origins: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { type: 'string', pattern: originPattern, examples: ['https://app.example.com'] },
          description: 'Exact origins, scheme and port included; no wildcards.',
        },
      },
    },
    overload: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      description: 'When to refuse requests of low priority, and with more of it those of higher ones; absent: never.',
      properties: {
        eventLoopDelay: {
          type: 'string',
          pattern: durationPattern,
          description: 'How late the event loop may run, as an average of some seconds.',
          examples: ['200ms'],
        },
        inflight: {
          type: 'integer',
          minimum: 1,
          maximum: 1_000_000,
          description: 'Exchanges under way at the same time, streams included.',
        },
      },
    },
  },
} as const

export const routesSchema = {
  type: 'array',
  default: [],
  description: 'Which path leads to which upstream; the longest matching prefix wins.',
  items: {
    type: 'object',
    required: ['id', 'path'],
    additionalProperties: false,
    properties: {
      id: { type: 'string', pattern: idPattern, description: 'Name of the route in rules, metrics and audit.' },
      path: {
        type: 'string',
        pattern: '^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$',
        description: 'Path prefix; matches whole segments.',
        examples: ['/openai', '/tools/crm'],
      },
      upstream: { type: 'string', description: 'Name of the upstream.' },
      upstreams: {
        type: 'array',
        minItems: 1,
        maxItems: 16,
        items: {
          type: 'object',
          required: ['upstream'],
          additionalProperties: false,
          properties: {
            upstream: { type: 'string', description: 'Name of the upstream.' },
            weight: {
              type: 'integer',
              minimum: 1,
              maximum: 1000,
              default: 1,
              description: 'How often it is asked first, against the others.',
            },
          },
        },
        description: 'Instead of upstream: several of one protocol that share the load and stand in for each other.',
      },
      idempotency: {
        type: 'string',
        pattern: durationPattern,
        description:
          'How long, from 1s to 30d, answers are kept for callers that repeat a request with its Idempotency-Key; absent: not at all.',
      },
      priority: prioritySchema('requests on this route'),
      denyStatus: {
        type: ['integer', 'string'],
        minimum: 400,
        maximum: 499,
        pattern: '^(codex|claude-code)$',
        description: 'Status of a denial instead of 403, or the client that must understand it: codex, claude-code.',
        examples: ['codex', 'claude-code'],
      },
      fallback: {
        type: 'array',
        minItems: 1,
        maxItems: 16,
        uniqueItems: true,
        items: { type: 'string' },
        description: 'Upstreams of the same protocol that are asked in this order when those before cannot answer.',
      },
      panic: {
        type: 'boolean',
        description:
          'When the breakers of all upstreams are open, ask one all the same, on the record; false when absent.',
      },
      models: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', minLength: 1 },
        description:
          "What models are called on this route: name that is asked for to name that is sent; before the upstream's.",
      },
      posture: {
        enum: ['inspect', 'opaque'],
        default: 'inspect',
        description: 'What becomes of what no adapter can read: inspect refuses it, opaque lets it pass on the record.',
      },
      websocket: {
        type: 'boolean',
        description: 'Whether upgrades to WebSocket are accepted; absent: only where the posture is opaque.',
      },
    },
  },
} as const

export const demoSchema = {
  type: 'object',
  required: ['listen'],
  additionalProperties: false,
  description: 'Starts the embedded demo upstream.',
  properties: { listen: listen('Address of the demo upstream, host:port.') },
} as const

export const logSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'The process log, JSON lines on standard output.',
  properties: {
    level: {
      enum: ['debug', 'info', 'warn', 'error', 'silent'],
      default: 'info',
      description: 'Least severe level shown.',
    },
    slow: duration('10s', 'An exchange that takes longer is logged as a warning.'),
  },
} as const
