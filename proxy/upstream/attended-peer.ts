// Owns how long an upstream's end of a WebSocket may last, in silence and in all. It does not know what it carries.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ending, Peer, Piece } from '../lib/peer.ts'
import { nowhere } from '../lib/roster.ts'
import type { UpstreamPeer } from './answer.ts'
import type { Deadline, Deadlines } from './deadlines.ts'

export type Attendance = {
  readonly clock: Clock
  readonly deadlines: Deadlines
  /** Without a piece in either direction, or a sign of life. */
  readonly idleMs: number
  readonly totalAtMs: number
}

export class AttendedPeer implements UpstreamPeer, Deadline {
  readonly #peer: Peer
  readonly #attendance: Attendance
  fault: Fault | undefined
  dueMs: number
  slot = nowhere

  constructor(peer: Peer, attendance: Attendance) {
    this.#peer = peer
    this.#attendance = attendance
    this.dueMs = attendance.totalAtMs
    attendance.deadlines.add(this)
    this.touch()
    peer.onBeat = () => this.touch()
    peer.whenGone(() => attendance.deadlines.remove(this))
  }

  get ending(): Ending | undefined {
    return this.#peer.ending
  }

  async *pieces(): AsyncGenerator<Piece> {
    for await (const piece of this.#peer.pieces()) {
      this.touch()
      yield piece
    }
  }

  send(piece: Piece): Promise<void> | undefined {
    this.touch()
    return this.#peer.send(piece)
  }

  close(code: number, reason: string): void {
    this.#peer.close(code, reason)
  }

  destroy(): void {
    this.#peer.destroy()
  }

  whenGone(run: () => void): void {
    this.#peer.whenGone(run)
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
    this.#peer.destroy()
  }
}
