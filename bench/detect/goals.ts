// Owns the comparison with the rows that others labelled, where they stand beside the repository: `scan` finds, the
// folder's own program scores, and each goal says whether it was met. No row comes into the repository.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(root, '../shared/detection')

export const hasRows = existsSync(folder)

type Row = Readonly<Record<string, unknown>> & { readonly id: string }
type Goal = {
  readonly title: string
  readonly sets: readonly string[]
  /** As the scores name it; absent: everything that was found counts as false, for each megabyte. */
  readonly entity?: string
  readonly recall?: number
  readonly precision?: number
  readonly perMBMax?: number
  readonly only?: (row: Row) => boolean
}

const person = ['synth-v2', 'generated-large']
/** Some numbers stand alone: nothing says that they are telephone numbers. */
const hasWord = ({ text }: Row): boolean => /\p{L}{2}/u.test(String(text))
const ruleOf = ({ rule }: Row): string => (typeof rule === 'string' ? rule : '')

// prettier-ignore
const goals: readonly Goal[] = [
  { title: 'email', entity: 'email', sets: [...person, 'pl-bench'], recall: 0.995, precision: 0.995 },
  { title: 'phone in text', entity: 'phone', sets: ['synth-v2'], recall: 0.9, precision: 0.97 },
  { title: 'phone, Polish', entity: 'phone', sets: ['pl-bench'], recall: 0.98, precision: 0.95 },
  { title: 'phone, international', entity: 'phone', sets: ['phone-intl'], recall: 0.995, only: (row) => row['format'] !== 'NATIONAL' },
  { title: 'phone, national with a word', entity: 'phone', sets: ['phone-intl'], recall: 0.95, only: (row) => row['format'] === 'NATIONAL' && hasWord(row) },
  { title: 'payment-card', entity: 'payment-card', sets: [...person, 'recognizer-tests', 'pl-bench'], recall: 0.99, precision: 0.99 },
  { title: 'iban', entity: 'iban', sets: ['synth-v2', 'recognizer-tests'], recall: 0.99, precision: 0.995 },
  { title: 'iban, Polish', entity: 'iban', sets: ['pl-bench'], recall: 0.9, precision: 0.995 },
  { title: 'us-ssn', entity: 'us-ssn', sets: person, recall: 0.99, precision: 0.99 },
  { title: 'ip-address', entity: 'ip-address', sets: [...person, 'recognizer-tests'], recall: 0.99, precision: 0.97 },
  { title: 'crypto-address', entity: 'crypto-address', sets: ['recognizer-tests'], recall: 1, precision: 1 },
  { title: 'secrets', entity: 'secret', sets: ['secrets-gitleaks'], recall: 0.98 },
  { title: 'secrets', entity: 'secret', sets: ['secrets-noseyparker'], recall: 0.75 },
  { title: 'secrets', entity: 'secret', sets: ['secrets-credsweeper'], recall: 0.6 },
  { title: 'private keys, JWT, AWS key ids', entity: 'secret', sets: ['secrets-gitleaks'], recall: 0.99, only: (row) => /^(?:private-key|jwt|aws-access-token)$/.test(ruleOf(row)) },
  { title: 'private keys, JWT, AWS key ids', entity: 'secret', sets: ['secrets-noseyparker'], recall: 0.99, only: (row) => /^np\.(?:pem|jwt|aws)\.1$/.test(ruleOf(row)) },
  { title: 'URLs with credentials', entity: 'secret', sets: ['secrets-noseyparker'], recall: 0.95, only: (row) => /^np\.(?:http|mongodb|postgres)\.\d$/.test(ruleOf(row)) },
  { title: 'all, without personal data', sets: ['benign'], perMBMax: 20 },
]

type Score = {
  readonly missing: number
  readonly perMB: number
  readonly classes: Readonly<
    Record<string, { gold: number; recall: number | null; cover: number | null; precision: number | null }>
  >
}

/** Lines of a table; `dir` is for what passes between the programs. */
export function goalLines(dir: string): string[] {
  const found = new Map<string, string>()
  const lines = goals.flatMap((goal) =>
    goal.sets.map((set) => {
      if (!found.has(set)) found.set(set, scanSet(set, dir))
      return goalLine(goal, set, score(goal, set, found.get(set) ?? '', dir))
    }),
  )
  const head = ['', 'rows', 'values', 'recall', 'covered', 'precision', 'goal', '']
  return [head, head.map((_, at) => (at === 0 ? ':--' : '--:')), ...lines].map((cells) => `| ${cells.join(' | ')} |`)
}

function rowsOf(set: string): Row[] {
  const text = gunzipSync(readFileSync(join(folder, `${set}.jsonl.gz`))).toString('utf8')
  return (
    text
      .split('\n')
      .filter((line) => line !== '')
      // Not every row has a name of its own.
      .map((line, index) => ({ ...(JSON.parse(line) as Row), id: `${index}` }))
  )
}

function write(path: string, rows: readonly Row[]): string {
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}

/** Where the findings are. */
function scanSet(set: string, dir: string): string {
  const rows = write(join(dir, `${set}.jsonl`), rowsOf(set))
  const scan = spawnSync(process.execPath, [join(root, 'proxy/main.ts'), 'scan', '--jsonl', 'text', rows], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (scan.status !== 0 && scan.status !== 1) throw new Error(`scan of ${set}: ${scan.stderr}`)
  const path = join(dir, `${set}.found.jsonl`)
  writeFileSync(path, scan.stdout)
  return path
}

function score({ only }: Goal, set: string, found: string, dir: string): Score {
  const rows = write(
    join(dir, `${set}.rows.jsonl`),
    rowsOf(set).filter((row) => only?.(row) ?? true),
  )
  const output = execFileSync(process.execPath, [join(folder, 'score.mjs'), rows, found], { encoding: 'utf8' })
  return JSON.parse(output) as Score
}

function goalLine({ title, entity, recall, precision, perMBMax }: Goal, set: string, reached: Score): string[] {
  const missing = reached.missing === 0 ? '' : `, ${reached.missing} rows missing`
  if (entity === undefined) {
    const isMet = reached.perMB <= (perMBMax ?? 0)
    return [title, set, '0', '', '', `${reached.perMB} false/MB`, `≤ ${perMBMax}`, verdict(isMet) + missing]
  }
  const of = reached.classes[entity]
  const isMet = (of?.recall ?? 0) >= (recall ?? 0) && (of?.precision ?? 1) >= (precision ?? 0)
  const wanted = [`R ≥ ${recall}`, ...(precision === undefined ? [] : [`P ≥ ${precision}`])].join(', ')
  return [
    title,
    set,
    String(of?.gold ?? 0),
    share(of?.recall),
    share(of?.cover),
    share(of?.precision),
    wanted,
    verdict(isMet) + missing,
  ]
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : '**missed**'
}

function share(value: number | null | undefined): string {
  return typeof value === 'number' ? value.toFixed(3) : '–'
}
