// Owns the binding of a server's session to the principal and the route that opened it. The id that a client holds is the
// server's own with a code over both, so nothing is remembered: any replica with the same key can check it.
import { timingSafeEqual } from 'node:crypto'
import { Fault } from '../errors.ts'
import type { Identified, Routed } from './exchange.ts'
import type { Runtime } from './runtime.ts'

export const sessionHeader = 'mcp-session-id'

type Opened = Routed & Pick<Identified, 'principal'>

/** The headers with the server's own id in place of the client's. Fault `session-unknown`: not this caller's. */
export function openSession(x: Opened, headers: readonly string[], runtime: Runtime): readonly string[] {
  const opened: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    const value = headers[at + 1] as string
    if (name.toLowerCase() !== sessionHeader) opened.push(name, value)
    else opened.push(name, serverId(x, value.trim(), runtime))
  }
  return opened
}

export function sealSession(x: Opened, id: string, runtime: Runtime): string {
  return `${id}.${codeOf(x, id, runtime)}`
}

function serverId(x: Opened, sealed: string, runtime: Runtime): string {
  const dot = sealed.lastIndexOf('.')
  const id = sealed.slice(0, Math.max(dot, 0))
  const code = Buffer.from(sealed.slice(dot + 1))
  const expected = Buffer.from(codeOf(x, id, runtime))
  if (code.length !== expected.length || !timingSafeEqual(code, expected)) throw new Fault('session-unknown')
  return id
}

/** 128 bits. The ids of principals and routes have no line ends, so the three cannot run into each other. */
function codeOf(x: Opened, id: string, runtime: Runtime): string {
  const message = Buffer.from(`session\n${x.principal.id}\n${x.route.id}\n${id}`)
  return runtime.audit.sessionCode(message).subarray(0, 16).toString('base64url')
}
