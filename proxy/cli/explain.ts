// Owns `gatewright explain`: what the policy makes of one request, rule by rule.
import { Command } from 'commander'
import type { CompiledConfig } from '../config/compile.ts'
import type { Fault } from '../errors.ts'
import type { Judged, Judgement } from '../pipeline/judge.ts'
import type { Decision } from '../policy/decision.ts'
import { explain, type Explanation, type RuleExplanation } from '../policy/explain.ts'
import { runCase, type Case } from '../policy/suite.ts'
import type { Action } from '../policy/query.ts'
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
      const explanations = (await judgementsOf(config, asked)).map(({ query, question, decision, byRules }) => ({
        action: query.action,
        ...explain(config.policy, query, decision, question),
        ...(byRules === undefined ? undefined : { byRules }),
      }))
      if (output === 'json') printJson(explanations)
      else process.stdout.write(explanations.map(textOf).join('\n'))
    })
}

/** A case runs as it would in a suite; what is kept is what the policy was asked. */
async function judgementsOf(config: CompiledConfig, asked: Case): Promise<readonly Judgement[]> {
  let judged: Judged | undefined
  const { query, decision, failures } = await runCase(config.policy, asked, {
    findPrincipal: (id) => principalIn(config, id),
    judgeRequest: async (written, circumstances) => {
      const result = await judgeRequest(config, written, circumstances)
      if (!('failure' in result)) judged = result
      return result
    },
  })
  if (query !== undefined && decision !== undefined) return [{ query, question: 'now', decision }]
  if (judged === undefined) throw new CommandError(failures.join('; '), 1)
  const { judgements, fault } = judged
  if (judgements.length === 0)
    throw new CommandError(`the request is refused before any rule is asked: ${saidOf(fault)}`, 1)
  return judgements
}

function saidOf(fault: Fault | undefined): string {
  return fault === undefined ? 'nothing was decided' : `${fault.code}: ${fault.message}`
}

type Explained = Explanation & { readonly action: Action; readonly byRules?: Decision }

function textOf({ action, decision, byRules, rules, mayEver, calls }: Explained): string {
  const { shadow } = decision
  return [
    `${nameOf(action)}: ${verdictOf(decision)}\n`,
    byRules === undefined ? '' : `  the rules alone: ${verdictOf(byRules)}\n`,
    mayEver === undefined ? '' : `  ${mayEver ? 'some' : 'no'} ${action.type} ${mayEver ? 'may' : 'can'} be allowed\n`,
    shadow === undefined ? '' : `  were shadow rules enforced: ${shadow.effect} (${shadow.rule ?? 'default'})\n`,
    ...rules.map(ruleText),
    calls === undefined ? '' : '\n  no rule decides about the offer, so calls of the tool do:\n',
    ...(calls ?? []).map(ruleText),
  ].join('')
}

/** Tools are told apart by name, and what is called of a plain HTTP one by its path. */
function nameOf({ type, tool, method, path }: Action): string {
  return [type, tool, method, path].filter((part) => part !== undefined).join(' ')
}

function verdictOf({ effect, rule, code, reason }: Decision): string {
  const by = rule !== undefined ? ` by rule ${rule}` : code === 'no-rule-matched' ? ' by the default' : ''
  return `${styled(effect === 'allow' ? 'green' : 'red', effect)}${by}: ${reason}`
}

function ruleText({ rule, effect, mode, result, note, conditions }: RuleExplanation): string {
  const shadow = mode === 'shadow' ? ', shadow' : ''
  const head = `\n${styled('bold', rule)} (${effect}${shadow}): ${result}${note === undefined ? '' : `; ${note}`}\n`
  const lines = conditions.map(({ condition, result: holds, looked, why }) => {
    const mark = holds === 'matched' ? '+' : holds === 'unknown' ? '?' : '-'
    return `  ${mark} ${condition}: ${looked}${why === undefined ? '' : `; ${why}`}\n`
  })
  return head + lines.join('')
}
