// Owns putting something else where a value stood. Findings come from a scan that has been made already.
import { foreseenLength } from './candidate.ts'
import type { Finding } from './finding.ts'
import type { EntityAction, Plan } from './redaction.ts'
import type { Vault } from './vault.ts'
import type { TokenForm } from './vault-memory.ts'
import { hasNumberForm } from './vault-number.ts'
import { typeName } from './vault-token.ts'

/** Of longer values nothing is kept: none that long is worth restoring, and a stream cannot wait for it. */
export const valueLengthMax = 32_768

export type Counts = Record<string, number>

/**
 * The forms that something which reads the text demands, beyond a word; and whether the text may come in pieces: then no
 * tool has a value of `foreseenLength` or longer, because a stream does not wait for all of it.
 */
export type Demanded = { readonly mail?: boolean; readonly number?: boolean; readonly inPieces?: boolean }

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
export function replace(
  text: string,
  findings: readonly Finding[],
  plan: Plan,
  vault: Vault | undefined,
  demanded: Demanded = {},
): Replacement {
  const counts: Counts = {}
  const observed: Counts = {}
  const replaced: Replaced[] = []
  let output = ''
  let copied = 0
  for (const finding of findings) {
    const value = text.slice(finding.start, finding.end)
    const decision = plan.actionFor(finding.entity, value)
    // A token in the form of an address or a number is found like one.
    if (decision === undefined || vault?.isToken(value) === true) continue
    const { entity } = finding
    if (isObserved(decision)) {
      observed[entity] = (observed[entity] ?? 0) + 1
      continue
    }
    output += text.slice(copied, finding.start)
    counts[entity] = (counts[entity] ?? 0) + 1
    replaced.push({ ...finding, rule: decision.rule, action: decision.action })
    if (decision.action === 'block') {
      return { text: output, counts, observed, replaced, blocked: { rule: decision.rule, entity } }
    }
    output += substitute(text, finding, decision, plan.direction, vault, demanded)
    copied = finding.end
  }
  return { text: copied === 0 ? text : output + text.slice(copied), counts, observed, replaced }
}

/**
 * What will stand in the place of a text that ends in a value of which only the beginning is known, `foreseenLength` of it
 * at least; undefined where the value stays. `before`: the findings before it.
 */
export function foresee(
  { entity, start, before }: { readonly entity: string; readonly start: number; readonly before: readonly Finding[] },
  text: string,
  plan: Plan,
  vault: Vault | undefined,
): Replacement | undefined {
  const decision = plan.actionFor(entity)
  if (!changes(decision)) return undefined
  const value = { entity, group: 'secrets', start, end: text.length } as const
  return replace(text, [...before, value], plan, vault, { inPieces: true })
}

/** Whether it replaces, removes or blocks what it decides over. */
export function changes(action: EntityAction | undefined): action is EntityAction {
  return action !== undefined && !isObserved(action)
}

/** Whether what it decides over stays. */
export function isObserved(decision: EntityAction | undefined): boolean {
  return decision !== undefined && (decision.mode === 'shadow' || decision.action === 'tag')
}

/** What an answer brings is remembered only for those who may have it. */
function isAliased(direction: Plan['direction'], { restoreTo }: EntityAction): boolean {
  return direction === 'response' && restoreTo.length === 0
}

function substitute(
  text: string,
  finding: Finding,
  decision: EntityAction,
  direction: Plan['direction'],
  vault: Vault | undefined,
  demanded: Demanded,
): string {
  const { entity, start, end } = finding
  const { action } = decision
  if (action === 'remove') return ''
  const value = text.slice(start, end)
  const mask = `[${typeName(entity)}]`
  if (action === 'mask' || vault === undefined) return mask
  if (action === 'hash') return vault.hashFor(entity, value)
  const form = formOf(entity, value, decision, demanded)
  const isTooLong = demanded.inPieces === true && value.length >= foreseenLength
  if (isTooLong || isAliased(direction, decision)) return vault.aliasFor(entity, value, form)
  if (finding.openEnded || value.length > valueLengthMax) return mask
  return vault.tokenFor(entity, value, decision, form)
}

function formOf(entity: string, value: string, { format }: EntityAction, { mail, number }: Demanded): TokenForm {
  if (format === 'word') return 'word'
  const always = format === 'preserve'
  if (entity === 'email') return always || mail === true ? 'mail' : 'word'
  return (always || number === true) && hasNumberForm(value) ? 'number' : 'word'
}
