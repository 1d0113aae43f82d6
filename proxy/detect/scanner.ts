// Owns scanners: one for each set of entities, which remembers the texts that it has seen. It does not know what detectors
// look for, nor what happens to findings.
import { ownText } from '../lib/own-text.ts'
import { Recent } from '../lib/recent.ts'
import { detectors } from './detectors.ts'
import type { Detector } from './detector.ts'
import type { Finding } from './finding.ts'
import type { Mattering } from './overlap.ts'
import { Readings, type PartialScan } from './readings.ts'

export type Scanner = {
  readonly entities: ReadonlySet<string>
  /** Findings sorted by start, without overlaps. Synchronous and not re-entrant. */
  readonly scan: (text: string) => readonly Finding[]
  /**
   * Scans `text` from `from` on, the `scannedTo` of the scan before (or its `decidedTo`), with what that one carried. What is
   * decided up to `decidedFrom` (absent: up to `from`) is not given again.
   */
  readonly scanPart: (text: string, from: number, final: boolean, carried?: string, decidedFrom?: number) => PartialScan
  /** How long what stands under a name may be for the name to tell what it is; mostly 0. */
  readonly toldBy: (name: string) => number
  /** Undefined: everything that is found does. */
  readonly matters?: Mattering | undefined
  /** Finds what `scanPart` does not, and nothing is done about. */
  readonly watched?: Scanner | undefined
}

/** By the table that the detectors come from: the built-in one, or that of a configuration. */
const scanners = new WeakMap<readonly Detector[], Map<string, Scanner>>()
const nothing: readonly Finding[] = []

/** Agents send their whole conversation with every turn, so most texts come again. */
const seenCharactersMax = 1024 * 1024
/** Below this a scan is as quick as a lookup. */
const seenLengthMin = 24
/** The same few in every document. */
const namesMax = 1000
const nameLengthMax = 64

/**
 * Unknown names are ignored: `compileRedaction` has reported them. One scanner per set of entities, unless what is found
 * matters to somebody in a way of his own.
 */
export function compileScanner(
  entities: ReadonlySet<string>,
  table: readonly Detector[] = detectors,
  matters?: Mattering,
): Scanner {
  const chosen = table.filter((d) => entities.has(d.entity))
  if (matters !== undefined) return newScanner(chosen, matters)
  const key = [...new Set(chosen.map((d) => d.entity))].join(' ')
  const known = scanners.get(table) ?? new Map<string, Scanner>()
  scanners.set(table, known)
  let scanner = known.get(key)
  if (scanner === undefined) {
    scanner = chosen.length === 0 ? emptyScanner : newScanner(chosen)
    known.set(key, scanner)
  }
  return scanner
}

const emptyScanner: Scanner = {
  entities: new Set(),
  toldBy: () => 0,
  scan: () => nothing,
  scanPart: (text) => ({ findings: nothing, decidedTo: text.length }),
}

function newScanner(chosen: readonly Detector[], matters?: Mattering): Scanner {
  const readings = new Readings(chosen, matters)
  const seen = new Recent<readonly Finding[]>(seenCharactersMax)
  const names = new Map<string, number>()
  return {
    entities: new Set(chosen.map((d) => d.entity)),
    matters,
    toldBy: (name) => {
      let length = name.length > nameLengthMax ? 0 : names.get(name)
      if (length === undefined) {
        if (names.size === namesMax) names.clear()
        length = readings.toldBy(name)
        names.set(ownText(name), length)
      }
      return length
    },
    scan: (text) => {
      if (text.length < seenLengthMin) return readings.scan(text)
      let findings = seen.get(text)
      if (findings === undefined) {
        findings = readings.scan(text)
        seen.set(text, findings)
      }
      return findings
    },
    scanPart: (text, from, final, carried, decidedFrom = from) =>
      readings.scanPart(text, from, final, carried, decidedFrom),
  }
}
