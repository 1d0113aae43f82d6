// Owns how commands print: plain text for people, JSON for programs, colours only on a terminal (NO_COLOR is honoured by
// styleText itself).
import { styleText } from 'node:util'
import { Option } from 'commander'

export type OutputFormat = 'text' | 'json'

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text')
}

/** For commands that only speak JSON: `-o json` may be said everywhere. */
export function jsonOutputOption(): Option {
  return new Option('-o, --output <format>', 'always json').choices(['json']).default('json')
}

/** For an option that may be given several times. Where it must be given it has no default: any would count as given. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** For names with commas between them that may also be given one by one. A default would be one of them. */
export function joinNames(value: string, before?: string): string {
  return before === undefined ? value : `${before},${value}`
}

type Style = Parameters<typeof styleText>[0]

export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
