// Owns what is wrong with routes beyond what the schema can say: two on one path, answers kept for no time, and postures
// that their upstream's protocol cannot have or that let pass what a rule was to look at.
import type { Catalogue } from '../detect/catalogue.ts'
import type { Redaction } from '../detect/redaction.ts'
import type { Problem } from '../lib/problem.ts'
import { parseDuration } from '../lib/units.ts'
import { acceptsSockets, type RouteOptions } from '../pipeline/options.ts'
import type { Policy } from '../policy/compile.ts'
import type { Document } from './schema.ts'
import { targetProblems } from './target-problems.ts'

/** What looks into content; absent where it does not compile. */
export type Looking = {
  readonly policy: Policy | undefined
  readonly redaction: Redaction | undefined
  readonly catalogue: Catalogue
}

export function routeProblems(document: Document, looking: Looking): Problem[] {
  return [
    ...pathProblems(document),
    ...targetProblems(document),
    ...document.routes.flatMap((route, index) => [
      ...keepingProblems(route, index),
      ...postureProblems(route, index, document, looking),
      ...socketProblems(route, index, document),
    ]),
  ]
}

/** Two routes on one path: which of them would serve is nobody's intention. */
function pathProblems(document: Document): Problem[] {
  const seen = new Map<string, string>()
  return document.routes.flatMap((route, index): Problem[] => {
    const other = seen.get(route.path)
    seen.set(route.path, route.id)
    if (other === undefined) return []
    return [
      {
        path: ['routes', index, 'path'],
        message: `routes ${other} and ${route.id} have the same path ${route.path}`,
        hint: 'give each route a path of its own, or switch one off with ifEnv or unlessEnv on its upstream',
        severity: 'error',
      },
    ]
  })
}

const keepMsMin = 1000
const keepMsMax = 30 * 86_400_000

/** Answers that are kept for no time would not keep a repeated request from being done twice. */
function keepingProblems({ idempotency }: RouteOptions, index: number): Problem[] {
  const keepMs = idempotency === undefined ? undefined : parseDuration(idempotency)
  if (keepMs === undefined || (keepMs >= keepMsMin && keepMs <= keepMsMax)) return []
  return [
    {
      path: ['routes', index, 'idempotency'],
      message: 'answers are kept from 1s to 30d',
      hint: 'as long as callers may repeat a request, e.g. 10m; leave it out to keep none',
      severity: 'error',
    },
  ]
}

function postureProblems(
  { id, upstream, posture }: RouteOptions,
  index: number,
  document: Document,
  { policy, redaction }: Looking,
): Problem[] {
  if (posture !== 'opaque') return []
  const path = ['routes', index, 'posture']
  if (protocolOf(upstream, document) === 'mcp') {
    return [
      {
        path,
        message: `route ${id} leads to an MCP server, where everything is judged message by message`,
        hint: 'leave posture out; a server that says what no adapter knows needs an http upstream',
        severity: 'error',
      },
    ]
  }
  const directions = (['request', 'response'] as const).filter(
    (direction) => redaction?.plan(direction, upstream, id) !== undefined,
  )
  const looks = [
    ...directions.map((direction) => `redaction of the ${direction}`),
    ...((policy?.needs(id).findings.size ?? 0) > 0 ? ['rules over findings'] : []),
  ]
  if (looks.length === 0) return []
  return [
    {
      path,
      message: `what cannot be read on route ${id} passes uninspected, although it has ${looks.join(', ')}`,
      hint: 'the record says it each time; a route of its own for what cannot be read keeps the rest closed',
      severity: 'warning',
    },
  ]
}

/** Protocols with operations over WebSocket that an adapter can read. */
const socketProtocols: ReadonlySet<string> = new Set(['openai'])

function socketProblems(route: RouteOptions, index: number, document: Document): Problem[] {
  const protocol = protocolOf(route.upstream, document)
  if (protocol === undefined || !acceptsSockets(route) || socketProtocols.has(protocol)) return []
  if (route.posture === 'opaque') return []
  return [
    {
      path: ['routes', index, 'websocket'],
      message: `route ${route.id} would accept no WebSocket: nothing of protocol ${protocol} can be read there`,
      hint:
        protocol === 'mcp'
          ? 'leave websocket out: MCP is served over Streamable HTTP'
          : 'posture: opaque lets WebSockets pass unread; leave websocket out otherwise',
      severity: 'error',
    },
  ]
}

function protocolOf(upstream: string, document: Document): string | undefined {
  return document.upstreams[upstream]?.protocol
}
