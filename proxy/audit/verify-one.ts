// Owns verifying one log: every line in its place, every link, every signed root, and what is missing at the end. It
// stops at the first record that is bad: what follows one proves nothing.
import { open, readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { lineEnd, readBlocks } from './blocks.ts'
import { type Checkpoint, formatVkey, parseVkey, type Vkey } from './checkpoint.ts'
import { frontierName, listSegments, originPrefix, type Segment, vkeyName } from './layout.ts'
import { isLocked } from './lock.ts'
import { newestSize, NoteOpener, type Notes, publishedBefore, readNotes } from './notes.ts'
import { Pairing } from './pairing.ts'
import { parseFrontiers } from './publisher.ts'
import { checkLine, lengthFlaw, type LineCheck, type ParsedRecord } from './record-check.ts'
import { type RootMismatch, TreeCheck } from './tree-check.ts'

export type Check =
  LineCheck | 'segment' | 'root' | 'signature' | 'tail' | 'checkpoint' | 'key' | 'since' | 'outcome' | 'time' | 'copy'

export type Finding = {
  /** The log's folder. */
  readonly log: string
  readonly check: Check
  readonly message: string
  /** The file it is about, below the log's folder. */
  readonly segment?: string
  readonly byteOffset?: number
  readonly index?: number
}

export type Status = 'intact' | 'tampered' | 'incomplete'

export type LogReport = {
  readonly log: string
  readonly origin: string
  readonly vkey?: string
  readonly status: Status
  readonly records: number
  readonly segments: number
  /** Different checkpoints that match the log. */
  readonly checkpoints: number
  /** Records after the last checkpoint: chained, but covered by no signature. */
  readonly unsigned: number
  /** Bytes after the last whole line. */
  readonly tornBytes: number
  /** Intents without an outcome that can get none any more, and those of a writer that still runs. */
  readonly unpaired: number
  readonly inFlight: number
  /** A process is writing this log at the moment. */
  readonly live: boolean
  /** Tampering; the first is the first bad record. */
  readonly findings: readonly Finding[]
  /** Why the log is not whole, in words. */
  readonly incomplete: readonly string[]
  readonly warnings: readonly Finding[]
}

export type OneOptions = { readonly publicKey?: Buffer | undefined; readonly since?: string | undefined }

export async function verifyOne(folder: string, options: OneOptions): Promise<LogReport> {
  const log = basename(resolve(folder))
  const live = await isLocked(folder).catch(() => false)
  const first = await firstLine(folder)
  const vkey = await findKey(folder, first, options.publicKey)
  const opener = vkey === undefined ? undefined : new NoteOpener(vkey)
  const walk = new Walk(folder, log, vkey, opener)
  const notes = opener === undefined ? undefined : await readNotes(folder, opener)
  if (vkey === undefined) walk.find({ check: 'key', segment: vkeyName, message: 'there is no usable public key' })
  for (const { file, message } of notes?.problems ?? []) walk.find({ check: 'signature', segment: file, message })
  const published = notes?.kept ?? []
  const { since } = options
  // With several logs in a folder, it is about the one that it names.
  const isAbout = vkey !== undefined && since?.split('\n')[0] === vkey.name
  await walk.read(await listSegments(folder), published, isAbout ? walk.openSince(since) : undefined)
  if (walk.wholeChain) await walk.checkEnd(notes)
  return walk.report(live, notes?.torn === true)
}

/** The origin comes from the log itself, which the root covers; the key from the caller, if he has one. */
async function findKey(folder: string, first: string, given: Buffer | undefined): Promise<Vkey | undefined> {
  const text = await readFile(`${folder}/${vkeyName}`, 'utf8').catch(() => undefined)
  const own = parseVkey(text ?? /"vkey":"([^"\\]{1,400})"/.exec(first)?.[1] ?? '')
  if (given === undefined) return own
  const named = /"origin":"([^"\\\s+]{1,200})"/.exec(first)?.[1]
  return { name: named ?? own?.name ?? originPrefix + basename(resolve(folder)), publicKey: given }
}

/** Empty where there is none. */
export async function firstLine(folder: string): Promise<string> {
  const [segment] = await listSegments(folder)
  if (segment === undefined) return ''
  const file = await open(`${folder}/${segment.name}`, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2048), 0, 2048, 0)
    return buffer.toString('utf8', 0, bytesRead).split('\n')[0] ?? ''
  } finally {
    await file.close()
  }
}

/** Where a line stands. */
type At = { readonly segment: string; readonly byteOffset: number }

class Walk {
  readonly #folder: string
  readonly #log: string
  readonly #vkey: Vkey | undefined
  readonly #opener: NoteOpener | undefined
  readonly #pairing = new Pairing()
  readonly #findings: Finding[] = []
  readonly #warnings: Finding[] = []
  #tree = new TreeCheck([], undefined, [])
  #records = 0
  #segments = 0
  #tornBytes = 0
  #last: Buffer | undefined
  #lastRecord: ParsedRecord | undefined
  #lastAt: At | undefined
  /** A root that did not match, until the next line has told whether the last record is to blame. */
  #mismatch: RootMismatch | undefined
  /** The size of the largest checkpoint that the records show to have been published. */
  #published = 0
  #stopped = false

  constructor(folder: string, log: string, vkey: Vkey | undefined, opener: NoteOpener | undefined) {
    this.#folder = folder
    this.#log = log
    this.#vkey = vkey
    this.#opener = opener
  }

  get wholeChain(): boolean {
    return !this.#stopped
  }

  find(finding: Omit<Finding, 'log'>): void {
    this.#findings.push({ log: this.#log, ...finding })
  }

  /** The checkpoint kept elsewhere must be of this log and of its key; otherwise the log was replaced. */
  openSince(since: string): Checkpoint | undefined {
    const opened = this.#opener?.open(since) ?? { problem: 'there is no key' }
    if ('checkpoint' in opened) return opened.checkpoint
    this.find({ check: 'since', message: `the checkpoint kept elsewhere is not of this log: ${opened.problem}` })
    return undefined
  }

  /** `published`: in the order in which it was. */
  async read(
    segments: readonly Segment[],
    published: readonly Checkpoint[],
    since: Checkpoint | undefined,
  ): Promise<void> {
    const kept = parseFrontiers(await readFile(`${this.#folder}/${frontierName}`, 'utf8').catch(() => ''))
    this.#tree = new TreeCheck(published, since, kept)
    for (const [position, segment] of segments.entries()) {
      if (segment.first !== this.#records) {
        const message = `a segment should begin with record ${this.#records}; this one begins with ${segment.first}`
        this.#stop({ check: 'segment', segment: segment.name, byteOffset: 0, index: this.#records, message })
        return
      }
      await this.#readSegment(segment, position === segments.length - 1)
      if (this.#stopped) return
      this.#segments += 1
    }
    this.#blameRoot()
  }

  async #readSegment({ name }: Segment, isLast: boolean): Promise<void> {
    const before = this.#records
    let rest: At & { readonly bytes: number } = { segment: name, byteOffset: 0, bytes: 0 }
    for await (const { bytes, start, end, offset, torn } of readBlocks(`${this.#folder}/${name}`)) {
      if (torn || bytes[end - 1] !== 0x0a) {
        // Without any LF up to the end of the file it is torn, however long: a power cut can leave many zeros.
        rest = {
          segment: name,
          byteOffset: rest.bytes === 0 ? offset : rest.byteOffset,
          bytes: rest.bytes + end - start,
        }
        continue
      }
      if (rest.bytes > 0) {
        this.#stopAtLength(rest, rest.bytes + lineEnd(bytes, start, end) - start)
        return
      }
      for (let from = start; from < end && !this.#stopped;) {
        const to = lineEnd(bytes, from, end)
        this.#line(bytes, from, to, { segment: name, byteOffset: offset + from - start }, this.#records === before)
        from = to + 1
      }
      if (this.#stopped) return
    }
    const { bytes, ...at } = rest
    if (bytes > 0 && isLast) this.#tornBytes = bytes
    else if (bytes > 0)
      this.#stop({ check: 'segment', ...at, index: this.#records, message: 'the segment ends in the middle of a line' })
    else if (this.#records === before)
      this.#stop({ check: 'segment', ...at, index: before, message: 'the segment has no header' })
  }

  #stopAtLength(at: At, length: number): void {
    this.#blameRoot()
    if (!this.#stopped)
      this.#stop({ ...lengthFlaw(this.#records, length), segment: at.segment, byteOffset: at.byteOffset })
  }

  #line(bytes: Buffer, start: number, end: number, at: At, isHeader: boolean): void {
    const checked = checkLine(bytes, start, end, { index: this.#records, last: this.#last })
    if ('flaw' in checked) {
      const { check, index, message } = checked.flaw
      // A link that is broken names the record before, which then also explains a root that did not match.
      if (index === this.#records) this.#blameRoot()
      if (this.#stopped) return
      this.#stop({ check, index, message, ...(index < this.#records ? this.#lastAt : at) })
      return
    }
    this.#blameRoot()
    if (this.#stopped) return
    const { record, leaf } = checked
    if (isHeader && record.kind !== 'open') {
      this.#stop({ check: 'segment', index: this.#records, message: 'a segment begins with an open record', ...at })
      return
    }
    this.#records += 1
    this.#last = leaf
    this.#lastAt = at
    this.#look(record, at)
    this.#mismatch = this.#tree.append(leaf)
  }

  /** What the record says, beyond its place in the chain. */
  #look(record: ParsedRecord, at: At): void {
    const before = this.#lastRecord
    this.#lastRecord = record
    if (before !== undefined && isBefore(record.t, before.t)) {
      this.#warn({ check: 'time', index: record.i, message: `its time is before that of record ${before.i}`, ...at })
    }
    if (record.kind === 'checkpoint') this.#lookAtNote(record, at)
    if (!this.#stopped) this.#published = Math.max(this.#published, publishedBefore(record))
    this.#pairing.see(record)
  }

  #lookAtNote({ i, note }: ParsedRecord, at: At): void {
    if (this.#opener === undefined) return
    const opened = this.#opener.open(String(note))
    if ('problem' in opened) {
      this.#stop({
        check: 'signature',
        index: i,
        message: `the note in record ${i} cannot be trusted: ${opened.problem}`,
        ...at,
      })
      return
    }
    const { checkpoint } = opened
    if (checkpoint.size > i) {
      this.#stop({
        check: 'root',
        index: i,
        message: `the note in record ${i} covers records that come after it`,
        ...at,
      })
      return
    }
    const outcome = this.#tree.recorded(checkpoint)
    if (outcome === 'unchecked')
      this.#warn({ check: 'root', index: i, message: `the note in record ${i} came too late to be compared`, ...at })
    else if (outcome !== undefined) this.#stopAtRoot(outcome)
  }

  /** What the files beside the segments say of the end of the log. */
  async checkEnd(notes: Notes | undefined): Promise<void> {
    const { abandoned, missing } = this.#tree
    if (abandoned !== undefined) {
      const { from, size } = abandoned
      const message = `the log was cut and continued: ${notThose(from, size)} that the checkpoint of ${size} records was signed for, and one of fewer was signed after it`
      this.#stop({ check: 'root', index: from, message })
      return
    }
    if (missing > 0) {
      const message =
        this.#segments === 0
          ? `there is no segment; a checkpoint covers ${missing} records: 0 to ${missing - 1} are missing`
          : `the log ends at ${this.#records} records; a checkpoint covers ${missing}: the end is missing`
      this.#stop({ check: 'tail', index: this.#records, message, ...this.#lastAt })
      return
    }
    const newest = notes?.newest ?? 0
    const published = (notes?.kept ?? []).reduce((most, { size }) => Math.max(most, size), this.#published)
    if (newest >= published) return
    // A living writer may have published since the file was read.
    const now = await newestSize(this.#folder)
    if (now !== undefined && now >= published) return
    const is = newest > 0 ? `the checkpoint covers ${newest} records` : 'there is no checkpoint that can be trusted'
    this.find({
      check: 'checkpoint',
      segment: 'checkpoint',
      message: `${is}; one that covers ${published} was published`,
    })
  }

  report(live: boolean, tornNotes: boolean): LogReport {
    const { lost, inFlight } = this.#pairing.unpaired()
    if (!live) lost.push(...inFlight.splice(0))
    const unsigned = this.#records - this.#tree.verified
    const incomplete = this.#findings.length > 0 ? [] : this.#incomplete(live, unsigned, lost.length)
    if (tornNotes && !live && this.#findings.length === 0)
      incomplete.push('checkpoints.log ends in the middle of a note')
    for (const { index, request } of this.#pairing.duplicates) {
      this.#warn({ check: 'outcome', index, message: `a second outcome for request ${request}` })
    }
    const status = this.#findings.length > 0 ? 'tampered' : incomplete.length > 0 ? 'incomplete' : 'intact'
    return {
      log: this.#log,
      origin: this.#vkey?.name ?? originPrefix + this.#log,
      ...(this.#vkey === undefined ? undefined : { vkey: formatVkey(this.#vkey.name, this.#vkey.publicKey) }),
      status,
      records: this.#records,
      segments: this.#segments,
      checkpoints: this.#tree.checkpoints,
      unsigned,
      tornBytes: this.#tornBytes,
      unpaired: lost.length,
      inFlight: inFlight.length,
      live,
      findings: this.#findings,
      incomplete,
      warnings: this.#warnings,
    }
  }

  #incomplete(live: boolean, unsigned: number, lost: number): string[] {
    const reasons: string[] = []
    if (lost > 0) reasons.push(`${lost} intents have no outcome: the process ended in the middle of these exchanges`)
    if (live) return reasons
    if (this.#tornBytes > 0) reasons.push(`the last line is torn: ${this.#tornBytes} bytes`)
    if (unsigned > 0) reasons.push(`the last ${unsigned} records are covered by no checkpoint`)
    if (this.#lastRecord?.kind !== 'close') reasons.push('the log does not end with a close record')
    return reasons
  }

  /** Turns a root that did not match into the finding, once the next line has not explained it better. */
  #blameRoot(): void {
    const mismatch = this.#mismatch
    this.#mismatch = undefined
    if (mismatch !== undefined) this.#stopAtRoot(mismatch)
  }

  #stopAtRoot({ from, size }: RootMismatch): void {
    const where = from === size - 1 && size === this.#records ? this.#lastAt : undefined
    const message = `${notThose(from, size)} that the checkpoint of ${size} records was signed for`
    this.#stop({ check: 'root', index: from, message, ...where })
  }

  #stop(finding: Omit<Finding, 'log'>): void {
    this.find(finding)
    this.#stopped = true
  }

  #warn(warning: Omit<Finding, 'log'>): void {
    if (this.#warnings.length < 100) this.#warnings.push({ log: this.#log, ...warning })
  }
}

function notThose(from: number, size: number): string {
  return from === size - 1
    ? `record ${from} is not the one`
    : `one or more of the records ${from} to ${size - 1} are not those`
}

/** Times in UTC of the same precision are in order when their texts are. */
function isBefore(time: string, other: string): boolean {
  return time.length === other.length ? time < other : Date.parse(time) < Date.parse(other)
}
