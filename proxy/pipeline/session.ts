// Owns the binding of what a server hands out to go on with later, sessions and places in streams, to the principal and the
// route that got it. What a client holds is the server's own id with a code over all three, so nothing is remembered: any
// replica with the same key can check it.
import { timingSafeEqual } from 'node:crypto'
import { Fault } from '../errors.ts'
import type { Identified, Routed } from './exchange.ts'
import type { Runtime } from './runtime.ts'

export const sessionHeader = 'mcp-session-id'

type Opened = Routed & Pick<Identified, 'principal'>
type Kind = 'session' | 'event'

/** Names of request headers, and what stands in them. */
const held = new Map<string, Kind>([
  [sessionHeader, 'session'],
  ['last-event-id', 'event'],
])

/** The headers with the server's own ids in place of the client's. Fault `session-unknown`: not this caller's. */
export function openIds(x: Opened, headers: readonly string[], runtime: Runtime): readonly string[] {
  const opened: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    const value = headers[at + 1] as string
    const kind = held.get(name.toLowerCase())
    opened.push(name, kind === undefined ? value : serverId(x, kind, value.trim(), runtime))
  }
  return opened
}

export function sealId(x: Opened, kind: Kind, id: string, runtime: Runtime): string {
  return `${id}.${codeOf(x, kind, id, runtime)}`
}

function serverId(x: Opened, kind: Kind, sealed: string, runtime: Runtime): string {
  const dot = sealed.lastIndexOf('.')
  const id = sealed.slice(0, Math.max(dot, 0))
  const code = Buffer.from(sealed.slice(dot + 1))
  const expected = Buffer.from(codeOf(x, kind, id, runtime))
  if (code.length === expected.length && timingSafeEqual(code, expected)) return id
  throw new Fault('session-unknown', kind === 'event' ? 'There is no such place in a stream.' : undefined)
}

/** 132 bits. The ids of principals and routes have no line ends, so the parts cannot run into each other. */
function codeOf(x: Opened, kind: Kind, id: string, runtime: Runtime): string {
  const message = Buffer.from(`${kind}\n${x.principal.id}\n${x.route.id}\n${id}`)
  return runtime.audit.sessionCode(message).slice(0, 22)
}
