// Owns e-mail addresses (RFC 5321 shape, internationalised domains included). A login in a URL (`//user@host`) and
// things that only look like an address (`git@host`, `pkg@1.2.3`, `icon@2x.png`) are not.
import { isEscapeLetter } from '../boundary.ts'
import { characterClass, isForeignLetter, isLetter, runStart } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'email'
/** RFC 5321 section 4.5.3.1. */
const localLengthMax = 64
const domainLengthMax = 253

const localCharacters = characterClass("A-Za-z0-9._%+'-", isForeignLetter)
const domainCharacters = characterClass('A-Za-z0-9.-', isForeignLetter)
const fileEndings = new Set([
  'png',
  'jpg',
  'jpeg',
  'gif',
  'svg',
  'webp',
  'avif',
  'ico',
  'css',
  'js',
  'ts',
  'json',
  'map',
])
const topLevel = /^(?:xn--[a-z0-9-]{2,59}|\p{L}{2,63})$/iu
const version = /^v?\d+(?:\.\d+)*(?:[.-]|$)/

export const email: Detector = {
  entity,
  group,
  triggers: ['@'],
  find(probe, at) {
    const start = trimStart(probe.text, localStart(probe.units, at), at)
    if (start === at) return
    probe.startsAt(start)
    const end = domainEnd(probe, at + 1)
    if (end === at + 1) return
    if (probe.text.slice(start, at) === 'git' || isLogin(probe.text, start)) return
    probe.accept(email, start, end, false)
  },
  tailStart: localStart,
}

function localStart(units: Uint16Array, end: number): number {
  return runStart(units, end, localLengthMax, localCharacters)
}

/** Quotes, dots, dashes and escaped line ends before an address belong to the sentence. */
function trimStart(text: string, from: number, end: number): number {
  let start = from
  if (start > 0 && text.charAt(start - 1) === '\\' && isEscapeLetter(text.charCodeAt(start))) start++
  while (start < end && "'.-%".includes(text.charAt(start))) start++
  return start
}

/** `from` when no domain stands there. */
function domainEnd(probe: Probe, from: number): number {
  let end = probe.runEnd(from, domainCharacters, domainLengthMax)
  const isCut = end === from + domainLengthMax
  // A further @ makes it neither one address nor two.
  if (!isCut && probe.code(end) === 64) return from
  while (end > from && (probe.text[end - 1] === '.' || probe.text[end - 1] === '-')) end--
  const domain = probe.text.slice(from, end)
  const lastDot = domain.lastIndexOf('.')
  if (lastDot < 1 || domain.includes('..') || domain.startsWith('-')) return from
  const ending = domain.slice(lastDot + 1)
  if (!topLevel.test(ending) || fileEndings.has(ending.toLowerCase()) || version.test(domain)) return from
  return end
}

/** `https://name@host` or `https://name:word@host`: what follows `//` up to the @ without a slash. */
function isLogin(text: string, start: number): boolean {
  const limit = Math.max(0, start - localLengthMax / 2)
  for (let i = start - 1; i >= limit; i--) {
    const character = text.charAt(i)
    if (character === '/') return text[i - 1] === '/' && text[i - 2] === ':' && isLetter(text.charCodeAt(i - 3))
    if (' \t\r\n?#"\'<>(),;'.includes(character)) return false
  }
  return false
}
