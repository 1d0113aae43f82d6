// Owns what a prompt can make the demo model do: `demo: <word> <argument>` anywhere in the last message, to the end of
// its line; for the tool the same in the header `x-demo` or the query parameter `demo`. Several may stand together.
//
//   say TEXT · echo · events N · call TOOL {JSON} · slow 50ms (between events) · delay 2s (before the answer)
//   fail STATUS [times N] [retry-after S] · stall [N] · break [N] · error [N] (after N events) · garbage
import { parseDuration } from '../lib/units.ts'

export type Switches = {
  readonly say?: string
  readonly echo?: true
  readonly events?: number
  readonly calls: readonly ToolRequest[]
  readonly slowMs?: number
  readonly delayMs?: number
  readonly fail?: { readonly status: number; readonly times: number; readonly retryAfter?: string }
  /** The number of events that go out before it happens; `stall` without a number does not even send a head. */
  readonly stall?: number | 'before-head'
  readonly break?: number | 'middle'
  readonly error?: number | 'middle'
  readonly garbage?: true
}

export type ToolRequest = { readonly name: string; readonly args: string }

export function readSwitches(text: string): Switches {
  const switches: { -readonly [key in keyof Switches]: Switches[key] } & { calls: ToolRequest[] } = { calls: [] }
  for (const [, word = '', rest = ''] of text.matchAll(switchRegExp)) {
    const argument = rest.trim()
    if (word === 'say') switches.say = argument
    else if (word === 'echo') switches.echo = true
    else if (word === 'events') switches.events = Math.min(Number.parseInt(argument, 10) || 1, eventsMax)
    else if (word === 'call') switches.calls.push(...readCalls(`call ${argument}`))
    else if (word === 'slow') switches.slowMs = parseDuration(argument) ?? 50
    else if (word === 'delay') switches.delayMs = parseDuration(argument) ?? 1000
    else if (word === 'fail') switches.fail = readFailure(argument)
    else if (word === 'stall') switches.stall = /^\d+/.test(argument) ? Number.parseInt(argument, 10) : 'before-head'
    else if (word === 'break' || word === 'error')
      switches[word] = /^\d+/.test(argument) ? Number.parseInt(argument, 10) : 'middle'
    else if (word === 'garbage') switches.garbage = true
  }
  return switches
}

/** `call delete_issue {"id": 7}`, each on a line of its own; without arguments `{}` is meant. */
export function readCalls(text: string): ToolRequest[] {
  return [...text.matchAll(callRegExp)].map(([, name = '', args = '{}']) => ({ name, args }))
}

/** The text without its switches, so that an echo is what the user wrote. */
export function withoutSwitches(text: string): string {
  return text
    .replaceAll(/demo: *echo\b */g, '')
    .replaceAll(switchRegExp, '')
    .trim()
}

/** A text in pieces of uneven length, never within a character: a value seldom falls into one piece. */
export function unevenPieces(text: string): string[] {
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let at = 0, i = 0; at < characters.length; i++) {
    const length = pieceLengths[i % pieceLengths.length] ?? 1
    pieces.push(characters.slice(at, at + length).join(''))
    at += length
  }
  return pieces
}

const switchRegExp = /demo: *([a-z]+)([^\n]*)/g
const callRegExp = /\bcall ([A-Za-z0-9_./-]{1,128})(?: *(\{[^\n]*\}))?/g
const eventsMax = 100_000
const pieceLengths = [3, 1, 4, 1, 5, 9, 2, 6]

function readFailure(argument: string): NonNullable<Switches['fail']> {
  const status = Number.parseInt(argument, 10)
  const times = /\btimes (\d+)/.exec(argument)?.[1]
  const retryAfter = /\bretry-after (\d+)/.exec(argument)?.[1]
  return {
    status: status >= 400 && status <= 599 ? status : 500,
    times: times === undefined ? Number.POSITIVE_INFINITY : Number(times),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}
