// Owns the timing of scans on one core, each of a text that was not scanned before, and of how much a window holds back.
import { detectors } from '../../proxy/detect/detectors.ts'
import { compileRedaction } from '../../proxy/detect/redaction.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { entitiesOf, groupNames } from '../../proxy/detect/entities.ts'
import { compileScanner } from '../../proxy/detect/scanner.ts'
import { hostile, seeded, sentence, textOf, type Random } from './texts.ts'

const documentLength = 200_000
const promptLength = 4_000
const scanner = compileScanner(entitiesOf(groupNames))

type Kind = {
  readonly name: string
  readonly length: number
  readonly texts: number
  readonly make: (random: Random, length: number) => string
  readonly goal?: { readonly mbPerSecond: number } | { readonly ms: number }
}

const kinds: readonly Kind[] = [
  {
    name: 'prompt, 4 KB: prose, 5 % look-alikes, 2 % personal',
    length: promptLength,
    texts: 3000,
    make: (random, length) => textOf(random, length, { lookAlike: 0.05, personal: 0.02 }),
    goal: { ms: 0.1 },
  },
  {
    name: 'document, 200 KB: 30 % look-alikes, 3 % personal',
    length: documentLength,
    texts: 100,
    make: (random, length) => textOf(random, length, { lookAlike: 0.3, personal: 0.03 }),
    goal: { mbPerSecond: 60 },
  },
  {
    name: 'prose, 200 KB',
    length: documentLength,
    texts: 100,
    make: (random, length) => textOf(random, length, { lookAlike: 0, personal: 0 }),
  },
  {
    name: 'prose in two-byte strings, 200 KB',
    length: documentLength,
    texts: 100,
    make: (random, length) => `“${textOf(random, length - 2, { lookAlike: 0, personal: 0 })}”`,
  },
  {
    name: 'dense, 200 KB: half look-alikes, half personal',
    length: documentLength,
    texts: 60,
    make: (random, length) => textOf(random, length, { lookAlike: 0.5, personal: 0.5 }),
  },
]

export function speedLines(): string[] {
  const lines = kinds.map(({ name, length, texts, make, goal }) => {
    const ms = typicalMs(texts, (random) => make(random, length))
    const mbPerSecond = length / 1000 / ms
    const isMet = goal === undefined || ('ms' in goal ? ms <= goal.ms : mbPerSecond >= goal.mbPerSecond)
    const wanted = goal === undefined ? '' : 'ms' in goal ? `≤ ${goal.ms} ms` : `≥ ${goal.mbPerSecond} MB/s`
    return `| ${name} | ${ms.toFixed(3)} | ${mbPerSecond.toFixed(0)} | ${wanted} | ${goal === undefined ? '' : isMet ? 'met' : '**missed**'} |`
  })
  return ['| text | ms | MB/s | goal | |', '| :-- | --: | --: | --: | --: |', ...lines]
}

const hostileMsMax = 20

/** Beside the time, how it grows: four and eight times the text must take about as many times as long. */
export function hostileLines(): string[] {
  const kinds = [...hostile, slowestTrigger()]
  const lines = kinds.map(([name, unit]) => {
    const ms = typicalMs(16, (random) => repeated(unit, random, documentLength))
    const [quarter = 0, whole = 0, double = 0] = [documentLength / 4, documentLength, 2 * documentLength].map(
      (length) => leastMs(6, (random) => repeated(unit, random, length)),
    )
    const growth = `${(whole / quarter).toFixed(1)} | ${(double / quarter).toFixed(1)}`
    return `| ${name} | ${ms.toFixed(2)} | ${ms <= hostileMsMax ? 'met' : '**missed**'} | ${growth} |`
  })
  return [
    `| 200 KB of | ms | ≤ ${hostileMsMax} ms | 200 KB / 50 KB | 400 KB / 50 KB |`,
    '| :-- | --: | --: | --: | --: |',
    ...lines,
  ]
}

type Hostile = (typeof hostile)[number]

/** Of all that wakes a detector, by itself. */
function slowestTrigger(): Hostile {
  const triggers = [...new Set(detectors.flatMap((one) => one.triggers ?? []))]
  const times = triggers.map((trigger) => leastMs(2, (random) => repeated(() => trigger, random, documentLength / 8)))
  const slowest = triggers[times.indexOf(Math.max(...times))] ?? ''
  return [`\`${slowest}\`, the slowest of ${triggers.length} triggers`, () => slowest]
}

function repeated(unit: Hostile[1], random: Random, length: number): string {
  const pieces: string[] = []
  for (let made = 0; made < length;) made += pieces[pieces.push(unit(random)) - 1]?.length ?? 0
  // A different beginning makes a text new where the unit is always the same.
  return `${random.fill('bbbbbbbb')} ${pieces.join('')}`.slice(0, length)
}

/** Of a few scans the quickest, which others on the machine disturbed least. */
function leastMs(texts: number, make: (random: Random) => string): number {
  const random = seeded(6)
  let least = Infinity
  for (let n = 0; n < texts; n++) {
    const text = JSON.parse(JSON.stringify(make(random))) as string
    const from = performance.now()
    scanner.scan(text)
    least = Math.min(least, performance.now() - from)
  }
  return least
}

const rounds = 4
const roundsMax = 40
/** What V8 has not compiled yet is slow, on a slow machine for long. */
const isQuicker = (ms: number, least: number): boolean => ms < 0.98 * least

/**
 * The time of one scan: texts are scanned in rounds until four in a row are no quicker than those before, and of the means
 * of the rounds it is the least, for whatever else the machine does only adds.
 */
function typicalMs(texts: number, make: (random: Random) => string): number {
  const random = seeded(4)
  const round = Math.ceil(texts / rounds)
  const all = Array.from({ length: texts + round }, () => JSON.stringify(make(random)))
  let least = Infinity
  for (let turn = 0, still = 0; still < rounds && turn < roundsMax; turn++) {
    // As a parser of JSON gives them, not put together of pieces. The scanner has forgotten them since.
    const some = Array.from(
      { length: round },
      (_, at) => JSON.parse(all[(turn * round + at) % all.length] ?? '') as string,
    )
    const from = performance.now()
    for (const text of some) scanner.scan(text)
    const ms = (performance.now() - from) / round
    still = isQuicker(ms, least) ? 0 : still + 1
    least = Math.min(least, ms)
  }
  return least
}

/** Characters that wait in a window after each piece of prose has come. */
export function holdLines(): string[] {
  const random = seeded(5)
  const { redaction } = compileRedaction(
    [{ id: 'bench', direction: 'response', detect: [...groupNames], action: 'mask' }],
    [],
  )
  const plan = redaction?.plan('response', '', '')
  let held = 0
  let heldMax = 0
  let pieces = 0
  for (let n = 0; n < 200; n++) {
    const window = openWindow({ plan })
    const prose = Array.from({ length: 12 }, () => sentence(random)).join('')
    // Models speak in pieces of a few characters.
    for (const piece of prose.match(/[^]{1,4}|\s?\S{1,7}/g) ?? []) {
      window.push(piece)
      pieces++
      held += window.held
      heldMax = Math.max(heldMax, window.held)
    }
    window.end()
  }
  const mean = held / pieces
  return [
    `Held back in streams of prose: ${mean.toFixed(1)} characters on average (goal: under 10, ${mean < 10 ? 'met' : '**missed**'}), ${heldMax} at most.`,
  ]
}
