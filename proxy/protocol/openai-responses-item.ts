// Owns what is remembered of an output item while a response streams, and how more of its text is written. It reads no
// events.
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Growing } from './openai-responses-events.ts'
import { eventLayout } from './openai-responses.ts'
import type { Draft } from './step.ts'
import type { Layout } from './texts.ts'

export type Item = {
  readonly start: JsonObject
  readonly index: number
  /** Whether it calls a tool. */
  readonly calls: boolean
  /** The channels that grow, and those that have ended. */
  readonly open: Set<string>
  readonly ended: Set<string>
  /** What has been gathered of a call's arguments, and the item as it was said to be. */
  arguments: string
  readonly worded: JsonObject[]
  closed: boolean
}

/** The delta event of a channel with some text. */
export type Writer = (text: string) => JsonObject

export function openItem(start: JsonObject, index: number, calls: boolean): Item {
  return { start, index, calls, open: new Set(), ended: new Set(), arguments: '', worded: [], closed: false }
}

/** Far more than there ever are, and few enough to count up to. */
const indexMax = 10_000

export function isIndex(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= indexMax
}

export function callChannel(index: number): string {
  return `call:${index}`
}

export function channelOf({ name }: Growing, { index }: Item, at: number): string {
  return `${name}:${index}:${at}`
}

export function placeOf({ start, index }: Item): JsonObject {
  return { ...(typeof start.id === 'string' ? { item_id: start.id } : undefined), output_index: index }
}

export function deltaWriter(item: Item, event: string, { index, more }: Growing, at: number): Writer {
  const head = { type: `${event}.delta`, ...placeOf(item), ...(index === undefined ? undefined : { [index]: at }) }
  return (delta) => ({ ...head, delta, ...more })
}

/** The item of a call with these arguments. */
export function withArguments(start: JsonObject, { whole }: Growing, text: string): JsonObject {
  return { ...start, [whole]: text }
}

/** What grows is not read twice; anything else is a whole text. */
export function layoutBeside({ deltas, grown }: Draft, layout: Layout = eventLayout): Layout {
  if (deltas.length + grown.length === 0) return layout
  return {
    roleAt: layout.roleAt,
    standing: (key, owner, path) =>
      deltas.some(({ address }) => isSame(address.path, path)) || grown.some((one) => isSame(one, path))
        ? 'handled'
        : layout.standing(key, owner, path),
  }
}

function isSame(grown: Path, path: Path): boolean {
  return path.length === grown.length && path.every((step, index) => step === grown[index])
}
