// Owns learning what a refused request asked, where the refusal must name it: in formats whose clients wait for an answer
// with an id, and show nothing of any other. Nothing is decided by what is heard here.
import { Fault, type FaultKind } from '../errors.ts'
import { parseJson } from '../lib/json.ts'
import type { Client } from './client.ts'
import { grow, type Ended, type Exchange } from './exchange.ts'
import type { Runtime } from './runtime.ts'

const bytesMax = 1024 * 1024

const spoken: ReadonlySet<FaultKind> = new Set(['limited', 'quota', 'unavailable'])

/** Whoever is not known, or sends what cannot be read, is refused by the status alone. Never throws. */
export async function overhear(x: Exchange, runtime: Runtime, client: Client, error: unknown): Promise<void> {
  const { operation, principal, body, headers } = x as Ended
  if (!(error instanceof Fault) || !spoken.has(error.kind) || operation?.action !== 'asked') return
  if (principal === undefined || body !== undefined || !client.hasBody || client.signal.aborted) return
  try {
    const bytes = await client.readBody(Math.min(bytesMax, runtime.limits.bodyBytesMax))
    const parsed = parseJson(bytes, { depthMax: runtime.limits.jsonDepthMax, keysMax: runtime.limits.jsonKeysMax })
    if (!parsed.ok) return
    const reading = operation.readRequest(parsed.value, parsed.text, headers)
    grow(x, { asked: reading.ok ? reading.content.asked : reading.asked })
  } catch (unreadable) {
    runtime.log.debug({ request: x.id, err: unreadable }, 'a refused request could not be read')
  }
}
