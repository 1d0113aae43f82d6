// Owns `gatewright explain`: what the policy makes of one request, rule by rule.
import { Command } from 'commander'
import type { Fault } from '../errors.ts'
import { explain, type Explanation, type RuleExplanation } from '../policy/explain.ts'
import { runCase } from '../policy/suite.ts'
import type { Query } from '../policy/query.ts'
import { readCase } from './cases.ts'
import { CommandError } from './command-error.ts'
import { compileOrFail, judgeRequest, principalIn } from './judging.ts'
import { collect, outputOption, printJson, styled, type OutputFormat } from './output.ts'

type Options = { readonly config: readonly string[]; readonly request: string; readonly output: OutputFormat }

export function explainCommand(): Command {
  return new Command('explain')
    .description('every rule: what matched, what did not and why')
    .requiredOption('-c, --config <path>', 'the configuration; several merge in order', collect)
    .requiredOption(
      '-r, --request <file>',
      'YAML or JSON: principal and action, or principal and request, as in a policy test; - is standard input',
    )
    .addOption(outputOption())
    .action(async ({ config: paths, request, output }: Options) => {
      const config = compileOrFail(paths)
      const asked = await readCase(request, config.catalogue)
      const queries: Query[] = []
      // A case runs as it would in a suite; what is kept is what the policy was asked.
      const result = await runCase(config.policy, asked, {
        findPrincipal: (id) => principalIn(config, id),
        judgeRequest: async (written, circumstances) => {
          const judged = await judgeRequest(config, written, circumstances)
          if ('failure' in judged) return judged
          queries.push(...judged.queries)
          if (judged.decision === undefined)
            throw new CommandError(`the request is refused before any rule is asked: ${saidOf(judged.fault)}`, 1)
          if (judged.fault !== undefined) process.stderr.write(`refused: ${saidOf(judged.fault)}\n`)
          return { decision: judged.decision, redactions: judged.redactions }
        },
      })
      if (result.query !== undefined) queries.push(result.query)
      if (queries.length === 0) throw new CommandError(result.failures.join('; '), 1)
      const explanations = queries.map((query) => ({ action: query.action, ...explain(config.policy, query) }))
      if (output === 'json') printJson(explanations)
      else for (const explanation of explanations) print(explanation)
    })
}

function saidOf(fault: Fault | undefined): string {
  return fault === undefined ? 'nothing was decided' : `${fault.code}: ${fault.message}`
}

function print({ action, decision, rules }: Explanation & { readonly action: Query['action'] }): void {
  const by = decision.rule === undefined ? 'the default' : `rule ${decision.rule}`
  process.stdout.write(
    `${action.type}: ${styled(decision.effect === 'allow' ? 'green' : 'red', decision.effect)} by ${by}: ${decision.reason}\n`,
  )
  if (decision.shadow !== undefined)
    process.stdout.write(
      `  were shadow rules enforced: ${decision.shadow.effect} (${decision.shadow.rule ?? 'default'})\n`,
    )
  for (const rule of rules) printRule(rule)
}

function printRule({ rule, effect, mode, result, note, conditions }: RuleExplanation): void {
  const shadow = mode === 'shadow' ? ', shadow' : ''
  process.stdout.write(
    `\n${styled('bold', rule)} (${effect}${shadow}): ${result}${note === undefined ? '' : `; ${note}`}\n`,
  )
  for (const { condition, result: holds, looked, why } of conditions) {
    const mark = holds === 'matched' ? '+' : holds === 'unknown' ? '?' : '-'
    process.stdout.write(`  ${mark} ${condition}: ${looked}${why === undefined ? '' : `; ${why}`}\n`)
  }
}
