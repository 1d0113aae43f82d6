// Owns `gatewright test`: runs the suites beside the policies and says which rules no case reached.
import { existsSync } from 'node:fs'
import { basename, relative } from 'node:path'
import { Command } from 'commander'
import type { CompiledConfig } from '../config/compile.ts'
import { report } from '../config/report.ts'
import { coverage, runCase, type CaseResult, type SuiteDeps } from '../policy/suite.ts'
import { readSuite, type WrittenCase } from './cases.ts'
import { CommandError } from './command-error.ts'
import { filesBelow } from './files.ts'
import { compileOrFail, judgeRequest, principalIn } from './judging.ts'
import { limitsOn } from './limit-cases.ts'
import { outputOption, printJson, styled, type OutputFormat } from './output.ts'

type SuiteResult = {
  readonly file: string
  readonly policy: string
  /** Each with its place in the file. */
  readonly results: readonly (CaseResult & Pick<WrittenCase, 'line' | 'column'>)[]
  readonly uncovered: readonly string[]
}

export function testCommand(): Command {
  return new Command('test')
    .description('run *.test.yaml suites beside the policies')
    .argument('<paths...>', 'suites, policies with one beside them (x.test.yaml for x.yaml), or folders that hold some')
    .option('--require-coverage', 'a rule that no case reaches is a failure')
    .addOption(outputOption())
    .action(async (paths: string[], options: { requireCoverage?: true; output: OutputFormat }) => {
      const files = paths.flatMap((path) => filesBelow(path, suiteName)).map(suiteOf)
      // A misspelt path must not pass for a green run.
      if (files.length === 0) throw new CommandError(`no *.test.yaml file in ${paths.join(', ')}`, 2)
      const suites: SuiteResult[] = []
      for (const file of files) {
        const suite = await runUnlessRefused(file)
        if (suite !== undefined) suites.push(suite)
      }
      const refused = files.length - suites.length
      const failed = suites.some(
        ({ results, uncovered }) =>
          results.some(({ passed }) => !passed) || (options.requireCoverage === true && uncovered.length > 0),
      )
      process.exitCode = failed || refused > 0 ? 1 : 0
      if (options.output === 'json') printJson(suites)
      else printSuites(suites, refused)
    })
}

const suiteName = /\.test\.ya?ml$/

/** Of a policy the suite beside it. */
function suiteOf(file: string): string {
  if (suiteName.test(file)) return file
  const suites = ['yaml', 'yml'].map((ending) => file.replace(/(\.ya?ml)?$/, `.test.${ending}`))
  const suite = suites.find((one) => existsSync(one))
  if (suite === undefined) throw new CommandError(`${file} has no ${basename(suites[0] ?? '')} beside it`, 2)
  return suite
}

/** Undefined: it has been said why it cannot be run. The other suites have nothing to do with that. */
async function runUnlessRefused(file: string): Promise<SuiteResult | undefined> {
  try {
    return await runSuite(file)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    process.stderr.write(`gatewright: ${error.message}\n`)
    return undefined
  }
}

async function runSuite(file: string): Promise<SuiteResult> {
  const { policy, cases } = await readSuite(file)
  const config = compileOrFail([policy])
  const deps: SuiteDeps = {
    findPrincipal: (id) => principalIn(config, id),
    judgeRequest: (request, circumstances) => judgeRequest(config, request, circumstances),
    askLimits: (query) => limitsOn(config, query),
  }
  const results: SuiteResult['results'][number][] = []
  for (const written of cases) {
    const { line, column } = written
    results.push({ ...(await runWritten(written, config, deps)), line, column })
  }
  return {
    file,
    policy: relative(process.cwd(), policy),
    results,
    uncovered: coverage(config.policy, results).uncovered,
  }
}

function runWritten(written: WrittenCase, { catalogue, policy }: CompiledConfig, deps: SuiteDeps): Promise<CaseResult> {
  const { name, test } = written
  const problems = written.problems(catalogue)
  if (test !== undefined && problems.length === 0) return runCase(policy, test, deps)
  // A line for each, without the source.
  const lines = problems.map((problem) => report([{ ...problem, sourceLine: '' }], 'text').trimEnd())
  return Promise.resolve({ name, passed: false, failures: lines })
}

function printSuites(suites: readonly SuiteResult[], refused: number): void {
  let passed = 0
  let failed = 0
  for (const { file, results, uncovered } of suites) {
    process.stdout.write(`${file}\n`)
    for (const result of results) {
      const { line, column } = result
      process.stdout.write(
        result.passed
          ? `  ${styled('green', 'ok')} ${result.name}\n`
          : `  ${styled('red', 'FAILED')} ${result.name} (${file}:${line}:${column})\n`,
      )
      for (const failure of result.failures) process.stdout.write(`       ${failure}\n`)
      if (!result.passed && result.decision !== undefined)
        process.stdout.write(`       decided: ${result.decision.reason}\n`)
      if (result.passed) passed += 1
      else failed += 1
    }
    if (uncovered.length > 0) process.stdout.write(`  rules that no case reaches: ${uncovered.join(', ')}\n`)
  }
  const notRun = refused === 0 ? '' : `, ${refused} ${refused === 1 ? 'suite' : 'suites'} refused`
  process.stdout.write(`${passed} passed, ${failed} failed${notRun}\n`)
}
