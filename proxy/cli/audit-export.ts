// Owns `gatewright audit export`: the records of all logs of a folder, as they are or as a table for spreadsheets.
import { once } from 'node:events'
import { basename } from 'node:path'
import { Command, Option } from 'commander'
import { listLogs } from '../audit/layout.ts'
import { readLines } from '../audit/lines.ts'
import { csvLine } from '../lib/csv.ts'
import { checkFolder, exitUsage, orFail } from './audit-folder.ts'
import { CommandError } from './command-error.ts'

/** `json` is what other commands call it. */
type Format = 'jsonl' | 'json' | 'csv'

export function exportCommand(): Command {
  return new Command('export')
    .description('all records, log by log: as lines of JSON, as they are in the log, or the main facts as CSV')
    .argument('<dir>', 'the audit folder')
    .addOption(new Option('-o, --format <format>', 'jsonl or csv').choices(['jsonl', 'json', 'csv']).default('jsonl'))
    .action(async (dir: string, { format }: { format: Format }) => {
      checkFolder(dir)
      const folders = await orFail(() => listLogs(dir))
      if (folders.length === 0) throw new CommandError(`${dir} holds no audit log`, exitUsage)
      await orFail(() => write(folders, format))
    })
}

async function write(folders: readonly string[], format: Format): Promise<void> {
  if (format === 'csv') await print(csvLine(['log', ...columns.map(([name]) => name)]))
  for (const folder of folders) {
    for await (const line of readLines(folder)) await print(format === 'csv' ? row(folder, line) : `${line}\n`)
  }
}

/** Waits for a reader that is slow, so that a long log is not held in memory. */
async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

function row(folder: string, line: string): string {
  const record = parsed(line)
  return csvLine([basename(folder), ...columns.map(([name, of]) => cell(of === undefined ? record[name] : of(record)))])
}

type Fields = Readonly<Record<string, unknown>>

/** A line that was tampered with is none that can be laid out; `audit verify` says which. */
function parsed(line: string): Fields {
  try {
    const record: unknown = JSON.parse(line)
    if (typeof record === 'object' && record !== null) return record as Fields
  } catch {
    // Said below.
  }
  throw new Error('a line of the log is not a JSON object (run audit verify)')
}

/** What a record has under that name, or is worked out of it. */
const columns: readonly (readonly [name: string, of?: (record: Fields) => unknown])[] = [
  ['i'],
  ['t'],
  ['kind'],
  ['request'],
  ['org'],
  ['team'],
  ['principal'],
  ['ip'],
  ['route'],
  ['upstream'],
  ['operation'],
  ['method'],
  ['path'],
  ['model'],
  ['tools'],
  ['decision'],
  ['rules', ({ decisions }) => listOf(decisions).map(({ rule }) => rule ?? 'default')],
  ['fault'],
  ['limit'],
  ['status'],
  ['end'],
  ['redactions', ({ redactions }) => listOf(redactions).map(({ entity, count }) => `${cell(entity)}=${cell(count)}`)],
  ['inputTokens', ({ usage }) => fieldsOf(usage)['input']],
  ['outputTokens', ({ usage }) => fieldsOf(usage)['output']],
  ['costUsd', ({ costNanos }) => (typeof costNanos === 'number' ? costNanos / 1e9 : undefined)],
  ['durationMs', ({ durationUs }) => (typeof durationUs === 'number' ? durationUs / 1000 : undefined)],
]

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map(cell).join(' ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
