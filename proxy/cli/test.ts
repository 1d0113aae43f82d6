// Owns `gatewright test`: runs the suites beside the policies and says which rules no case reached.
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { Command } from 'commander'
import type { CompiledConfig } from '../config/compile.ts'
import type { Decision } from '../policy/decision.ts'
import { coverage, runCase, type CaseRequest, type CaseResult, type Circumstances } from '../policy/suite.ts'
import type { Query } from '../policy/query.ts'
import { readSuite } from './cases.ts'
import { CommandError } from './command-error.ts'
import { filesBelow } from './files.ts'
import { compileOrFail, judgeRequest } from './judging.ts'
import { limitsOn } from './limit-cases.ts'
import { outputOption, printJson, styled, type OutputFormat } from './output.ts'

type SuiteResult = {
  readonly file: string
  readonly policy: string
  readonly results: readonly CaseResult[]
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
      for (const file of files) suites.push(await runSuite(file))
      if (options.output === 'json') printJson(suites)
      else printSuites(suites)
      const failed = suites.some(
        ({ results, uncovered }) =>
          results.some(({ passed }) => !passed) || (options.requireCoverage === true && uncovered.length > 0),
      )
      process.exitCode = failed ? 1 : 0
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

async function runSuite(file: string): Promise<SuiteResult> {
  const { suite, checkNames } = await readSuite(file)
  const policyFile = join(dirname(file), suite.policy)
  const config = compileOrFail([policyFile])
  checkNames(config.catalogue)
  const deps = {
    judgeRequest: (request: CaseRequest, circumstances: Circumstances) => judged(config, request, circumstances),
    askLimits: (query: Query) => limitsOn(config, query),
  }
  const results: CaseResult[] = []
  for (const test of suite.cases) results.push(await runCase(config.policy, test, deps))
  return {
    file,
    policy: relative(process.cwd(), policyFile),
    results,
    uncovered: coverage(config.policy, results).uncovered,
  }
}

async function judged(
  config: CompiledConfig,
  request: CaseRequest,
  circumstances: Circumstances,
): Promise<{ decision: Decision; redactions: Readonly<Record<string, number>> }> {
  const { decision, redactions, fault } = await judgeRequest(config, request, circumstances)
  if (fault === undefined && decision !== undefined) return { decision, redactions }
  const rule = fault?.details.rule
  const refused: Decision = {
    effect: 'deny',
    ...(rule === undefined ? undefined : { rule }),
    reason: fault?.message ?? 'not decided',
    code: fault?.code ?? 'internal',
    matched: [],
    unevaluable: [],
  }
  return { decision: refused, redactions }
}

function printSuites(suites: readonly SuiteResult[]): void {
  let passed = 0
  let failed = 0
  for (const { file, results, uncovered } of suites) {
    process.stdout.write(`${file}\n`)
    for (const result of results) {
      process.stdout.write(`  ${result.passed ? styled('green', 'ok') : styled('red', 'FAILED')} ${result.name}\n`)
      for (const failure of result.failures) process.stdout.write(`       ${failure}\n`)
      if (!result.passed && result.decision !== undefined)
        process.stdout.write(`       decided: ${result.decision.reason}\n`)
      if (result.passed) passed += 1
      else failed += 1
    }
    if (uncovered.length > 0) process.stdout.write(`  rules that no case reaches: ${uncovered.join(', ')}\n`)
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
}
