// Owns what is known of a detector that another process runs: what it is asked for, what its findings are called here,
// and what becomes of an exchange when it does not answer. How it is reached and what it speaks stand elsewhere.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { parseDuration } from '../lib/units.ts'
import { allowProblems, compileAllow, type Allowed } from './allow.ts'
import type { DetectorOptions } from './detector-options.ts'
import type { EntityGroup } from './finding.ts'

export type External = {
  readonly id: string
  readonly group: EntityGroup
  /** Their name → the entity here. */
  readonly entities: ReadonlyMap<string, string>
  readonly language: string
  readonly scoreThreshold: number
  readonly timeoutMs: number
  readonly batch: number
  readonly onError: 'deny' | 'allow'
  readonly onStream: 'deny' | 'hold' | 'skip'
  readonly allowed: Allowed
}

const timeoutMsDefault = 500
/** Somebody is waiting for the answer. */
const timeoutMsMax = 24 * 3_600_000

/** Nothing is noted in `problems` for names that are taken: the caller knows all names. */
export function compileExternal(options: DetectorOptions, path: Path, problems: Problem[]): External {
  const { id, entities = [], timeout } = options
  if (options.protocol === undefined)
    problems.push({
      path,
      message: 'an external detector needs a protocol',
      hint: 'protocol: presidio',
      severity: 'error',
    })
  const pairs = Array.isArray(entities)
    ? entities.map((name: string): [string, string] => [name, name.toLowerCase().replaceAll('_', '-')])
    : Object.entries(entities as Readonly<Record<string, string>>)
  if (pairs.length === 0)
    problems.push({
      path,
      message: 'an external detector needs the entities that it is asked for',
      hint: 'entities: [PERSON, LOCATION]',
      severity: 'error',
    })
  problems.push(...allowProblems(options.allow, path))
  const timeoutMs = timeout === undefined ? timeoutMsDefault : parseDuration(timeout)
  if (timeoutMs === undefined || timeoutMs < 1 || timeoutMs > timeoutMsMax)
    problems.push({ path: [...path, 'timeout'], message: 'the timeout must be from 1ms to 24h', severity: 'error' })
  return {
    id,
    group: options.group ?? 'pii',
    entities: new Map(pairs),
    language: options.language ?? 'en',
    scoreThreshold: options.scoreThreshold ?? 0.5,
    timeoutMs: timeoutMs ?? timeoutMsDefault,
    batch: options.batch ?? 1,
    onError: options.onError ?? 'deny',
    onStream: options.onStream ?? 'deny',
    allowed: compileAllow(options.allow ?? []),
  }
}
