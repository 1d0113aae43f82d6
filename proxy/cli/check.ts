// Owns `gatewright check`: parse, compile and lint, and look for the secrets, without opening anything else.
import { dirname } from 'node:path'
import { Command, Option } from 'commander'
import { compileConfig } from '../config/compile.ts'
import { loadConfig } from '../config/load.ts'
import type { LocatedProblem } from '../config/locate.ts'
import { report, type ReportFormat } from '../config/report.ts'
import { secretProblems, secretResolver } from '../config/secrets.ts'
import { CommandError } from './command-error.ts'
import { filesBelow } from './files.ts'

export function checkCommand(): Command {
  return new Command('check')
    .description(
      'parse, compile and lint configurations: each file named, and each file of a folder, or the folder as one where its files are parts',
    )
    .argument('<paths...>', 'files, or folders and those below them')
    .addOption(
      new Option('-o, --format <format>', 'text, json or github').choices(['text', 'json', 'github']).default('text'),
    )
    .option('--merge', 'check all paths as the one configuration that `serve --config` would make of them')
    .option('--strict', 'warnings count as findings; secrets, absent where a pipeline runs, are left to --secrets')
    .option('--secrets', 'look for the secrets that the configuration names (the default without --strict)')
    .option('--no-secrets', 'do not look for them')
    .action((paths: string[], options: Options) => {
      // Looked for in both ways: a path that is not there is a wrong call.
      const files = paths.flatMap((path) => filesBelow(path, configFile))
      const units = options.merge === true ? [paths] : paths.flatMap(unitsOf)
      if (files.length === 0) throw new CommandError(`no configuration file (.yaml) in ${paths.join(', ')}`, 2)
      const secrets = options.secrets ?? options.strict !== true
      const problems = units.flatMap((unit) => [...checkPaths(unit), ...(secrets ? absentSecrets(unit) : [])])
      const failed = problems.some((problem) => options.strict === true || problem.severity === 'error')
      process.exitCode = failed ? 1 : 0
      process.stdout.write(report(problems, options.format))
      if (!failed && options.format === 'text')
        process.stdout.write(`${units.length} ${units.length === 1 ? 'configuration is' : 'configurations are'} good\n`)
    })
}

type Options = {
  readonly format: ReportFormat
  readonly merge?: true
  readonly strict?: true
  readonly secrets?: boolean
}

/** What is checked by itself: a file that is named, and of folders what stands in each. */
function unitsOf(path: string): string[][] {
  const folders = Map.groupBy(filesBelow(path, configFile), dirname)
  return [...folders].flatMap(([folder, files]) => {
    const apart = files.map((file) => [file])
    return files.length === 1 || isApart(folder, apart) ? apart : [[folder]]
  })
}

/** No folder says whether its files are independent, or parts of what `serve --config` merges: less is wrong as it is meant. */
function isApart(folder: string, apart: readonly (readonly string[])[]): boolean {
  const errors = errorsOf(apart)
  return errors === 0 || errors < errorsOf([[folder]])
}

function errorsOf(units: readonly (readonly string[])[]): number {
  return units.flatMap((unit) => checkPaths(unit)).filter(({ severity }) => severity === 'error').length
}

/** What is wrong with the configuration that these paths merge to, wherever it may run; warnings included. */
export function checkPaths(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly LocatedProblem[] {
  const loaded = loadConfig([...paths], env)
  if (!loaded.ok) return loaded.problems
  const compiled = compileConfig(loaded, Date.now())
  return compiled.ok ? compiled.warnings : compiled.problems
}

/** The secrets that it would not find here. None where it cannot be read at all: `checkPaths` says why. */
function absentSecrets(paths: readonly string[]): readonly LocatedProblem[] {
  const loaded = loadConfig([...paths], process.env)
  if (!loaded.ok) return []
  return secretProblems(loaded.document, secretResolver(process.env, process.cwd()), 'warning').map(loaded.locate)
}

/** Test suites are not configurations. */
const configFile = /(?<!\.test)\.ya?ml$/
