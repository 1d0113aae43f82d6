// Owns `gatewright check`: parse, compile and lint, without opening anything.
import { Command, Option } from 'commander'
import { compileConfig } from '../config/compile.ts'
import { loadConfig } from '../config/load.ts'
import type { LocatedProblem } from '../config/locate.ts'
import { report, type ReportFormat } from '../config/report.ts'
import { CommandError } from './command-error.ts'
import { filesBelow } from './files.ts'

export function checkCommand(): Command {
  return new Command('check')
    .description(
      'parse, compile and lint configurations; each file named, and each file of a folder of independent ones',
    )
    .argument('<paths...>', 'files, or folders: a folder of files with routes of their own is checked file by file')
    .addOption(
      new Option('--format <format>', 'text, json or github').choices(['text', 'json', 'github']).default('text'),
    )
    .option('--merge', 'check all paths as the one configuration that `serve --config` would make of them')
    .option('--strict', 'warnings count as findings')
    .action((paths: string[], options: { format: ReportFormat; merge?: true; strict?: true }) => {
      const units =
        options.merge === true ? [paths] : paths.flatMap((path) => filesBelow(path, configFile)).map((file) => [file])
      if (units.length === 0) throw new CommandError('no configuration file there', 2)
      const problems = units.flatMap((unit) => checkPaths(unit))
      process.stdout.write(report(problems, options.format))
      const failed = problems.some((problem) => options.strict === true || problem.severity === 'error')
      process.exitCode = failed ? 1 : 0
      if (!failed && options.format === 'text')
        process.stdout.write(`${units.length} ${units.length === 1 ? 'configuration is' : 'configurations are'} good\n`)
    })
}

/** Everything that is wrong with the configuration that these paths merge to; warnings included. */
export function checkPaths(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): readonly LocatedProblem[] {
  const loaded = loadConfig([...paths], env)
  if (!loaded.ok) return loaded.problems
  const compiled = compileConfig(loaded, Date.now())
  return compiled.ok ? compiled.warnings : compiled.problems
}

/** Test suites are not configurations. */
const configFile = /(?<!\.test)\.ya?ml$/
