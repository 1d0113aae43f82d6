// Owns what is remembered of an item while a model says it in a realtime conversation. It reads no events.
import type { Json, JsonObject } from '../lib/json.ts'

/** `id` is the one name that every event of an item has: indexes count within one answer of several. */
export type Item = {
  readonly id: string
  readonly start: JsonObject
  /** Whether it calls a tool. */
  readonly calls: boolean
  /** The answer it belongs to and its place there; absent while only the conversation has it. */
  place: Place | undefined
  /** The channels that grow, and those that have ended. */
  readonly open: Set<string>
  readonly ended: Set<string>
  /** What has been gathered of a call's arguments, and the item as it was said to be. */
  arguments: string
  readonly worded: JsonObject[]
  /** The events that told the conversation of it, and wait with it. */
  readonly told: Told[]
  closed: boolean
}

export type Place = { readonly responseId: string | undefined; readonly index: number }

export type Told = { readonly type: string; readonly previous: JsonObject }

export function openItem(id: string, start: JsonObject, calls: boolean, place: Place | undefined): Item {
  const sets = { open: new Set<string>(), ended: new Set<string>() }
  return { id, start, calls, place, ...sets, arguments: '', worded: [], told: [], closed: false }
}

/** Ids go into events that nobody inspects again, so one must be shaped like one. */
export function idOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && idForm.test(value) ? value : undefined
}

const idForm = /^(?=[^]*[A-Za-z])[\w./:-]{1,128}$/

export function callChannel(id: string): string {
  return `call:${id}`
}

export function channelOf({ name }: { readonly name: string }, { id }: Item, at: number): string {
  return `${name}:${id}:${at}`
}

/** The members by which clients find an item in an answer. */
export function answerPlaceOf({ place }: Item): JsonObject {
  if (place === undefined) return {}
  const { responseId, index } = place
  return { ...(responseId === undefined ? undefined : { response_id: responseId }), output_index: index }
}

/** What an event says of the item before, as far as it may be said again. */
export function toldBy(type: string, { previous_item_id: previous }: JsonObject): Told {
  const id = idOf(previous)
  return { type, previous: id === undefined ? {} : { previous_item_id: id } }
}
