// Owns the walk that finds every text in a document. Everything is inspected unless a layout says otherwise, so a field
// that nobody thought of is read, not skipped. It knows no format: a layout is one format's exceptions.
import { isDataKey } from '../lib/data-key.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { sourcesAt } from '../lib/json-source.ts'
import { lastPath } from '../lib/pointer.ts'
import type { Address, Path } from '../lib/pointer.ts'
import type { Role, TextPart } from './content.ts'

/**
 * How a member stands in its format.
 * - `inspected`: a text, or something to walk further
 * - `identifier`: a name or an id that must not change; a string that is not shaped like one is inspected all the same
 * - `number`: a number of the format's own (a time, a seed), never a datum
 * - `free`: whatever the client likes: no exceptions hold from here on
 * - `echoed`: like `inspected`, but the other side sends it back as it is
 * - `handled`: the caller reads it itself
 * - a label: counts as uninspected; `skip` leaves it alone, `encoded` does if it is base64 or a data URL and inspects it
 *   otherwise, `walk` inspects what is around it (the URL of an image)
 */
export type Standing = 'inspected' | 'identifier' | 'number' | 'free' | 'echoed' | 'handled' | Label
export type Label = { readonly label: string; readonly how: 'skip' | 'encoded' | 'walk' }

export type Layout = {
  readonly roleAt: (path: Path) => Role
  /** `path` ends with `key` and is only valid during the call. */
  readonly standing: (key: string, owner: JsonObject, path: Path) => Standing
}

export type Texts = {
  readonly parts: readonly TextPart[]
  readonly uninspected: readonly string[]
  readonly moreTokens?: number
}

/** `text` is the source of `value`: parts of form `number` show all figures of it, not what a double makes of it. */
export function readTexts(value: Json, text: string, layout: Layout): Texts {
  return new Walk(layout).run(value, text)
}

/** An image, a file or a sound, of which nothing is known but that it is there; `moreTokens` has what is known beyond. */
export const tokensOfKind = 1000
/** The largest that providers make of one image, whatever its bytes; of most they make fewer than a third. */
const tokensOfImage = 5000
/** Of sound, film, documents and hidden thoughts by their encoded length; compressed text makes the most of it. */
const charsPerToken = 3
/** Of what is only referred to, and may be a book. */
const tokensOfReference = 20_000
const media: ReadonlySet<string> = new Set(['audio', 'video', 'file'])

/** Documents in strings of documents in strings: each adds escapes, so what is written deeper grows by powers of two. */
const embeddedMax = 4

/** Nine digits or more before the point: long enough to be an account, and few enough to leave embeddings alone. */
const longNumber = 1e8

class Walk {
  readonly #layout: Layout
  readonly #parts: TextPart[] = []
  readonly #uninspected = new Set<string>()
  #moreTokens = 0
  readonly #path: (string | number)[] = []
  /** By embedded document, the outermost first: the path within it. */
  readonly #embedded: (string | number)[][] = []
  #numbers: Address[] = []
  /** What the member that is being read is called by another one. */
  #beside: string | undefined

  constructor(layout: Layout) {
    this.#layout = layout
  }

  run(value: Json, text: string): Texts {
    this.#value(value, false)
    this.#addNumbers(text)
    const texts = { parts: this.#parts, uninspected: [...this.#uninspected] }
    return this.#moreTokens === 0 ? texts : { ...texts, moreTokens: this.#moreTokens }
  }

  #value(value: Json, free: boolean): void {
    if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'number') {
      this.#number(value)
      if (free) this.#moreTokens += tokensOfNumber(value)
    } else if (Array.isArray(value)) {
      const steps = this.#embedded.at(-1) ?? this.#path
      for (let index = 0; index < value.length; index += 1) {
        steps.push(index)
        this.#value(value[index] as Json, free)
        steps.pop()
      }
    } else if (value !== null && typeof value === 'object') this.#object(value, free)
    else if (free) this.#moreTokens += 2
  }

  #object(owner: JsonObject, free: boolean): void {
    const steps = this.#embedded.at(-1) ?? this.#path
    for (const key of Object.keys(owner)) {
      const member = owner[key] as Json
      steps.push(key)
      if (isDataKey(key)) this.#parts.push(this.#part(key, 'key'))
      if (key.length === 5 && typeof member === 'string' && (key === 'value' || key === 'Value'))
        this.#beside = nameBeside(owner)
      if (free) {
        this.#moreTokens += 2 + Math.ceil(key.length / 3)
        this.#value(member, true)
      } else this.#member(member, this.#layout.standing(key, owner, this.#path))
      this.#beside = undefined
      steps.pop()
    }
  }

  #member(member: Json, standing: Standing): void {
    if (standing === 'inspected') this.#value(member, false)
    else if (standing === 'identifier') {
      if (typeof member !== 'string' || !isIdentifier(member)) this.#value(member, false)
    } else if (standing === 'number') {
      if (typeof member !== 'number') this.#value(member, false)
    } else if (standing === 'free') this.#value(member, true)
    else if (standing === 'echoed') this.#echo(member)
    else if (standing !== 'handled') this.#labelled(member, standing)
  }

  #echo(member: Json): void {
    const first = this.#parts.length
    this.#value(member, false)
    for (let at = first; at < this.#parts.length; at += 1)
      this.#parts[at] = { ...(this.#parts[at] as TextPart), echoed: true }
  }

  #labelled(member: Json, { label, how }: Label): void {
    if (member === null || member === '') return
    const encoded = how === 'encoded' && typeof member === 'string' && isEncoded(member)
    const counted = this.#uninspected.has(label) ? 0 : tokensOfKind
    this.#moreTokens += Math.max(0, tokensOfUnread(label, member, encoded) - counted)
    this.#uninspected.add(label)
    if (how === 'walk' || (how === 'encoded' && !encoded)) this.#value(member, false)
  }

  #string(text: string): void {
    if (text === '') return
    if (this.#embedded.length < embeddedMax && looksLikeJson(text)) {
      const embedded = parseJsonText(text, innerLimits)
      if (embedded.ok) {
        this.#document(embedded.value, text)
        return
      }
    }
    this.#parts.push(this.#part(text, 'string'))
  }

  /** Decoded, so that no escape hides a value, and so that an edit cannot break the embedded document. */
  #document(value: Json, text: string): void {
    const numbers = this.#numbers
    this.#numbers = []
    this.#beside = undefined
    this.#embedded.push([])
    this.#value(value, true)
    this.#addNumbers(text)
    this.#embedded.pop()
    this.#numbers = numbers
  }

  #number(value: number): void {
    if (value >= longNumber || value <= -longNumber) this.#numbers.push(this.#address())
  }

  #addNumbers(text: string): void {
    if (this.#numbers.length === 0) return
    const sources = sourcesAt(text, this.#numbers.map(lastPath))
    for (const [index, address] of this.#numbers.entries()) {
      const source = sources[index]
      if (source === undefined) continue
      const written = figuresOf(source)
      this.#parts.push({ address, text: written, role: this.#layout.roleAt(address.path), form: 'number' })
    }
  }

  #part(text: string, form: 'string' | 'key'): TextPart {
    const address = this.#address()
    return {
      address: form === 'key' ? { ...address, key: true } : this.#named(address),
      text,
      role: this.#layout.roleAt(this.#path),
      form,
    }
  }

  #named(address: Address): Address {
    return this.#beside === undefined ? address : { ...address, beside: this.#beside }
  }

  #address(): Address {
    const path = this.#path.slice()
    const [inner, ...deeper] = this.#embedded
    if (inner === undefined) return { path }
    if (deeper.length === 0) return { path, inner: inner.slice() }
    return { path, inner: inner.slice(), deeper: deeper.map((steps) => steps.slice()) }
  }
}

const nameMembers = ['name', 'key', 'Name', 'Key'] as const
const nameLengthMax = 100

/** Environments of containers, headers in archives of HTTP, tags, variables of collections. */
function nameBeside(owner: JsonObject): string | undefined {
  for (const member of nameMembers) {
    const name = Object.hasOwn(owner, member) ? owner[member] : undefined
    if (typeof name === 'string' && name.length <= nameLengthMax) return name
  }
  return undefined
}

function tokensOfUnread(label: string, member: Json, encoded: boolean): number {
  if (label === 'image') return tokensOfImage
  if (typeof member === 'string' && (encoded || !media.has(label))) return Math.ceil(member.length / charsPerToken)
  return media.has(label) ? tokensOfReference : 0
}

/** As it is written, but of a whole number its figures: `4.111e3` is 4111 to whoever reads it. */
function figuresOf(source: string): string {
  if (!/[.eE]/.test(source)) return source
  const value = Number(source)
  return Number.isSafeInteger(value) ? String(value) : source
}

/** With what separates it from the next. Some tokenisers take figures one by one. */
function tokensOfNumber(value: number): number {
  if (!Number.isInteger(value)) return 19
  const size = Math.abs(value)
  return size < 10 ? 2 : Math.floor(Math.log10(size)) + 3
}

/** The arguments of a tool call: a JSON object in a string. Undefined where they are anything else. */
export function parseArguments(text: string): Json | undefined {
  const parsed = parseJsonText(text, innerLimits)
  return parsed.ok && isObject(parsed.value) ? parsed.value : undefined
}

/** Shaped like a name or an id, with nothing else to it. */
export function isIdentifier(text: string): boolean {
  return text !== '' && identifierEnd(text, 0) === text.length
}

/**
 * The index after the identifier that begins at `from`, which may be empty; -1 where what stands there is none. A word, a
 * dotted or dashed name, a UUID. It has a letter: a bare number may be anybody's.
 */
export function identifierEnd(text: string, from: number): number {
  let hasLetter = false
  let at = from
  for (; at < from + identifierLengthMax; at += 1) {
    const c = text.charCodeAt(at)
    if (isLetter(c)) hasLetter = true
    else if (!isOfIdentifier(c)) break
  }
  return hasLetter || at === from ? at : -1
}

const identifierLengthMax = 128

function isLetter(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a)
}

/** Besides letters: `-./0123456789:` stand side by side. */
function isOfIdentifier(c: number): boolean {
  return (c >= 0x2d && c <= 0x3a) || c === 0x5f
}

/** Base64, bare or in a data URL. A short text with dashes is rather a number than base64 for URLs. */
function isEncoded(text: string): boolean {
  const prefix = /^data:[\w.+/-]*(?:;[\w=.+-]*)*;base64,/.exec(text.slice(0, 256))?.[0].length ?? 0
  const data = prefix === 0 ? text : text.slice(prefix)
  return !(data.length < 64 ? /[^A-Za-z0-9+/=]/ : /[^A-Za-z0-9+/=_\r\n-]/).test(data)
}

function looksLikeJson(text: string): boolean {
  const trimmed = text.trim()
  const first = trimmed.charCodeAt(0)
  const last = trimmed.charCodeAt(trimmed.length - 1)
  return (first === 0x7b && last === 0x7d) || (first === 0x5b && last === 0x5d)
}
