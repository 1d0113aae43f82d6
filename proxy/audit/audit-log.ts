// Owns what an audit log is to those who write to it.
import type { RecordFields, RecordKind } from './record.ts'

export interface AuditLog {
  /** Accepted in order; durable with the next commit or checkpoint, about a second later at most. */
  append(kind: RecordKind, fields: RecordFields): void
  /**
   * Resolves when the record is durable (`strict`) or written (`batch`). Rejects with `audit-unavailable` when the disk
   * fails, the queue is full or it takes too long; the record may then be in the log all the same.
   */
  commit(kind: RecordKind, fields: RecordFields): Promise<void>
  health(): AuditHealth
  /**
   * Writes what is queued, a `close` record and a last checkpoint. Rejects with `audit-unavailable` when the disk fails and
   * records are lost; closed it is all the same.
   */
  close(): Promise<void>
}

export type AuditHealth = {
  readonly ok: boolean
  readonly reason?: string
  /** Records written. */
  readonly size: number
  /** How long the oldest record that no checkpoint covers has waited; 0 when all are covered. */
  readonly checkpointAgeMs: number
  /** Records queued. */
  readonly pending: number
}
