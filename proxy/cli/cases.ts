// Owns the reading of written cases, for `test` and `explain`: the file, its shape, and the names in it that the policy
// folder cannot know. It says where in the file something is wrong; it runs nothing.
import { loadYaml } from '../config/load-yaml.ts'
import { locateProblem, plainValue, type LocatedMap, type LocatedProblem } from '../config/locate.ts'
import { report } from '../config/report.ts'
import type { Catalogue } from '../detect/catalogue.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { parseSuite, type Case, type Suite } from '../policy/suite.ts'
import { CommandError } from './command-error.ts'
import { readInput, whyUnreadable } from './files.ts'

/** Names can be checked once it is known what can be detected under the policy that the suite names. */
export type ReadSuite = { readonly suite: Suite; readonly checkNames: (catalogue: Catalogue) => void }

/** A `*.test.yaml`. Ends the command with 1 where it is not one. */
export async function readSuite(file: string): Promise<ReadSuite> {
  const root = await readRoot(file, 1)
  return shaped(root, plainValue(root), 0, 1)
}

/** One case alone: principal and action or request; `-` is standard input. Ends the command with 2 where it is not one. */
export async function readCase(file: string, catalogue: Catalogue): Promise<Case> {
  const root = await readRoot(file, 2)
  const written = plainValue(root) as object
  const cases = [{ name: 'case', expect: { effect: 'allow' }, ...written }]
  const { suite, checkNames } = shaped(root, { policy: 'none', cases }, 2, 2)
  checkNames(catalogue)
  const [only] = suite.cases
  if (only === undefined) throw new Error('a suite of one case has none')
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

/** `wrapping` steps of each path stand outside the file. */
function shaped(root: LocatedMap, value: unknown, wrapping: number, exitCode: number): ReadSuite {
  const refuse = (wrong: readonly Problem[]): CommandError => {
    const located = wrong.map((problem) => locateProblem(root, { ...problem, path: problem.path.slice(wrapping) }))
    return refused(located, exitCode)
  }
  const { suite, problems } = parseSuite(value)
  if (suite === undefined) throw refuse(problems)
  return {
    suite,
    checkNames(catalogue) {
      const wrong = suite.cases.flatMap((one, i) => unknownEntities(one, ['cases', i], catalogue))
      if (wrong.length > 0) throw refuse(wrong)
    },
  }
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
