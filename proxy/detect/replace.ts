// Owns putting something else where a value stood. Findings come from a scan that has been made already.
import type { Finding } from './finding.ts'
import type { EntityAction, Plan } from './redaction.ts'
import { typeName, type Vault } from './vault.ts'

/** Longer values are masked whatever the action: nothing that long is worth restoring, and a stream cannot wait for it. */
export const valueLengthMax = 32_768

export type Counts = Record<string, number>

/** `start` and `end` are those of the original text. */
export type Replaced = Finding & Pick<EntityAction, 'rule' | 'action'>

export type Replacement = {
  readonly text: string
  /** Entity → how many values were replaced. */
  readonly counts: Counts
  /** Entity → how many values were left in place, by `tag` or by a rule in shadow mode. */
  readonly observed: Counts
  /** Set when a rule says block: the exchange must not go on, and `text` ends before the value. */
  readonly blocked?: { readonly rule: string; readonly entity: string }
  readonly replaced: readonly Replaced[]
}

/** Findings of entities that the plan does not name are left alone. Without a vault, tokens and hashes become masks. */
export function replace(text: string, findings: readonly Finding[], plan: Plan, vault: Vault | undefined): Replacement {
  const counts: Counts = {}
  const observed: Counts = {}
  const replaced: Replaced[] = []
  let output = ''
  let copied = 0
  for (const finding of findings) {
    const decision = plan.actionFor(finding.entity)
    if (decision === undefined) continue
    const { entity } = finding
    if (decision.mode === 'shadow' || decision.action === 'tag') {
      observed[entity] = (observed[entity] ?? 0) + 1
      continue
    }
    output += text.slice(copied, finding.start)
    counts[entity] = (counts[entity] ?? 0) + 1
    replaced.push({ ...finding, rule: decision.rule, action: decision.action })
    if (decision.action === 'block') {
      return { text: output, counts, observed, replaced, blocked: { rule: decision.rule, entity } }
    }
    output += substitute(text, finding, decision, plan, vault)
    copied = finding.end
  }
  return { text: copied === 0 ? text : output + text.slice(copied), counts, observed, replaced }
}

function substitute(
  text: string,
  finding: Finding,
  { action }: EntityAction,
  plan: Plan,
  vault: Vault | undefined,
): string {
  const { entity, start, end } = finding
  if (action === 'remove') return ''
  const value = text.slice(start, end)
  if (action === 'mask' || vault === undefined || finding.openEnded || value.length > valueLengthMax)
    return `[${typeName(entity)}]`
  if (action === 'hash') return vault.hashFor(entity, value)
  return plan.direction === 'request' ? vault.tokenFor(entity, value) : vault.aliasFor(entity, value)
}
