// Owns opening an audit log: its folder, its lock, finding the end of what is there, and the first records of this run.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { AuditLog } from './audit-log.ts'
import { formatVkey } from './checkpoint.ts'
import { CommitQueue, type QueueOptions } from './commit-queue.ts'
import { type Disk, replaceFile, systemDisk } from './disk.ts'
import { openFolder } from './folder.ts'
import type { AuditKey } from './key.ts'
import { originPrefix, vkeyName } from './layout.ts'
import { draft, isoTime } from './line.ts'
import { acquireLock } from './lock.ts'
import { Publisher } from './publisher.ts'
import { recover } from './recover.ts'
import { Writer } from './writer.ts'

export type { AuditHealth, AuditLog } from './audit-log.ts'

type Events = 'onFault' | 'onRecord' | 'onLost'
type Bounds = Omit<QueueOptions, 'writer' | 'publisher' | 'facts' | 'clock' | 'durability' | 'onClosed' | Events>

export type LogOptions = Partial<Bounds & Pick<QueueOptions, Events>> & {
  readonly dir: string
  /** Absent: made up once and kept in `dir`. */
  readonly writer?: string | undefined
  readonly key: AuditKey
  readonly durability: 'strict' | 'batch'
  readonly clock: Clock
  readonly disk?: Disk
}

/** A process that is killed loses the records of twice this time at most, of those that nobody waited for. */
const lingerMs = 5

const bounds: Bounds = {
  segmentBytesMax: 64 * 1024 * 1024,
  segmentAgeMaxMs: 3_600_000,
  checkpointMs: 1000,
  checkpointRecords: 10_000,
  queueRecordsMax: 65_536,
  queueBytesMax: 64 * 1024 * 1024,
  commitTimeoutMs: 1000,
  retryMs: 1000,
  // Not on the injected clock: its timers let the process end, and records wait for these.
  linger: (run) => void setTimeout(run, lingerMs),
  pause: (run, ms) => void setTimeout(run, ms),
}

/** Throws a Fault whose cause says why: another writer, damage, or a folder that cannot be written. */
export async function openLog(options: LogOptions): Promise<AuditLog> {
  const { dir, key, clock, disk = systemDisk, onFault = ignore, onRecord = ignore, onLost = ignore } = options
  const { writer: writerId, folder } = await openFolder(dir, options.writer)
  const lock = await acquireLock(folder)
  if (lock === undefined) {
    const cause = new Error(
      `Another process is writing the audit log ${folder}. Stop it, or give this one its own "writer".`,
    )
    throw new Fault('audit-unavailable', undefined, { cause })
  }
  try {
    const origin = originPrefix + writerId
    const found = await recover(folder, { name: origin, publicKey: key.publicKey }, clock.now())
    const vkey = formatVkey(origin, key.publicKey)
    const facts = { format: 'gatewright-audit/1', origin, vkey }
    await replaceFile(disk, folder, vkeyName, Buffer.from(`${vkey}\n`), 'durable')
    const publisher = new Publisher(disk, folder, origin, key, found?.newest)
    const writer =
      found === undefined
        ? await Writer.create(
            disk,
            folder,
            draft('open', { ...facts, why: 'start' }, isoTime(clock.now())),
            clock.now(),
          )
        : await Writer.reopen(disk, folder, found.frontier, found.segment)
    const log = new CommitQueue({
      ...bounds,
      ...options,
      writer,
      publisher,
      facts,
      onFault,
      onRecord,
      onLost,
      onClosed: () => lock.release(),
    })
    if (found === undefined) onRecord('open')
    if (found?.torn !== undefined) log.append('recovered', found.torn)
    // Also shows that the disk takes records, before anything depends on it.
    if (found !== undefined) await log.commit('open', { ...facts, why: 'start', clean: found.clean })
    await log.checkpoint()
    if (publisher.note !== undefined) return log
    // Callers' records that no checkpoint was ever published before would look like a log that lost it.
    await log.close().catch(() => undefined)
    const cause = new Error(`The first checkpoint of the audit log ${folder} could not be written.`)
    throw new Fault('audit-unavailable', undefined, { cause })
  } catch (error) {
    await lock.release()
    throw error
  }
}

function ignore(): void {}
