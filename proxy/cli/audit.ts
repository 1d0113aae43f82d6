// Owns `gatewright audit`: verify a log from its own bytes, and follow it. Its longer commands are files of their own.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { tailLog } from '../audit/tail.ts'
import { verifyLog, type Finding, type Report } from '../audit/verify.ts'
import { printable } from '../lib/printable.ts'
import { exportCommand } from './audit-export.ts'
import { checkFolder, exitUsage, orFail } from './audit-folder.ts'
import { proveCommand } from './audit-prove.ts'
import { CommandError } from './command-error.ts'
import { jsonOutputOption, outputOption, printJson, styled, type OutputFormat } from './output.ts'

const exitCodes = { intact: 0, tampered: 1, incomplete: 2 } as const

export function auditCommand(): Command {
  const audit = new Command('audit').description('the tamper-evident log')
  audit
    .command('verify')
    .description('recompute everything; names the first bad record (exit 0 intact, 1 tampered, 2 incomplete tail)')
    .argument('<dir>', 'the audit folder')
    .option('--key <pub>', 'the public key: a vkey, or a file that holds one')
    .option('--since <checkpoint>', 'a checkpoint kept elsewhere: what it covers must still be there')
    .addOption(outputOption())
    .action(async (dir: string, options: { key?: string; since?: string; output: OutputFormat }) => {
      const report = await verifyOrFail(dir, options)
      process.exitCode = exitCodes[report.status]
      if (options.output === 'json') printJson(report)
      else printReport(dir, report)
    })
  audit
    .command('tail')
    .description('the last records as they are in the log, a line of JSON each, and with --follow the next ones')
    .argument('<dir>', 'the audit folder')
    .option('-n, --lines <count>', 'how many', '10')
    .option('-f, --follow', 'wait for more')
    .addOption(jsonOutputOption())
    .action(async (dir: string, { lines, follow }: { lines: string; follow?: true }) => {
      if (!/^[0-9]{1,7}$/.test(lines)) throw new CommandError(`--lines takes a number, not "${lines}"`, exitUsage)
      checkFolder(dir)
      await orFail(() => printTail(dir, Number(lines), follow === true))
    })
  audit.addCommand(exportCommand()).addCommand(proveCommand())
  return audit
}

async function verifyOrFail(dir: string, { key, since }: { key?: string; since?: string }): Promise<Report> {
  checkFolder(dir)
  const options = {
    ...(key === undefined ? undefined : { vkey: publicKey(key) }),
    ...(since === undefined ? undefined : { since: keptCheckpoint(since) }),
  }
  return orFail(() => verifyLog(dir, options))
}

async function printTail(dir: string, lines: number, follow: boolean): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  for await (const line of tailLog(dir, { lines, follow, signal: stop.signal })) process.stdout.write(`${line}\n`)
}

/** What a file holds instead is not repeated: it may be the private key. */
function publicKey(key: string): string {
  if (isVkey(key)) return key
  const text = read(key, `--key is neither a public key (name+hash+base64) nor a file: ${key}`).trim()
  if (isVkey(text)) return text
  const hint = text.startsWith('-----BEGIN') ? `; the public half stands beside it, in ${key}.pub` : ''
  throw new CommandError(`--key names a file that holds no public key (name+hash+base64): ${key}${hint}`, exitUsage)
}

function isVkey(text: string): boolean {
  return /^[^\s+]+\+[0-9a-f]{8}\+\S+$/.test(text)
}

/** A wrong file must not look like a log that was replaced. */
function keptCheckpoint(file: string): string {
  const note = read(file, `--since names a file that cannot be read: ${file}`)
  if (/^\S+\n[0-9]+\n/.test(note)) return note
  throw new CommandError(
    `--since names a file that is no checkpoint, as those in the folders of logs are: ${file}`,
    exitUsage,
  )
}

function read(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CommandError(otherwise, exitUsage)
  }
}

function printReport(dir: string, report: Report): void {
  const { status, records, segments, checkpoints, unsigned, unpaired, first } = report
  const colour = status === 'intact' ? 'green' : status === 'tampered' ? 'red' : 'yellow'
  process.stdout.write(`${dir}: ${styled(colour, status)}\n`)
  process.stdout.write(
    `  ${status === 'tampered' ? `stopped after ${goodRecords(report)} good records` : `${records} records`} in ${segments} ${segments === 1 ? 'segment' : 'segments'}, ${checkpoints} signed checkpoints\n`,
  )
  if (first !== undefined)
    process.stdout.write(`  first bad record: ${printable(placeOf(first, report.logs.length > 1) + first.message)}\n`)
  for (const log of report.logs) for (const reason of log.incomplete) process.stdout.write(`  ${reason}\n`)
  // Of a log that is bad these would only be about its good beginning.
  const whole = status !== 'tampered'
  if (whole && unsigned > 0)
    process.stdout.write(`  ${unsigned} records at the end are newer than the last checkpoint\n`)
  if (whole && unpaired > 0)
    process.stdout.write(`  exchanges without an outcome (under way, or cut off by a crash): ${unpaired}\n`)
  for (const note of report.notes) process.stdout.write(`  note: ${note}\n`)
}

/** A record is read before the next one shows that it was changed, so it is among those that were read. */
function goodRecords({ records, logs, first }: Report): number {
  const read = logs.find(({ log }) => log === first?.log)?.records
  return read === undefined || first?.index === undefined ? records : records - Math.max(0, read - first.index)
}

function placeOf({ log, index, segment, byteOffset }: Finding, isOneOfSeveral: boolean): string {
  const parts = [
    ...(index === undefined ? [] : [`record ${index}`]),
    ...(segment === undefined ? [] : [`in ${isOneOfSeveral ? `${log}/${segment}` : segment}`]),
    ...(byteOffset === undefined ? [] : [`at byte ${byteOffset}`]),
  ]
  return parts.length === 0 ? '' : `${parts.join(' ')}: `
}
