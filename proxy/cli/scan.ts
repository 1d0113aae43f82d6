// Owns `gatewright scan`: what the detectors find in a text, and the text redacted.
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { Command, Option } from 'commander'
import { builtInCatalogue, type Catalogue } from '../detect/catalogue.ts'
import { compileRedaction } from '../detect/redaction.ts'
import type { RedactionAction } from '../detect/options.ts'
import { replace } from '../detect/replace.ts'
import { compileScanner } from '../detect/scanner.ts'
import type { Finding } from '../detect/finding.ts'
import { openVault } from '../detect/vault.ts'
import { CommandError } from './command-error.ts'
import { readInput, whyUnreadable } from './files.ts'
import { compileOrFail } from './judging.ts'
import { collect, joinNames, outputOption, type OutputFormat } from './output.ts'

/** 1 says that something was found, whatever else is wrong. */
const exitTrouble = 2

const detectDefault = 'pii,secrets'

type Options = {
  readonly detect?: string
  readonly config: readonly string[]
  readonly jsonl?: string
  readonly redact?: 'mask' | 'token'
  readonly output: OutputFormat
}

export function scanCommand(): Command {
  return new Command('scan')
    .description(
      'what the detectors find in texts (with -o json a line of JSON for each); exit 1 when they find something',
    )
    .argument('[files...]', 'files to scan; without one, standard input')
    .option('--detect <names>', `groups or entities, separated by commas (default: "${detectDefault}")`, joinNames)
    .option('-c, --config <path>', 'a configuration whose own detectors are used, too; several merge', collect, [])
    .option('--jsonl <field>', 'read one JSON object a line and scan this field of it')
    .addOption(new Option('--redact <action>', 'write the text redacted').choices(['mask', 'token']).conflicts('jsonl'))
    .addOption(outputOption())
    .action(async (files: string[], options: Options) => {
      const catalogue =
        options.config.length === 0 ? builtInCatalogue : compileOrFail(options.config, exitTrouble).catalogue
      const names = { catalogue, entities: selected(options.detect ?? detectDefault, catalogue) }
      const texts: { readonly name: string; readonly text: string }[] = []
      for (const name of files.length === 0 ? ['-'] : files) {
        texts.push({ name, text: await readText(name, options.redact !== undefined) })
      }
      const found = texts.map(({ name, text }) => scanOne(name, text, names, options))
      process.exitCode = found.some((count) => count > 0) ? 1 : 0
    })
}

/** What is to be looked for, of what can be. */
type Names = { readonly catalogue: Catalogue; readonly entities: ReadonlySet<string> }

function selected(list: string, { entitiesOf, hint, externals }: Catalogue): ReadonlySet<string> {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => entitiesOf([name]).size === 0)
  if (unknown !== undefined)
    throw new CommandError(`there is nothing to detect called "${unknown}"; ${hint(unknown)}`, exitTrouble)
  // A text that was to stay here must not go to another process because a group happens to have it.
  const outside = externals.find(({ id, entities }) =>
    names.some((name) => name === id || [...entities.values()].includes(name)),
  )
  if (outside === undefined) return entitiesOf(names)
  throw new CommandError(`the detector "${outside.id}" is another process, and scan asks none`, exitTrouble)
}

async function readText(name: string, mustBeText: boolean): Promise<string> {
  try {
    return decoded(name, await readInput(name), mustBeText)
  } catch (error) {
    const hint = (error as NodeJS.ErrnoException).code === 'EISDIR' ? '; name the files in it' : ''
    throw new CommandError(`${name} cannot be read: ${whyUnreadable(error)}${hint}`, exitTrouble)
  }
}

/** UTF-8, or UTF-16 that says so at its beginning. What is looked into may be anything, what is written anew must be text. */
function decoded(name: string, bytes: Buffer, mustBeText: boolean): string {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff
  if (isLittle || isBig) return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be', { fatal: mustBeText }).decode(bytes)
  if (mustBeText && !isUtf8(bytes)) throw new Error('it is not UTF-8, so it would not be the same without its values')
  // That nothing was found in a picture, or in UTF-16 read as UTF-8, says little.
  if (bytes.includes(0))
    process.stderr.write(
      `gatewright: ${name} holds NUL bytes, so it is no text, or UTF-16 without its byte order mark: it was searched as UTF-8, and more may be in it\n`,
    )
  const text = bytes.toString()
  // Places are counted in the text, which the mark is no part of; what is written anew keeps it.
  return mustBeText ? text : text.replace(/^\ufeff/, '')
}

/** Returns how many values were found. */
function scanOne(name: string, text: string, names: Names, options: Options): number {
  if (options.jsonl !== undefined) return scanLines(text, options.jsonl, names)
  const findings = compileScanner(names.entities, names.catalogue.detectors).scan(text)
  const written = options.redact === undefined ? undefined : redacted(text, findings, names, options.redact)
  if (options.output === 'json') printLine({ file: name, findings: findings.map(plain), redacted: written })
  else if (written !== undefined) process.stdout.write(written)
  else printFindings(name, text, findings)
  return findings.length
}

/** A line for each text, so that several make JSON lines and one makes a document. */
function printLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** One line out for each line in: `{"id","findings":[{"entity","group","start","end"}]}`, UTF-16 offsets, end exclusive. */
function scanLines(text: string, field: string, names: Names): number {
  const scanner = compileScanner(names.entities, names.catalogue.detectors)
  let count = 0
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const row = parseRow(line, index + 1)
    const value = row[field]
    if (typeof value !== 'string') throw new CommandError(`line ${index + 1} has no text in "${field}"`, exitTrouble)
    const findings = scanner.scan(value).map(plain)
    count += findings.length
    printLine({ id: row['id'] ?? index, findings })
  }
  return count
}

function parseRow(line: string, number: number): Record<string, unknown> {
  try {
    const row: unknown = JSON.parse(line)
    if (typeof row === 'object' && row !== null) return row as Record<string, unknown>
  } catch {
    // Said below, with the line's number.
  }
  throw new CommandError(`line ${number} is not a JSON object`, exitTrouble)
}

function plain({ entity, group, start, end }: Finding): Finding {
  return { entity, group, start, end }
}

const nowhere = { upstreams: new Set<string>(), routes: new Set<string>() }

function redacted(text: string, findings: readonly Finding[], names: Names, action: RedactionAction): string {
  const { redaction } = compileRedaction(
    [{ id: 'scan', direction: 'request', detect: [...names.entities], action }],
    [],
    nowhere,
    names.catalogue,
  )
  const plan = redaction?.plan('request', '', '')
  // Tokens of a scan mean nothing to any proxy: their key ends with this process.
  return plan === undefined ? text : replace(text, findings, plan, openVault(randomBytes(32), 'scan')).text
}

/** Places, not values: a terminal's history is no place for secrets. Findings come in order, so lines are counted once. */
function printFindings(name: string, text: string, findings: readonly Finding[]): void {
  let line = 1
  let lineStart = 0
  let lineEnd = endOfLine(text, 0)
  for (const { entity, group, start, end } of findings) {
    for (; lineEnd < start; lineEnd = endOfLine(text, lineStart)) {
      line += 1
      lineStart = lineEnd + 1
    }
    process.stdout.write(`${name}:${line}:${start - lineStart + 1}: ${entity} (${group}), ${end - start} characters\n`)
  }
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at
}
