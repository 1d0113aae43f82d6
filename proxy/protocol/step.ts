// Owns how the meaning of one event of a stream is gathered and then said as a step. It knows no format.
import type { Json, JsonObject } from '../lib/json.ts'
import type { Address, Path } from '../lib/pointer.ts'
import type { Usage } from './content.ts'
import type { Delta, StreamedCall, StreamStep, Varying } from './protocol.ts'
import type { Texts } from './texts.ts'

type ReadStep = Extract<StreamStep, { ok: true }>

/** What one event means, as far as it has been read; see `StreamStep`. */
export type Draft = {
  readonly deltas: Delta[]
  readonly ends: string[]
  readonly calls: StreamedCall[]
  readonly held: { readonly channel: string; readonly address: Address }[]
  withheld: Address[]
  /** Texts that the reader reads itself. */
  readonly grown: Path[]
  behind: string | undefined
  unknown: string | undefined
  terminal: boolean
  error: boolean
  failed: boolean
  usage: Usage | undefined
  unreadBytes: number
  /** The reader keeps nothing of an event of this type but the text that grows, so others may be like it. */
  repeats: boolean
  /** But for these. */
  readonly varying: Varying[]
}

export function newDraft(): Draft {
  return {
    deltas: [],
    ends: [],
    calls: [],
    held: [],
    withheld: [],
    grown: [],
    behind: undefined,
    unknown: undefined,
    terminal: false,
    error: false,
    failed: false,
    usage: undefined,
    unreadBytes: 0,
    repeats: false,
    varying: [],
  }
}

export function pushDelta(draft: Draft, delta: Delta): void {
  if (delta.text !== '') draft.deltas.push(delta)
}

/** Providers make their events alike in length, so that nobody can guess the words from it. */
export function notePadding(draft: Draft, { obfuscation }: JsonObject): void {
  if (typeof obfuscation === 'string') draft.varying.push({ address: { path: ['obfuscation'] }, kind: 'padding' })
}

/** The whole event belongs to the call on this channel. */
export function holdEvent(draft: Draft, channel: string): void {
  draft.held.push({ channel, address: { path: [] } })
  draft.withheld.push({ path: [] })
}

/** The call that an event at this index is behind: the nearest, since what is behind that one is behind all before it. */
export function nearestBefore(index: Json | undefined, calls: ReadonlySet<number>): number | undefined {
  if (calls.size === 0 || typeof index !== 'number') return undefined
  let nearest: number | undefined
  for (const at of calls) if (at < index && (nearest === undefined || at > nearest)) nearest = at
  return nearest
}

export function stepOf(value: Json, draft: Draft, { parts, uninspected }: Texts): StreamStep {
  const { deltas, ends, calls, held, withheld, behind, unknown, terminal, usage } = draft
  const step: { -readonly [K in keyof ReadStep]: ReadStep[K] } = {
    ok: true,
    value,
    deltas,
    ends,
    calls,
    parts,
    terminal,
  }
  if (held.length > 0) step.held = held
  if (withheld.length > 0) step.withheld = withheld
  if (behind !== undefined) step.behind = behind
  if (uninspected.length > 0) step.uninspected = uninspected
  if (unknown !== undefined) step.unknown = unknown
  if (draft.error) step.error = true
  if (draft.failed) step.failed = true
  if (usage !== undefined) step.usage = usage
  if (draft.unreadBytes > 0) step.unreadBytes = draft.unreadBytes
  if (draft.repeats && isRepeatable(draft, parts.length + uninspected.length)) {
    step.repeatable = true
    if (draft.varying.length > 0) step.varying = draft.varying
  }
  return step
}

/**
 * One piece of text and nothing else, for an event like it goes out as it came. Arguments are not: the reader gathers
 * them itself. `others` counts other texts.
 */
function isRepeatable(draft: Draft, others: number): boolean {
  const { deltas, ends, calls, held, withheld, behind, unknown, usage, terminal, error, failed, unreadBytes } = draft
  if (deltas.length !== 1 || deltas[0]?.kind !== 'text' || others > 0) return false
  if (ends.length + calls.length + held.length + withheld.length > 0 || terminal || error || failed) return false
  return behind === undefined && unknown === undefined && usage === undefined && unreadBytes === 0
}

/** Of an event that says nothing. */
export const emptyStep: ReadStep = { ok: true, deltas: [], ends: [], calls: [], parts: [], terminal: false }
