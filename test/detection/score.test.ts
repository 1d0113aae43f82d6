// Floors under recall and precision on rows that others labelled: a change that finds less, or cries wolf, fails here.
import t from 'tap'
import { entitiesOf, groupNames } from '../../proxy/detect/entities.ts'
import type { Finding } from '../../proxy/detect/finding.ts'
import { compileScanner } from '../../proxy/detect/scanner.ts'
import { rowsOf, skip, type LabelledRow } from './rows.ts'

const scanner = compileScanner(entitiesOf(groupNames))

type Score = { readonly gold: number; readonly recall: number; readonly cover: number; readonly precision: number }

/** Recall counts values that a finding touches, cover those hidden to the last character. */
function score(rows: readonly LabelledRow[], entity: string): Score {
  let gold = 0
  let hit = 0
  let covered = 0
  let all = 0
  let right = 0
  for (const row of rows) {
    const findings = scanner
      .scan(row.text)
      .filter((f) => f.entity === entity || (entity === 'secret' && f.group === 'secrets'))
    const spans = row.spans.filter((span) => span.entity === entity)
    all += findings.length
    right += findings.filter((f) => spans.some((span) => overlaps(f, span))).length
    gold += spans.length
    hit += spans.filter((span) => findings.some((f) => overlaps(f, span))).length
    covered += spans.filter((span) => findings.some((f) => f.start <= span.start && f.end >= span.end)).length
  }
  return { gold, recall: hit / gold, cover: covered / gold, precision: all === 0 ? 1 : right / all }
}

function overlaps(finding: Finding, span: { readonly start: number; readonly end: number }): boolean {
  return finding.start < span.end && span.start < finding.end
}

const floors: readonly (readonly [set: string, entity: string, recall: number, precision: number])[] = [
  ['synth-v2', 'email', 1, 1],
  ['synth-v2', 'phone', 0.98, 0.98],
  ['synth-v2', 'payment-card', 0.99, 0.99],
  ['synth-v2', 'iban', 1, 1],
  ['synth-v2', 'us-ssn', 1, 1],
  ['synth-v2', 'ip-address', 1, 1],
  ['generated-large', 'email', 1, 1],
  ['generated-large', 'payment-card', 0.99, 0.99],
  ['generated-large', 'us-ssn', 1, 1],
  ['generated-large', 'ip-address', 1, 1],
  ['recognizer-tests', 'iban', 0.99, 0.99],
  ['recognizer-tests', 'payment-card', 1, 1],
  ['recognizer-tests', 'ip-address', 0.99, 0.97],
  ['recognizer-tests', 'crypto-address', 1, 1],
  ['phone-intl', 'phone', 0.97, 0.99],
  ['pl-bench', 'email', 1, 1],
  ['pl-bench', 'iban', 0.99, 0.99],
  ['pl-bench', 'payment-card', 1, 1],
  ['pl-bench', 'phone', 0.98, 0.98],
]

for (const [set, entity, recall, precision] of floors) {
  void t.test(`${entity} in ${set}`, { skip }, async (t) => {
    const reached = score(rowsOf(set), entity)
    t.comment(JSON.stringify(reached))
    t.ok(reached.gold > 0)
    t.ok(reached.recall >= recall, `recall ${reached.recall} ≥ ${recall}`)
    t.ok(reached.precision >= precision, `precision ${reached.precision} ≥ ${precision}`)
  })
}

void t.test('international numbers', { skip }, async (t) => {
  const rows = rowsOf('phone-intl').filter((row) => 'format' in row && row.format !== 'NATIONAL')
  t.ok(score(rows, 'phone').recall >= 0.995)
})

void t.test('national numbers beside a word', { skip }, async (t) => {
  const rows = rowsOf('phone-intl').filter(
    (row) => 'format' in row && row.format === 'NATIONAL' && row.spans[0]?.end !== row.text.length,
  )
  t.ok(score(rows, 'phone').recall >= 0.97)
})

void t.test('agent traffic without personal data raises next to nothing', { skip }, async (t) => {
  const findings = rowsOf('benign').flatMap((row) =>
    scanner.scan(row.text).map((f) => `${f.entity}: ${row.text.slice(f.start, f.end)}`),
  )
  t.same(findings, [])
})

/** The rules of the set whose vendors have an entity. */
const vendorRules =
  /^(?:aws-access-token|digitalocean-(?!refresh-cookie)|gcp-api-key|github-|gitlab-(?!session-cookie)|sendgrid-|slack-|stripe-|anthropic-)/

void t.test('keys of the vendors that have an entity', { skip }, async (t) => {
  const rows = rowsOf('secrets-gitleaks').filter((row) => vendorRules.test(row.rule ?? ''))
  const reached = score(rows, 'secret')
  t.comment(JSON.stringify(reached))
  t.ok(reached.gold > 400)
  t.ok(reached.recall >= 0.99, `recall ${reached.recall}`)
})
