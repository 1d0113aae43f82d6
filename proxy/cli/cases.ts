// Owns the reading of written cases, for `test` and `explain`: the file, its shape, and the names in it that the policy
// folder cannot know. It says where in the file something is wrong; it runs nothing.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadYaml } from '../config/load-yaml.ts'
import {
  locateProblem,
  nodeAt,
  plainValue,
  positionOf,
  type LocatedMap,
  type LocatedProblem,
} from '../config/locate.ts'
import { report } from '../config/report.ts'
import type { Catalogue } from '../detect/catalogue.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { parseSuite, type Case } from '../policy/suite.ts'
import { CommandError } from './command-error.ts'
import { readInput, whyUnreadable } from './files.ts'

export type WrittenCase = {
  /** Its place in the list where it has no name. */
  readonly name: string
  readonly line: number
  readonly column: number
  /** Absent where its shape is wrong. */
  readonly test?: Case
  /** What is wrong with it. Names can be checked once it is known what can be detected under the policy. */
  problems(catalogue: Catalogue): readonly LocatedProblem[]
}

/** `policy` is the path of the policy under test. */
export type WrittenSuite = { readonly policy: string; readonly cases: readonly WrittenCase[] }

/** A `*.test.yaml`. Ends the command with 1 where it is not one; what is wrong within a case is left to the case. */
export async function readSuite(file: string): Promise<WrittenSuite> {
  const root = await readRoot(file, 1)
  const value: unknown = plainValue(root)
  const { suite, problems } = parseSuite(value)
  const outside = problems.filter(({ path }) => caseIndex(path) === undefined)
  if (outside.length > 0) throw refusedAt(root, outside, 1)
  // Its shape is that of a suite, but for what is wrong within cases.
  const { policy, cases } = suite ?? (value as { policy: string; cases: readonly (Partial<Case> | null)[] })
  const path = join(dirname(file), policy)
  if (!existsSync(path)) {
    const missing = { path: ['policy'], message: `the policy ${path} does not exist`, severity: 'error' } as const
    throw refusedAt(root, [missing], 1)
  }
  const wrong = Map.groupBy(problems, (problem) => caseIndex(problem.path))
  return { policy: path, cases: cases.map((one, at) => writtenCase(root, one, at, wrong.get(at) ?? [])) }
}

function writtenCase(root: LocatedMap, one: Partial<Case> | null, at: number, wrong: readonly Problem[]): WrittenCase {
  const node = nodeAt(root, ['cases', at]) ?? root
  const name = typeof one?.name === 'string' && one.name !== '' ? one.name : `cases[${at}]`
  const place = { name, ...positionOf(node.at.source, node.at.start) }
  if (wrong.length > 0) return { ...place, problems: () => wrong.map((problem) => locateProblem(root, problem)) }
  const test = one as Case
  return {
    ...place,
    test,
    problems: (catalogue) =>
      unknownEntities(test, ['cases', at], catalogue).map((problem) => locateProblem(root, problem)),
  }
}

/** Undefined: the problem is not within a case. */
function caseIndex([list, index]: Path): number | undefined {
  return list === 'cases' && typeof index === 'number' ? index : undefined
}

/** One case alone: principal and action or request; `-` is standard input. Ends the command with 2 where it is not one. */
export async function readCase(file: string, catalogue: Catalogue): Promise<Case> {
  const root = await readRoot(file, 2)
  const written = plainValue(root) as object
  const cases = [{ name: 'case', expect: { effect: 'allow' }, ...written }]
  const { suite, problems } = parseSuite({ policy: 'none', cases })
  const [only] = suite?.cases ?? []
  const wrong = only === undefined ? problems : unknownEntities(only, ['cases', 0], catalogue)
  // Two steps of each path stand outside the file.
  const inFile = wrong.map((problem) => ({ ...problem, path: problem.path.slice(2) }))
  if (only === undefined || wrong.length > 0) throw refusedAt(root, inFile, 2)
  return only
}

async function readRoot(file: string, exitCode: number): Promise<LocatedMap> {
  let text: string
  try {
    text = (await readInput(file)).toString()
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${whyUnreadable(error)}`, exitCode)
  }
  const parsed = loadYaml(file, text)
  if (parsed.ok) return parsed.root
  throw refused(parsed.problems, exitCode)
}

function refusedAt(root: LocatedMap, problems: readonly Problem[], exitCode: number): CommandError {
  const located = problems.map((problem) => locateProblem(root, problem))
  return refused(located, exitCode)
}

function refused(problems: readonly LocatedProblem[], exitCode: number): CommandError {
  return new CommandError(`the case file is refused\n${report(problems, 'text')}`.trimEnd(), exitCode)
}

/** A misspelt entity would be found nowhere, and the case would pass for the wrong reason. */
function unknownEntities({ findings, expect }: Case, path: Path, { groups, hint: hintFor }: Catalogue): Problem[] {
  const check = (counts: Readonly<Record<string, number>>, at: Path): Problem[] =>
    Object.keys(counts).flatMap((name): Problem[] => {
      if (groups.has(name)) return []
      const members = [...groups].flatMap(([entity, group]) => (group === name ? [entity] : []))
      const [message, hint] =
        members.length === 0
          ? [`unknown entity "${name}"`, hintFor(name)]
          : [`"${name}" is a group; what is found is one of its entities`, `one of ${members.join(', ')}`]
      return [{ path: [...at, name], message, hint, severity: 'error', atKey: true }]
    })
  return [
    ...(findings === undefined || findings === 'unknown' ? [] : check(findings, [...path, 'findings'])),
    ...check(expect.redactions ?? {}, [...path, 'expect', 'redactions']),
  ]
}
