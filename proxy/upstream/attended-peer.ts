// Owns how long an upstream's end of a WebSocket may last, in silence and in all. It does not know what it carries.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Peer, Piece } from '../lib/peer.ts'
import { nowhere } from '../lib/roster.ts'
import { WrappedPeer } from '../lib/wrapped-peer.ts'
import type { UpstreamPeer } from './answer.ts'
import type { Deadline, Deadlines } from './deadlines.ts'

export type Attendance = {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** Without a piece in either direction, or a sign of life. */
  readonly idleMs: number
  readonly totalAtMs: number
}

export class AttendedPeer extends WrappedPeer implements UpstreamPeer, Deadline {
  readonly #attendance: Attendance
  fault: Fault | undefined
  dueMs: number
  slot = nowhere

  constructor(peer: Peer, attendance: Attendance) {
    super(peer)
    this.#attendance = attendance
    this.dueMs = attendance.totalAtMs
    attendance.deadlines.add(this)
    this.touch()
    peer.onBeat = () => this.touch()
    peer.whenGone(() => attendance.deadlines.remove(this))
  }

  override async *pieces(): AsyncGenerator<Piece> {
    for await (const piece of this.peer.pieces()) {
      this.touch()
      yield piece
    }
  }

  override send(piece: Piece): Promise<void> | undefined {
    this.touch()
    return super.send(piece)
  }

  touch(): void {
    const { clock, deadlines, idleMs, totalAtMs } = this.#attendance
    if (this.fault === undefined) deadlines.move(this, Math.min(clock.monotonic() + idleMs, totalAtMs))
  }

  expire(): void {
    const { clock, totalAtMs } = this.#attendance
    const total = clock.monotonic() >= totalAtMs
    this.fault = new Fault(
      'upstream-timeout',
      total ? 'The connection lasted longer than this upstream allows.' : 'Nobody said anything for too long.',
    )
    this.destroy()
  }
}
