// Owns one connection to an upstream: opening it within the connect timeout at an address that may be reached, and
// remembering what it went through. It does not know what is sent over it.
import type { Socket } from 'node:net'
import type { buildConnector, Client, Dispatcher } from 'undici'
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { guardLookup, type Egress, type Lookup } from './egress.ts'
import { undici } from './undici.ts'

/** What happened on the socket that carries an exchange. */
export class Wire {
  /** Exchanges completed since it was connected. */
  served = 0
  #socket: Socket | undefined

  connected(socket: Socket): void {
    this.served = 0
    this.#socket = socket
  }

  /** The socket ended in an error: a reset, not a close. Asked for, since another listener would cost each socket a list of them. */
  get failed(): boolean {
    return this.#socket !== undefined && this.#socket.errored !== null
  }
}

/** A dispatch handler that is told which connection carries it. */
export interface Carried extends Dispatcher.DispatchHandler {
  wire: Wire | undefined
}

export type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

/** `lookup` resolves names; absent, the system does. */
export function openConnect(egress: Egress, connectMs: number, clock: Clock, lookup: Lookup | undefined): Connect {
  // Its own timeout is off: it is as coarse as half a second and not on our clock. That it returns the socket is missing
  // from its types, though undici's own timeout relies on the same object.
  const connect = undici.buildConnector({
    allowH2: false,
    timeout: 0,
    lookup: guardLookup(egress, lookup),
  }) as Connect
  return (options, callback) => {
    const socket = connect(options, (...result) => {
      timer.cancel()
      callback(...result)
    })
    const timer = clock.after(connectMs, () => {
      socket.destroy(new Fault('upstream-timeout', 'The connection to the upstream took too long.'))
    })
    return socket
  }
}

export class Connection extends undici.Client {
  readonly #wire: Wire

  constructor(origin: URL, options: Client.Options, connect: Connect) {
    const wire = new Wire()
    super(origin, {
      ...options,
      connect: (target: buildConnector.Options, callback: buildConnector.Callback) =>
        wire.connected(connect(target, callback)),
    })
    this.#wire = wire
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Carried): boolean {
    handler.wire = this.#wire
    return super.dispatch(options, handler)
  }
}
