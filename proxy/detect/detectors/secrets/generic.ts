// Owns secrets that only their name gives away: a name such as `password` or `api_key`, an assignment, and a value that no
// one would write for anything else. It knows no vendor; findings of vendors' formats win over these.
import { identifierCharacters, readAssignment } from '../../assignment.ts'
import { startOfRun } from '../../boundary.ts'
import { foreseenLength } from '../../candidate.ts'
import { characterClass, holds, withCharacters, type CharacterClass } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import { acceptLong, isInLongRun, longRun, type LongRun } from '../../long-run.ts'
import type { Probe } from '../../probe.ts'
import { mayBeToken } from '../jwt.ts'
import { privateKey, privateKeyInBase64 } from '../private-key.ts'
import { listLengthMax, listStyle, readList, type ListStyle } from './secret-list.ts'
import { nameAt, type NamePlace } from './names-met.ts'
import { mayBeName, secretKind, secretWords, type SecretKind } from './secret-name.ts'
import { isKey, isPassword, isPhrase, isToken, isTokenWithin, keyLengthMax, passwordLengthMax } from './secret-value.ts'

const group = 'secrets'
const entity = 'generic-secret'
const valueLengthMin = 4
/** Longer ones are none; tokens are as long as they like. */
const lengthsMax: Readonly<Record<SecretKind, number>> = { password: passwordLengthMax, key: keyLengthMax, token: 320 }
/** Vendors' formats and other detectors know sooner whether a long value is theirs. */
const likeJwtLength = 352
const afterLengthMax = 32
const space = 32
const ampersand = 38
const dash = 45
const comma = 44
const equals = 61
const questionMark = 63
const colon = 58
const semicolon = 59
const armours = [privateKey, privateKeyInBase64].flatMap(({ triggers = [] }) => triggers)
const armourBeginnings = withCharacters(characterClass(''), armours.map((armour) => armour.charAt(0)).join(''))

/** Values without quotes end at white space, and at what ends a value in code, URLs and connection strings. */
const bare = characterClass('A-Za-z0-9_.~!@#$%^*+/?-', (code) => code > 0xa0 && code < 0xd800)
/** Behind a space there is no query whose next pair `&` would begin. */
const bareInProse = characterClass('A-Za-z0-9_.~!@#$%^&*+/?-', bare.beyond)
/** In queries and forms, encoded or nested. */
const pairName = characterClass('A-Za-z0-9_.~%[]+-')
const pairsMax = 3
const padding = characterClass('=')
const quotes = '"\'`'
const longBare = longRunsOf(bare)
/** By quote: what a token in quotes is made of. */
const longQuoted = Array.from(quotes, (quote) => {
  const printable = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).join('')
  return longRunsOf(
    characterClass(`${printable.replaceAll(/[-<>{}()[\]]/g, '').replace(quote, '')}-`, (code) => code > 0xa0),
  )
})
const quoteCharacters = characterClass(quotes)
const modifier = characterClass('A-Za-z')
/** Of `key` and `auth`. */
const modifiedBeginnings = characterClass('kKaA')

export const genericSecret: Detector = {
  entity,
  group,
  triggers: secretWords,
  find(probe, labelStart, labelEnd) {
    if (mayBeName(probe, labelStart, labelEnd)) findNamed(probe, labelStart, labelEnd, secretKind)
  },
}

/**
 * A value that is given to the name. `kindOf` is given what stands around the name's word, as `secretKind` has it; `known`: where
 * the value begins, if more than an assignment tells.
 */
export function findNamed(
  probe: Probe,
  labelStart: number,
  labelEnd: number,
  kindOf: typeof secretKind,
  known?: number,
): void {
  // The end of an armour's own line.
  if (isInLongRun(probe, labelStart) || endsArmour(probe, labelEnd)) return
  const start = known ?? readAssignment(probe, labelStart, labelEnd)
  if (start < 0) return
  if (known === undefined && !probe.hasTouchedEnd) probe.findsFrom(start)
  const quote = holds(quoteCharacters, probe.before(start)) ? probe.before(start) : -1
  const style = listStyle(probe, start, labelEnd)
  if (style === undefined && isShort(probe, start, quote)) return
  const nameEnd = probe.runEnd(labelEnd, identifierCharacters, afterLengthMax)
  const name = nameAt(probe, placeOf(probe, labelStart, labelEnd, nameEnd), kindOf)
  const { kind } = name
  if (kind === undefined) return
  const gap = probe.text.slice(nameEnd, start)
  if (assignsNothing(gap)) return
  if (style === undefined && name.isPlural && !gap.includes('=')) return
  // Long keys in armour have detectors of their own, which need no end to tell one.
  const isArmoured =
    holds(armourBeginnings, probe.text.charCodeAt(start)) &&
    armours.some((armour) => probe.text.startsWith(armour, start))
  if (kind === 'token' && !isArmoured && isLong(probe, start, longRunsIn(quote))) return
  const lengthMax = isArmoured ? Math.min(foreseenLength, lengthsMax[kind]) : lengthsMax[kind]
  const isAtOnce = start === nameEnd + 1
  const isEnvironment = isAtOnce && (name.isCapital || (name.isFlag && gap === '='))
  const said: Said = { kind, lengthMax, isEnvironment }
  if (style !== undefined) {
    readValues(probe, labelStart, start, style, said)
    return
  }
  const end = valueEnd(probe, start, quote, lengthMax)
  if (end < start + valueLengthMin) return
  if (quote === -1 && probe.code(end) === comma && probe.before(start) === equals) {
    readValues(probe, labelStart, start, 'joined', said)
    return
  }
  if (isApposition(gap) && !/\d/.test(probe.text.slice(start, end))) return
  judge(probe, start, end, quote, said)
}

function endsArmour(probe: Probe, at: number): boolean {
  return probe.units[at] === dash && probe.text.startsWith('-----', at) && probe.sees(at + 5)
}

/** What the name and its surroundings say of the value. */
type Said = { readonly kind: SecretKind; readonly lengthMax: number; readonly isEnvironment: boolean }

function valueEnd(probe: Probe, start: number, quote: number, lengthMax: number): number {
  return quote === -1 ? bareEnd(probe, start, lengthMax) : quotedEnd(probe, start, quote, lengthMax)
}

function judge(probe: Probe, start: number, end: number, quote: number, { kind, isEnvironment }: Said): void {
  const isQuoted = quote !== -1
  if (kind === 'password' && !isPassword(probe.text.slice(start, end), { isQuoted, isEnvironment })) return
  if (kind === 'token' && !isToken(probe, start, end) && !(isQuoted && isPhrase(probe.text.slice(start, end)))) return
  if (kind === 'key' && !isKey(probe, start, end)) return
  probe.accept(genericSecret, start, end, false)
}

function readValues(probe: Probe, labelStart: number, start: number, style: ListStyle, said: Said): void {
  if (labelStart < probe.listEnd) return
  const limit = labelStart + listLengthMax
  const endOf = (from: number, quote: number): number => {
    if (!probe.hasTouchedEnd) probe.findsFrom(from)
    if (quote === -1 && isMember(probe, from)) return -1
    return valueEnd(probe, from, quote, Math.min(said.lengthMax, limit - from))
  }
  const end = readList(probe, start, limit, style, endOf, (from, to, quote) => {
    if (to >= from + valueLengthMin) judge(probe, from, to, quote, said)
  })
  probe.listEnd = end
  probe.keepWhole(labelStart, end)
}

/** `name: …` and `user=…` */
function isMember(probe: Probe, start: number): boolean {
  const end = probe.runEnd(start, identifierCharacters, afterLengthMax)
  const next = probe.code(end)
  if (next === colon) return true
  return next === equals && end > start && holds(bare, probe.code(probe.runEnd(end, padding, 3)))
}

/** Such values are judged by no name. */
function isShort(probe: Probe, start: number, quote: number): boolean {
  for (let index = start; index < start + valueLengthMin; index++) {
    const code = probe.code(index)
    const isEnd = quote === -1 ? !holds(bare, code) : code === quote && probe.before(index) !== 92
    if (isEnd || code === -1) return true
  }
  return false
}

type LongRuns = { readonly usual: LongRun; readonly likeJwt: LongRun }

function longRunsOf(characters: CharacterClass): LongRuns {
  return { usual: longRun(characters, lengthsMax.token, false), likeJwt: longRun(characters, likeJwtLength, false) }
}

function longRunsIn(quote: number): LongRuns {
  return quote === -1 ? longBare : (longQuoted[quotes.indexOf(String.fromCharCode(quote))] ?? longBare)
}

/** Whether so much of a token has been read that its end is not waited for; if it is one, it is accepted. */
function isLong(probe: Probe, start: number, { usual, likeJwt }: LongRuns): boolean {
  const run = probe.text.startsWith('eyJ', start) ? likeJwt : usual
  if (mayBeToken(probe, start)) probe.isLaterAt(start)
  const end = probe.runEnd(start, run.characters, run.after)
  if (end - start < run.after) return false
  if (isTokenWithin(probe, start, end, run.tally)) acceptLong(probe, genericSecret, start, start, run, endOfLong)
  return true
}

/** Without quotes there may be padding, and a full stop of the sentence; of escaped quotes the backslash is no part of it. */
function endOfLong(probe: Probe, from: number, runEnd: number): number {
  if (quotes.includes(probe.text.charAt(runEnd))) return probe.before(runEnd) === 92 ? runEnd - 1 : runEnd
  let end = probe.runEnd(runEnd, padding, 3)
  while (end > from && '.,?'.includes(probe.text.charAt(end - 1))) end--
  return end
}

/** `password="", other=…`, `password=$NAME`, `password: ${NAME}`, `credentials: { name: …`, `"password" + …` */
function assignsNothing(gap: string): boolean {
  if (isPlain(gap)) return false
  return /\$$|\{|^\\?["'`]$/.test(gap) || /(?:^|[^"])""(?:[^"]|$)|(?:^|[^'])''(?:[^']|$)/.test(gap)
}

/** ``pass `name` ``, `"password", "email"`: words of prose and lists. */
function isApposition(gap: string): boolean {
  return !isPlain(gap) && /^ ["'`]$|^["'`]\s*[,|]\s*["'`]$/.test(gap)
}

/** Nothing in it but what stands for itself, as it mostly is. */
function isPlain(gap: string): boolean {
  for (let at = 0; at < gap.length; at++) if (holds(quotesAndMarks, gap.charCodeAt(at))) return false
  return true
}

const quotesAndMarks = characterClass('"\'`${')

/** Used for every name, as it is but looked at. */
const place: NamePlace = { from: 0, labelStart: 0, labelEnd: 0, to: 0, isSpaced: false }

function placeOf(probe: Probe, labelStart: number, labelEnd: number, to: number): NamePlace {
  place.from = startOfRun(probe, labelStart, identifierCharacters)
  place.labelStart = labelStart
  place.labelEnd = labelEnd
  place.to = to
  // `secret` of `secret key: …`; to the other words it says nothing.
  const isModified = holds(modifiedBeginnings, probe.units[labelStart] as number)
  place.isSpaced = isModified && place.from === labelStart && probe.before(labelStart) === space
  if (place.isSpaced) place.from = startOfRun(probe, labelStart - 1, modifier)
  return place
}

/** -1 where a call, an index or a URL goes on, or where the value is longer than any. */
function bareEnd(probe: Probe, start: number, lengthMax: number): number {
  const runEnd = runOfBare(probe, start, lengthMax + 1)
  if (runEnd - start > lengthMax) return -1
  const next = probe.code(runEnd)
  if (next === 40 || next === 91 || next === 123) return -1
  if (next === 58 && probe.code(runEnd + 1) === 47) return -1
  let end = probe.runEnd(runEnd, padding, 3)
  while (end > start && '.,?'.includes(probe.text.charAt(end - 1)) && !holds(bare, next)) end--
  return end
}

function runOfBare(probe: Probe, start: number, lengthMax: number): number {
  const end = probe.runEnd(start, bare, lengthMax)
  if (probe.code(end) !== ampersand) return end
  if (probe.before(start) !== space && (isInQuery(probe, start) || beginsOther(probe, end))) return end
  const longer = probe.runEnd(end, bareInProse, start + lengthMax - end)
  // `&lt;` is not of the value.
  return probe.code(longer) === semicolon ? end : longer
}

/** `?name=` or `&name=`, of the value at `start`. */
function isInQuery(probe: Probe, start: number): boolean {
  const previous = probe.before(startOfRun(probe, start - 1, identifierCharacters))
  return previous === ampersand || previous === questionMark
}

/** The next pair of a query, or the next command of a line; in environment files an `&` is of the value as others are. */
function beginsOther(probe: Probe, at: number): boolean {
  if (!holds(bare, probe.code(at + 1))) return true
  let nameEnd = at
  // In queries some pairs have no sign: `&flag&user=x`.
  for (let pair = 0; pair < pairsMax && probe.code(nameEnd) === ampersand; pair++)
    nameEnd = probe.runEnd(nameEnd + 1, pairName, afterLengthMax)
  return probe.code(nameEnd) === equals
}

/**
 * -1 when the line ends before the quote. Where the first quote is escaped, the last one is, and its backslash is not of
 * the value; elsewhere an escaped one belongs to the value.
 */
function quotedEnd(probe: Probe, start: number, quote: number, lengthMax: number): number {
  const limit = start + lengthMax
  const isEscaped = probe.before(start - 1) === 92
  for (let index = start; index <= limit; index++) {
    const code = probe.code(index)
    if (code === 92 && !isEscaped) index++
    if (code === quote) return isEscaped && probe.before(index) === 92 ? index - 1 : index
    if (code === -1 || code === 10 || code === 13) return -1
  }
  return -1
}
