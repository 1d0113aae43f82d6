// Owns the step from the `detectors:` section to a catalogue, and what is wrong with the section. It asks nobody
// anything.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { allowProblems, compileAllow } from './allow.ts'
import { catalogueOf, type Catalogue } from './catalogue.ts'
import { patternDetector } from './custom-pattern.ts'
import { wordDetectors } from './custom-words.ts'
import type { DetectorOptions, DetectorsOptions } from './detector-options.ts'
import type { Detector } from './detector.ts'
import { entityGroups, groupNames, packNames } from './entities.ts'
import type { EntityGroup } from './finding.ts'
import { compileExternal, type External } from './external.ts'
import { compilePattern, type PatternProblem } from './pattern.ts'
import { validators } from './validators.ts'

/** Of all words of all detectors: the states of one automaton are numbered. */
const wordCharactersMax = 16_000
const contextBeforeDefault = 40

/** A detector with something wrong is in the catalogue all the same, so that rules that name it are not wrong, too. */
export function compileDetectors(
  options: DetectorsOptions,
  path: Path,
): { readonly catalogue: Catalogue; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const own: Detector[] = []
  const externals: External[] = []
  options.forEach((one, index) => {
    const at = [...path, index]
    const kind = kindOf(one, at, problems)
    if (kind === 'url') externals.push(compileExternal(one, at, problems))
    else if (kind !== undefined) own.push(...compileOwn(one, kind, at, problems))
  })
  reportTaken(options, path, problems)
  reportWords(options, path, problems)
  return { catalogue: catalogueOf(own, externals), problems }
}

const kinds = ['words', 'pattern', 'url'] as const
type Kind = (typeof kinds)[number]

const optionsOf: Readonly<Record<Kind, ReadonlySet<string>>> = {
  words: new Set(['caseSensitive']),
  pattern: new Set(['context', 'contextBefore', 'validator']),
  url: new Set(
    'protocol entities language scoreThreshold timeout batch onError onStream credential breaker egress connections'.split(
      ' ',
    ),
  ),
}

/** An option of another kind would have no effect, and somebody would rely on it. */
function kindOf(options: DetectorOptions, path: Path, problems: Problem[]): Kind | undefined {
  const given = kinds.filter((kind) => options[kind] !== undefined)
  const [kind] = given
  if (kind === undefined || given.length > 1) {
    const message =
      kind === undefined
        ? 'a detector needs words, a pattern or a url'
        : `a detector has ${given.join(' or ')}, not both`
    problems.push({ path: [...path, ...given.slice(1, 2)], message, severity: 'error' })
    return undefined
  }
  for (const other of kinds) {
    if (other === kind) continue
    for (const key of Object.keys(options)) {
      if (!optionsOf[other].has(key)) continue
      const message = `"${key}" belongs to detectors with ${other}, and this one has ${kind}`
      problems.push({ path: [...path, key], atKey: true, message, severity: 'error' })
    }
  }
  return kind
}

function compileOwn(
  options: DetectorOptions,
  kind: 'words' | 'pattern',
  path: Path,
  problems: Problem[],
): readonly Detector[] {
  const { id: entity, group = 'pii' } = options
  problems.push(...allowProblems(options.allow, path))
  const allowed = compileAllow(options.allow ?? [])
  if (kind === 'words') {
    const isCaseSensitive = options.caseSensitive ?? false
    return wordDetectors({ entity, group, words: options.words ?? [], isCaseSensitive, allowed })
  }
  const pattern = compilePattern(options.pattern ?? '')
  if ('error' in pattern) {
    problems.push(problemOf(pattern, [...path, 'pattern']))
    return [nameOnly(entity, group)]
  }
  const validate = options.validator === undefined ? undefined : validators[options.validator]
  const context = (options.context ?? []).map((word) => word.toLowerCase())
  const contextBefore = options.contextBefore ?? contextBeforeDefault
  return [patternDetector({ entity, group, pattern, validate, context, contextBefore, allowed })]
}

function nameOnly(entity: string, group: EntityGroup): Detector {
  return { entity, group, find: () => undefined }
}

function problemOf({ error, hint, offset }: PatternProblem, path: Path): Problem {
  return { path, message: error, offset, severity: 'error', ...(hint === undefined ? undefined : { hint }) }
}

/** A name that means two things would find the wrong one. */
function reportTaken(options: DetectorsOptions, path: Path, problems: Problem[]): void {
  const taken = new Set<string>([...entityGroups.keys(), ...groupNames, ...packNames])
  options.forEach((one, index) => {
    const at = [...path, index]
    if (taken.has(one.id)) problems.push(takenProblem(one.id, [...at, 'id'], 'give it an id of its own'))
    taken.add(one.id)
    const { entities } = one
    if (one.url === undefined || entities === undefined) return
    const isList = Array.isArray(entities)
    for (const [name, entity] of Object.entries(entities as Readonly<Record<string, string>>)) {
      const called = isList ? entity.toLowerCase().replaceAll('_', '-') : entity
      const step = isList ? Number(name) : name
      const theirs = isList ? entity : name
      if (taken.has(called))
        problems.push(takenProblem(called, [...at, 'entities', step], `entities: { ${theirs}: ${one.id}-${called} }`))
      taken.add(called)
    }
  })
}

function takenProblem(name: string, path: Path, hint: string): Problem {
  return { path, message: `"${name}" is the name of something else that is detected`, hint, severity: 'error' }
}

function reportWords(options: DetectorsOptions, path: Path, problems: Problem[]): void {
  const count = options.reduce((sum, { words = [] }) => sum + words.reduce((all, word) => all + word.length, 0), 0)
  if (count <= wordCharactersMax) return
  const message = `the words of all detectors have ${count} characters, ${wordCharactersMax} are the most`
  problems.push({ path, message, hint: 'longer lists belong into an external detector', severity: 'error' })
}
