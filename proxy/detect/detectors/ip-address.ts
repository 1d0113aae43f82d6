// Owns IPv4 and IPv6 addresses. Version numbers, times, hardware addresses and C++ scopes are not addresses.
import { isIPv6 } from 'node:net'
import { endsWord, isInIdentifier, startsValue } from '../boundary.ts'
import { alphanumerics, characterClass, holds, isDigit, isLetter, runStart } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'ip-address'
/** Eight groups of four, the last two as IPv4. */
const lengthMax = 45
const colon = 58
const hexadecimals = characterClass('0-9A-Fa-f')
const digits = characterClass('0-9')
const addressCharacters = characterClass('0-9A-Fa-f:.')
/** `"version": "`, `driver `, `§`, and `lib==`, `lib>=`, `^`, `~` of package managers. */
const versionContext =
  /(?:\b(?:v|ver|version|build|release|driver|firmware|rev|revision|section|chapter|clause|table)["']?[\s:=.]{0,3}["']?|§ ?|[\w\]][=~<>!]=|[~^])$/i
const contextLength = 24
const addressContext =
  /\b(?:unspecified|address|addr|bind|listen|host|src|dst|source|destination|gateway|ip(?:v6)?)["']?[\s=:]{1,2}["'[]?$/i

export const ipv4Address: Detector = {
  entity,
  group,
  digits: 'number',
  firstLengths: [1, 2, 3],
  find(probe, start) {
    const end = readIpv4(probe, start)
    if (end === undefined || continues(probe, end)) return
    if (isPartOfName(probe, start, end) && mayBeVersion(probe, start)) return
    if (versionContext.test(probe.text.slice(Math.max(0, start - contextLength), start))) return
    probe.accept(ipv4Address, start, prefixEnd(probe, end), false)
  },
}

function readIpv4(probe: Probe, start: number): number | undefined {
  const { number } = probe
  if (number.groups < 4 || number.end > start + 3) return undefined
  for (let group = 0; group < 4; group++) {
    if (group < 3 && number.separatorAfter(probe, group) !== 46) return undefined
    const from = number.startOf(group)
    const length = number.lengthOf(group)
    if (length > 3 || (length > 1 && probe.text.charCodeAt(from) === 48)) return undefined
    if (length === 3 && Number(probe.text.slice(from, from + 3)) > 255) return undefined
  }
  return number.endOf(3)
}

/** `1.2.3.4.5`, `1.2.3.4-rc1`, `1.2.3.4x`. Home networks (RFC 1918) are no versions, whatever index follows. */
function continues(probe: Probe, end: number): boolean {
  const next = probe.code(end)
  if (holds(alphanumerics, next)) return true
  if (next === 46 && isDigit(probe.code(end + 1))) return !probe.text.startsWith('192.168.', probe.number.start)
  return (next === 46 || next === 45) && holds(alphanumerics, probe.code(end + 1))
}

/** `/24` after a network's address. */
function prefixEnd(probe: Probe, end: number): number {
  if (probe.code(end) !== 47) return end
  const digitsEnd = probe.runEnd(end + 1, digits, 4)
  return digitsEnd > end + 4 || !endsWord(probe, digitsEnd) ? end : digitsEnd === end + 1 ? end : digitsEnd
}

/** `%eth0` after a link-local address (RFC 4007). */
function zoneEnd(probe: Probe, end: number): number {
  return probe.code(end) === 37 ? probe.runEnd(end + 1, alphanumerics, 16) : end
}

/** `Chrome/1.2.3.4`, `file-1.2.3.4`, `lib_1.2.3.4`, `1.2.3.4_amd64`. */
function isPartOfName(probe: Probe, start: number, end: number): boolean {
  const previous = probe.before(start)
  const isJoined = (previous === 47 || previous === 45) && isLetter(probe.before(start - 1))
  return isJoined || isInIdentifier(probe, start) || !endsWord(probe, end)
}

/** Versions have fewer digits than most addresses, and other words before them. */
function mayBeVersion(probe: Probe, start: number): boolean {
  const { number, text } = probe
  let length = 0
  for (let group = 0; group < 4; group++) length += number.lengthOf(group)
  if (length >= addressDigitsMin || text.startsWith('192.168.', start)) return false
  return !addressName.test(text.slice(Math.max(0, start - contextLength), start))
}

const addressDigitsMin = 9
const addressName = /(?:^|[^a-z])(?:ips?|ipv4|addr|address(?:es)?|hosts?|src|dst|subnets?)[/_-]$/i

export const ipv6Address: Detector = {
  entity,
  group,
  triggers: [':'],
  next: characterClass('0-9A-Fa-f:'),
  find(probe, at) {
    const start = groupStart(probe.units, at)
    const isLabelled = probe.before(start) === colon
    if (!(isLabelled ? isAfterLabel(probe.units, start - 1) : mayBegin(probe, start))) return
    probe.startsAt(start)
    if (start === at && probe.code(at + 1) !== colon) return
    const end = trimDots(probe.text, start, probe.runEnd(start, addressCharacters, lengthMax + 1))
    if (end - start > lengthMax || !endsWord(probe, end)) return
    if (!mayBeIpv6(probe.text, start, end)) return
    const address = probe.text.slice(start, end)
    if (address === '::' ? isUnspecified(probe, start, end) : isIPv6(address) && isPlausible(address, isLabelled))
      probe.accept(ipv6Address, start, prefixEnd(probe, zoneEnd(probe, end)), false)
  },
  tailStart: groupStart,
}

/** Not the middle of a word, or of something else with dots. */
function mayBegin(probe: Probe, start: number): boolean {
  return probe.before(start) !== 46 && startsValue(probe, start)
}

/** `ip:`, `mailto:`, and `a:`, of which nothing shows that it is no group: not a later colon of the same run. */
function isAfterLabel(units: Uint16Array, at: number): boolean {
  const word = groupStart(units, at)
  const previous = word > 0 ? (units[word - 1] as number) : -1
  return previous !== colon && previous !== 46
}

/** Two colons together, or six at least; times of day have fewer. */
function mayBeIpv6(text: string, start: number, end: number): boolean {
  let colons = 0
  for (let i = start; i < end; i++) {
    if (text.charCodeAt(i) !== colon) continue
    colons++
    if (i + 1 < end && text.charCodeAt(i + 1) === colon) return true
  }
  return colons > 5
}

/** The start of the up to four hexadecimal digits that end at `end`. */
function groupStart(units: Uint16Array, end: number): number {
  return runStart(units, end, 4, hexadecimals)
}

/** `::` is an operator in many languages: a prefix's length must follow it, or such a word stand before it. */
function isUnspecified(probe: Probe, start: number, end: number): boolean {
  if (probe.code(end) === 47 && isDigit(probe.code(end + 1))) return true
  return addressContext.test(probe.text.slice(Math.max(0, start - contextLength), start))
}

/** A full stop or a colon after an address belongs to the sentence; `::` at the end does not. */
function trimDots(text: string, start: number, from: number): number {
  let end = from
  while (end > start && text[end - 1] === '.') end--
  return text[end - 1] === ':' && text[end - 2] !== ':' ? end - 1 : end
}

/**
 * Compressed forms must look like an assigned range, or `a::b` in source code would be one, and so must what stands behind a
 * colon, or the later groups of a longer list would be one; bytes are not groups.
 */
function isPlausible(address: string, isLabelled: boolean): boolean {
  if (!isLabelled && !address.includes('::')) return address.split(':').some((part) => part.length !== 2)
  return /^(?:[23][0-9a-f]{3}:|f[cdef][0-9a-f]{2}:|64:ff9b:|::1$|::(?:ffff:)?(?:0:)?\d{1,3}\.)/i.test(address)
}
