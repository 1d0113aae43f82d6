// Owns tokens: what stands for a value on its way to an upstream, and how the value comes back. One vault per exchange;
// what outlives it is kept by caller in a memory that it is given. Tokens are derived from the value and the caller, so
// the same value has the same token in every turn, and callers never share one.
import { appended } from '../lib/appended.ts'
import { FirstMap } from '../lib/first-map.ts'
import { keyedDigest } from '../lib/keyed-digest.ts'
import { ownText } from '../lib/own-text.ts'
import { Recent } from '../lib/recent.ts'
import { foreseenLength } from './candidate.ts'
import { restorePlaces, type RestorePlace } from './options.ts'
import type { Kept, KeptOfCaller, Terms, TokenForm } from './vault-memory.ts'
import { numberAt, numberToken, digitsOf, restoredNumber, unfinishedNumberFrom, withDigits } from './vault-number.ts'
import {
  alphabet,
  bodyAt,
  bodyLength,
  checkSymbol,
  digestSymbols,
  looksLikeToken,
  mailDomain,
  mailTailAt,
  tokenType,
  typeStart,
  unfinishedFrom,
  unfinishedMailFrom,
} from './vault-token.ts'

const hashSymbols = 16

export type Vault = {
  /**
   * Word characters only, at most `tokenLengthMax`, unless another form is asked for; also where there is no number left.
   * The value can be restored from now on.
   */
  readonly tokenFor: (entity: string, value: string, terms?: Terms, form?: TokenForm) => string
  /**
   * The same token, but the value is not remembered: for what comes from the upstream and must not be undone. Of values as
   * long as `foreseenLength` it is another one, which depends on their beginning alone.
   */
  readonly aliasFor: (entity: string, value: string, form?: TokenForm) => string
  /** As `aliasFor`, longer and of another key: it can never be restored. It, too, depends on the beginning alone. */
  readonly hashFor: (entity: string, value: string) => string
  /** Whether a text is a token itself, so that nobody takes it for data. */
  readonly isToken: (text: string) => boolean
  /** Replaces the tokens that may come back there. Anything that only looks like one stays. What is before `from` too. */
  readonly restore: (text: string, place?: RestorePlace, from?: number, write?: WriteValue) => string
  /** What `restore` would give, for those who judge it before: it does not count as put back. */
  readonly foretell: (text: string, place: RestorePlace) => string
  /** For streams: restores what is complete. The rest, from `heldFrom` on, may be the beginning of a token. */
  readonly restorePart: (text: string, place?: RestorePlace, from?: number, write?: WriteValue) => RestoredPart
  /** Replaces the tokens whose values that upstream may have. */
  readonly restoreTo: (text: string, upstream: string, write?: WriteValue) => string
  /** How many values of this exchange can be restored. */
  readonly size: number
  /** Whether there is anything that may come back in an answer. */
  readonly restores: boolean
  /** Entity → how often a value was put back. */
  readonly restored: ReadonlyMap<string, number>
}

/** How a value is written where its token stood: at that index of the text. Called in the order of the text. */
export type WriteValue = (value: string, at: number) => string

export type RestoredPart = { readonly text: string; readonly heldFrom: number }

export type Remembering = {
  readonly kept: KeptOfCaller
  /** Whether what other exchanges kept may come back in the answer of this one. */
  readonly allows: (entity: string, place: RestorePlace) => boolean
}

/** `scope` names the caller: vaults of the same key and scope issue the same tokens. */
export function openVault(key: Buffer, scope: string, remembering?: Remembering): Vault {
  return new TokenVault(key, scope, remembering)
}

const everywhere: Terms = { restore: restorePlaces, restoreTo: [] }

type Found = { readonly start: number; readonly end: number; readonly text: string; readonly entity: string }
type LookUp = (token: string) => Kept | undefined
type Unused = { readonly token: string; readonly form: TokenForm }

/** Nine of ten numbers may be given out before one value in a thousand gets a word. */
const numberAttemptsMax = 64

// Most vaults restore nothing.
const noCounts: ReadonlyMap<string, number> = new Map()
const noForms: readonly TokenForm[] = []
const noTypes: ReadonlySet<string> = new Set()
/** What the vault before held is mostly what the next holds, and a set takes 150 bytes of each. */
let lastTypes = noTypes

class TokenVault implements Vault {
  restored: ReadonlyMap<string, number> = noCounts
  readonly #key: Buffer
  readonly #scope: string
  readonly #kept: KeptOfCaller | undefined
  readonly #allows: Remembering['allows']
  /** By body, or by `#` and digits. */
  readonly #own = new FirstMap<string, Kept>()
  #ownTypes: ReadonlySet<string> = noTypes
  #ownForms: readonly TokenForm[] = noForms
  #ownNumberLengths = 0
  #types: { readonly of: number; readonly types: ReadonlySet<string> } | undefined

  constructor(key: Buffer, scope: string, remembering: Remembering | undefined) {
    this.#key = key
    this.#scope = scope
    this.#kept = remembering?.kept
    this.#allows = remembering?.allows ?? (() => false)
  }

  get size(): number {
    return this.#own.size
  }

  get restores(): boolean {
    return this.#own.size > 0 || (this.#kept !== undefined && this.#kept.size > 0)
  }

  tokenFor(entity: string, found: string, terms = everywhere, asked: TokenForm = 'word'): string {
    const value = ownText(found)
    const { token, form } = this.#unusedToken(entity, value, asked)
    this.#own.set(token, { entity, value, ...joined(terms, this.#own.get(token)) })
    this.#addType(tokenType(entity))
    if (!this.#ownForms.includes(form)) this.#ownForms = appended(this.#ownForms, form)
    if (form === 'number') this.#ownNumberLengths |= 1 << (token.length - 1)
    if (terms.restore.length > 0 || terms.restoreTo.length > 0)
      this.#kept?.keep(token, form, { entity, value, ...joined(terms, this.#kept.get(token)) })
    return written(token, form, entity, value)
  }

  aliasFor(entity: string, value: string, asked: TokenForm = 'word'): string {
    const isShort = value.length < foreseenLength
    const { token, form } = isShort ? this.#unusedToken(entity, value, asked) : this.#unusedAlias(entity, value)
    return written(token, form, entity, value)
  }

  hashFor(entity: string, value: string): string {
    return `${tokenType(entity)}_${this.#digest('hash', entity, value.slice(0, foreseenLength), hashSymbols)}`
  }

  isToken(text: string): boolean {
    if (text.endsWith(mailDomain)) return looksLikeToken(text)
    if (looksLikeToken(text) && this.#find(text.slice(-bodyLength)) !== undefined) return true
    return this.#has('number') && this.#find(`#${digitsOf(text)}`) !== undefined
  }

  restore(text: string, place: RestorePlace = 'response.text', from = 0, write?: WriteValue): string {
    return this.restores ? this.#replaceTokens(text, from, text.length, this.#at(place), write).text : text.slice(from)
  }

  foretell(text: string, place: RestorePlace): string {
    const { restored } = this
    this.restored = noCounts
    const told = this.restore(text, place)
    this.restored = restored
    return told
  }

  restorePart(text: string, place: RestorePlace = 'response.text', from = 0, write?: WriteValue): RestoredPart {
    if (!this.restores) return { text: text.slice(from), heldFrom: text.length }
    return this.#replaceTokens(text, from, Math.max(from, this.#unfinishedFrom(text)), this.#at(place), write)
  }

  restoreTo(text: string, upstream: string, write?: WriteValue): string {
    const lookUp: LookUp = (token) => {
      const kept = this.#kept?.get(token)
      return kept?.restoreTo.includes(upstream) === true ? kept : undefined
    }
    return this.restores ? this.#replaceTokens(text, 0, text.length, lookUp, write).text : text
  }

  #at(place: RestorePlace): LookUp {
    return (token) => {
      const own = this.#own.get(token)
      if (own !== undefined) return own.restore.includes(place) ? own : undefined
      const kept = this.#kept?.get(token)
      return kept?.restore.includes(place) === true && this.#allows(kept.entity, place) ? kept : undefined
    }
  }

  /** Tokens begin before `end`; one that does may go on behind it. */
  #replaceTokens(text: string, from: number, end: number, lookUp: LookUp, write?: WriteValue): RestoredPart {
    let restored = ''
    let copied = from
    const isPlain = !this.#has('mail') && !this.#has('number')
    const next = (at: number): number => (isPlain ? text.indexOf('_', at) : markFrom(text, at))
    for (let mark = next(from); mark !== -1 && mark < end; mark = next(Math.max(mark + 1, copied))) {
      const found = this.#tokenAt(text, mark, lookUp)
      if (found === undefined || found.start < copied) continue
      restored += text.slice(copied, found.start) + (write?.(found.text, found.start) ?? found.text)
      copied = found.end
      this.#count(found.entity)
    }
    const heldFrom = Math.max(end, copied)
    return { text: restored + text.slice(copied, heldFrom), heldFrom }
  }

  #count(entity: string): void {
    let sum = this.restored as Map<string, number>
    if (sum === noCounts) this.restored = sum = new Map()
    sum.set(entity, (sum.get(entity) ?? 0) + 1)
  }

  #tokenAt(text: string, mark: number, lookUp: LookUp): Found | undefined {
    switch (text.charAt(mark)) {
      case '_':
        return wordAt(text, mark, lookUp)
      case '@':
      case '%':
        return mailAt(text, mark, lookUp)
      default: {
        const lengths = this.#ownNumberLengths | (this.#kept?.numberLengths ?? 0)
        const found = lengths === 0 ? undefined : numberAt(text, mark, lengths, (digits) => lookUp(`#${digits}`))
        if (found === undefined) return undefined
        const { entity, value } = found.known
        return { start: mark, end: found.end, text: restoredNumber(value, found.isPlain), entity }
      }
    }
  }

  #unfinishedFrom(text: string): number {
    let from = unfinishedFrom(text, this.#possibleTypes())
    if (this.#has('mail')) from = Math.min(from, unfinishedMailFrom(text))
    if (!this.#has('number')) return from
    return Math.min(from, unfinishedNumberFrom(text))
  }

  #addType(type: string): void {
    if (this.#ownTypes.has(type)) return
    const isLast = lastTypes.size === this.#ownTypes.size + 1 && lastTypes.has(type)
    if (!isLast || !lastTypes.isSupersetOf(this.#ownTypes)) lastTypes = new Set([...this.#ownTypes, type])
    this.#ownTypes = lastTypes
  }

  #possibleTypes(): ReadonlySet<string> {
    const kept = this.#kept?.entities
    if (kept === undefined || kept.size === 0) return this.#ownTypes
    const of = kept.size + this.#ownTypes.size
    if (this.#types?.of !== of)
      this.#types = { of, types: new Set([...this.#ownTypes, ...Array.from(kept, tokenType)]) }
    return this.#types.types
  }

  #has(form: TokenForm): boolean {
    return this.#ownForms.includes(form) || this.#kept?.forms.has(form) === true
  }

  #find(token: string): Kept | undefined {
    return this.#own.get(token) ?? this.#kept?.get(token)
  }

  /**
   * Another value with the same digest takes the next token, so restoring is never wrong. Numbers of some kinds are few;
   * where none is found that is free, a word stands for the value. Of words there are so many that one always is.
   */
  #unusedToken(entity: string, value: string, asked: TokenForm): Unused {
    const numbersMax = asked === 'number' ? numberAttemptsMax : 0
    for (let attempt = 0; attempt < numbersMax; attempt++) {
      const token = this.#number(entity, value, attempt)
      if (this.#isFree(token, entity, value)) return { token, form: 'number' }
    }
    const form = asked === 'number' ? 'word' : asked
    for (let attempt = 0; ; attempt++) {
      const token = this.#body(entity, value, attempt)
      if (this.#isFree(token, entity, value)) return { token, form }
    }
  }

  /** Of as much as a stream waits for; no token that stands for anything. */
  #unusedAlias(entity: string, value: string): Unused {
    const beginning = value.slice(0, foreseenLength)
    for (let attempt = 0; ; attempt++) {
      const digest = this.#digest(`alias ${attempt}`, entity, beginning, digestSymbols)
      const token = digest + checkSymbol(digest)
      if (this.#find(token) === undefined) return { token, form: 'word' }
    }
  }

  #isFree(token: string, entity: string, value: string): boolean {
    const known = this.#find(token)
    return known === undefined || (known.value === value && known.entity === entity)
  }

  #body(entity: string, value: string, attempt: number): string {
    const digest = this.#digest(attempt === 0 ? 'token' : `token ${attempt}`, entity, value, digestSymbols)
    return digest + checkSymbol(digest)
  }

  #number(entity: string, value: string, attempt: number): string {
    const draw = (count: number): string => {
      let digits = ''
      for (let block = 0; digits.length < count; block++) {
        const symbols = this.#digest(`number ${attempt} ${block}`, entity, value, hashSymbols)
        // Two symbols are 10 bits, of which a last digit is even enough.
        for (let i = 0; i < hashSymbols; i += 2)
          digits += String((32 * alphabet.indexOf(symbols.charAt(i)) + alphabet.indexOf(symbols.charAt(i + 1))) % 10)
      }
      return digits.slice(0, count)
    }
    return `#${numberToken(entity, value, draw)}`
  }

  #digest(purpose: string, entity: string, value: string, symbols: number): string {
    // With its length before it, a caller's name cannot run into what follows, whatever callers are called.
    const message = `${purpose}\0${this.#scope.length}\0${this.#scope}\0${entity}\0${value}`
    return digesterOf(this.#key)(message).slice(0, symbols)
  }
}

function written(token: string, form: TokenForm, entity: string, value: string): string {
  if (form === 'number') return withDigits(value, token.slice(1))
  return form === 'mail' ? token + mailDomain : `${tokenType(entity)}_${token}`
}

/** What is given out on several terms comes back wherever one of them says. */
function joined(terms: Terms, before: Terms | undefined): Terms {
  const { restore, restoreTo } = terms
  if (before === undefined) return { restore, restoreTo }
  return {
    restore: before.restore.length === 0 ? restore : [...new Set([...before.restore, ...restore])],
    restoreTo: before.restoreTo.length === 0 ? restoreTo : [...new Set([...before.restoreTo, ...restoreTo])],
  }
}

function wordAt(text: string, mark: number, lookUp: LookUp): Found | undefined {
  const body = bodyAt(text, mark + 1)
  const known = body === undefined ? undefined : lookUp(body)
  if (known === undefined) return undefined
  const start = typeStart(text, mark, tokenType(known.entity))
  if (start === -1) return undefined
  return { start, end: mark + 1 + bodyLength, text: known.value, entity: known.entity }
}

function mailAt(text: string, mark: number, lookUp: LookUp): Found | undefined {
  const tail = mailTailAt(text, mark)
  if (tail === undefined) return undefined
  const body = bodyAt(text, mark - bodyLength)
  const known = body === undefined ? undefined : lookUp(body)
  if (known === undefined) return undefined
  const value = tail.startsWith('%') ? encodeURIComponent(known.value) : known.value
  return { start: mark - bodyLength, end: mark + tail.length, text: value, entity: known.entity }
}

/** Where the next `_`, `@`, `%` or first digit stands; -1 when there is none. */
function markFrom(text: string, from: number): number {
  let isAfterDigit = isDigit(text.charCodeAt(from - 1))
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 95 || code === 64 || code === 37 || (isDigit(code) && !isAfterDigit)) return at
    isAfterDigit = isDigit(code)
  }
  return -1
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** A key serves all exchanges between two reloads, so what is derived from it is kept as long as the key. */
const digesters = new WeakMap<Buffer, (message: string) => string>()

/** Gives `hashSymbols` symbols. The values of a conversation come again with every turn of it. */
function digesterOf(key: Buffer): (message: string) => string {
  let digester = digesters.get(key)
  if (digester === undefined) {
    const digest = keyedDigest(key)
    const recent = new Recent<string>(recentCharactersMax)
    digester = (message) => {
      let symbols = recent.get(message)
      if (symbols === undefined) {
        symbols = symbolsOf(Buffer.from(digest(Buffer.from(message)), 'base64url'))
        recent.set(message, symbols)
      }
      return symbols
    }
    digesters.set(key, digester)
  }
  return digester
}

const recentCharactersMax = 256 * 1024

function symbolsOf(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < hashSymbols; i++) text += alphabet.charAt((bytes[i] ?? 0) & 31)
  return text
}
