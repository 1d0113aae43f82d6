// Owns the way of one exchange: this function is the whole proxy. Each stage is a file of its own.
import type { Fault } from '../errors.ts'
import { answerForClient } from './answer-server.ts'
import type { Client } from './client.ts'
import type { Exchange } from './exchange.ts'
import { askInTurn } from './failover.ts'
import { overhear } from './overhear.ts'
import type { Runtime } from './runtime.ts'
import { admit } from './stages/admit.ts'
import { consult } from './stages/consult.ts'
import { decide } from './stages/decide.ts'
import { decode } from './stages/decode.ts'
import { deliver } from './stages/deliver.ts'
import { dispatch } from './stages/dispatch.ts'
import { enforce } from './stages/enforce.ts'
import { identify } from './stages/identify.ts'
import { inspect } from './stages/inspect.ts'
import { oblige } from './stages/oblige.ts'
import { recall } from './stages/recall.ts'
import { record } from './stages/record.ts'
import { refuse } from './stages/refuse.ts'
import { route } from './stages/route.ts'
import { shed } from './stages/shed.ts'

/** Never throws: whatever happens ends in one answer (or a broken connection) and one outcome record. */
export async function run(x: Exchange, runtime: Runtime, client: Client): Promise<void> {
  try {
    const routed = route(x, runtime) // which route, protocol and upstream
    const identified = identify(routed, runtime) // who is asking
    shed(identified, runtime) // whether there is time for them
    const admitted = await admit(identified, runtime) // may they ask now; cheap, so before the body is read
    const decoded = await decode(admitted, runtime, client) // what they ask: bytes to content
    // For the route's upstream, and for each that stands in for it: what goes there is judged for there.
    const answered = await askInTurn(decoded, runtime, async (aimed) => {
      const recalled = await recall(aimed, runtime) // what tokens in it stand for
      const consulted = await consult(recalled, runtime) // what detectors of others find in it
      const inspected = inspect(consulted) // what is in it: findings
      const decided = decide(inspected, runtime) // the PDP: allow, deny or approve
      const permitted = await enforce(decided, runtime) // the PEP: stop here, or hand out the permit
      const prepared = oblige(permitted, runtime) // redact what goes out
      return dispatch(prepared, runtime, client) // breaker, retries, timeouts
    })
    await deliver(answered, runtime, client) // back through the response filters
  } catch (error) {
    await overhear(x, runtime, client, error) // what the refusal must name, where it was not read yet
    answerForClient(x, runtime, error) // a server that would wait for what was denied
    refuse(x, runtime, client, error) // the only place where an error becomes a response
  } finally {
    record(x, runtime, client) // always, whatever happened
  }
}

/** An exchange whose head was refused before any stage could run. */
export function reject(x: Exchange, runtime: Runtime, client: Client, fault: Fault): void {
  refuse(x, runtime, client, fault)
  record(x, runtime, client)
}
