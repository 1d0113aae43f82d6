// Owns tokens: what stands for a value on its way to an upstream, and how the value comes back. One vault per exchange;
// it knows only the values of that exchange. Tokens are derived from the value and the caller, so the same value has
// the same token in every turn, and callers never share one.
import { keyedDigest } from '../lib/keyed-digest.ts'
import { Recent } from '../lib/recent.ts'

/** Crockford's alphabet in lower case: no i, l, o, u. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const symbolValues = new Map(Array.from(alphabet).map((symbol, value) => [symbol, value]))
/** 45 bits of the value's digest, then one symbol that tells our tokens from other text. */
const digestSymbols = 9
const bodyLength = digestSymbols + 1
const hashSymbols = 16
/** `AWS_SECRET_ACCESS_KEY_` and a body; what a window may have to hold back. */
export const tokenLengthMax = 32

export type Vault = {
  /** Word characters only, at most `tokenLengthMax`. The value can be restored from now on. */
  readonly tokenFor: (entity: string, value: string) => string
  /** The same token, but the value is not remembered: for what comes from the upstream and must not be undone. */
  readonly aliasFor: (entity: string, value: string) => string
  /** As `aliasFor`, longer and of another key: it can never be restored. */
  readonly hashFor: (entity: string, value: string) => string
  /** Replaces the tokens that this vault issued. Anything that only looks like one stays. */
  readonly restore: (text: string) => string
  /** For streams: restores what is complete. The rest, from `heldFrom` on, may be the beginning of a token. */
  readonly restorePart: (text: string) => { readonly text: string; readonly heldFrom: number }
  /** How many values can be restored. */
  readonly size: number
}

/** `scope` names the caller: vaults of the same key and scope issue the same tokens. */
export function openVault(key: Buffer, scope: string): Vault {
  return new TokenVault(key, scope)
}

/** `us-ssn` → `US_SSN`, as it stands in masks and tokens. */
export function typeName(entity: string): string {
  return entity.toUpperCase().replaceAll('-', '_')
}

type Issued = { readonly token: string; readonly type: string; readonly value: string }

class TokenVault implements Vault {
  readonly #key: Buffer
  readonly #scope: string
  readonly #byBody = new Map<string, Issued>()
  readonly #types = new Set<string>()

  constructor(key: Buffer, scope: string) {
    this.#key = key
    this.#scope = scope
  }

  get size(): number {
    return this.#byBody.size
  }

  tokenFor(entity: string, value: string): string {
    const type = typeName(entity)
    for (let attempt = 0; ; attempt++) {
      const body = this.#bodyFor(type, value, attempt)
      const issued = this.#byBody.get(body)
      // Another value with the same 45 bits takes the next body, so restoring is never wrong.
      if (issued !== undefined && (issued.value !== value || issued.type !== type)) continue
      const token = issued?.token ?? `${type}_${body}`
      if (issued === undefined) this.#byBody.set(body, { token, type, value })
      this.#types.add(type)
      return token
    }
  }

  aliasFor(entity: string, value: string): string {
    const type = typeName(entity)
    return `${type}_${this.#bodyFor(type, value, 0)}`
  }

  hashFor(entity: string, value: string): string {
    const type = typeName(entity)
    return `${type}_${this.#digest('hash', type, value, hashSymbols)}`
  }

  restore(text: string): string {
    return this.#restoreTo(text, text.length).text
  }

  restorePart(text: string): { readonly text: string; readonly heldFrom: number } {
    return this.#restoreTo(text, this.size === 0 ? text.length : this.#tokenStart(text))
  }

  #restoreTo(text: string, end: number): { readonly text: string; readonly heldFrom: number } {
    if (this.size === 0) return { text, heldFrom: text.length }
    let restored = ''
    let copied = 0
    for (let mark = text.indexOf('_'); mark !== -1 && mark < end; mark = text.indexOf('_', mark + 1)) {
      const issued = this.#byBody.get(text.slice(mark + 1, mark + 1 + bodyLength))
      if (issued === undefined) continue
      const start = mark - issued.type.length
      if (start < copied || !text.startsWith(issued.type, start)) continue
      restored += text.slice(copied, start) + issued.value
      copied = mark + 1 + bodyLength
    }
    return { text: restored + text.slice(copied, end), heldFrom: end }
  }

  /** Where the first unfinished token may start: its type's letters, or all of them and some of the body. */
  #tokenStart(text: string): number {
    for (let start = Math.max(0, text.length - tokenLengthMax + 1); start < text.length; start++) {
      const code = text.charCodeAt(start)
      if (code < 65 || code > 90) continue
      for (const type of this.#types) if (isBeginning(text.slice(start), `${type}_`)) return start
    }
    return text.length
  }

  #bodyFor(type: string, value: string, attempt: number): string {
    const digest = this.#digest(attempt === 0 ? 'token' : `token ${attempt}`, type, value, digestSymbols)
    return digest + checkSymbol(digest)
  }

  #digest(purpose: string, type: string, value: string, symbols: number): string {
    // With its length before it, a caller's name cannot run into what follows, whatever callers are called.
    const message = `${purpose}\0${this.#scope.length}\0${this.#scope}\0${type}\0${value}`
    return digesterOf(this.#key)(message).slice(0, symbols)
  }
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
        symbols = symbolsOf(digest(Buffer.from(message)))
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

/** `rest` is the beginning of `head` followed by a body, and not all of it. */
function isBeginning(rest: string, head: string): boolean {
  if (rest.length <= head.length) return head.startsWith(rest)
  if (!rest.startsWith(head) || rest.length >= head.length + bodyLength) return false
  for (let i = head.length; i < rest.length; i++) if (!symbolValues.has(rest.charAt(i))) return false
  return true
}

/** Weighted sum, so that a changed symbol and two swapped ones are both noticed. */
function checkSymbol(digest: string): string {
  let sum = 0
  for (let i = 0; i < digest.length; i++) sum += (2 * i + 1) * (symbolValues.get(digest.charAt(i)) ?? 0)
  return alphabet.charAt(sum & 31)
}

/** Has the form of a token of anybody: a type's name, a body, and its check symbol. */
export function looksLikeToken(text: string): boolean {
  const body = text.slice(-bodyLength)
  if (!/^[A-Z][A-Z0-9_]*_$/.test(text.slice(0, -bodyLength)) || !/^[0-9a-hjkmnp-tv-z]+$/.test(body)) return false
  return checkSymbol(body.slice(0, digestSymbols)) === body.at(-1)
}
