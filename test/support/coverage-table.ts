// Writes proxy/protocol/README.md from what the adapters declare: `node test/support/coverage-table.ts`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coverage } from '../../proxy/protocol/coverage.ts'
import type { Fields, OperationCoverage } from '../../proxy/protocol/posture.ts'
import type { ProtocolName } from '../../proxy/protocol/protocol.ts'
import { protocols } from '../../proxy/protocol/protocols.ts'
import { operationOf } from './planted-exchange.ts'

const file = join(import.meta.dirname, '../../proxy/protocol/README.md')

const intro = `# What is inspected

Written by \`node test/support/coverage-table.ts\` from the declarations beside the adapters (\`*-coverage.ts\`); how a field
is written is said in \`posture.ts\`. A value is planted in each of them by \`test/security/planted.test.ts\`.

- **enforced**: inspected, and what the redaction says is done. A field that is not listed is walked and inspected all the
  same. Names and ids pass while they are shaped like one; anything else in them is inspected.
- **observed**: inspected and noted, and passed on as it is. No field stands so now.
- **not inspectable**: it goes through, and the record has it under the name in brackets. With *enforced* before it: only
  what is encoded, or kept elsewhere, goes through; a text there is enforced.

Of a conversation over a WebSocket the client's events stand as the request and the server's as the stream.
Headers are no fields of a format; only those that repeat a message of MCP are compared with it.
`

export function coverageTable(): string {
  const sections = Object.entries(coverage).map(([name, calls]) => {
    const operations = new Map<string, string[]>()
    for (const call of calls) {
      const [operation, rows] = rowsOf(name as ProtocolName, call)
      for (const row of rows) operations.set(row, [...(operations.get(row) ?? []), operation])
    }
    const rows = [...operations].map(([row, names]) => `| ${[...new Set(names)].join(', ')} | ${row} |\n`)
    return `\n## ${name}\n\n| Operations | Where | Field | Posture |\n| --- | --- | --- | --- |\n${rows.join('')}`
  })
  return `${intro}\n<!-- prettier-ignore-start -->\n${sections.join('')}\n<!-- prettier-ignore-end -->\n`
}

export function writtenTable(): string {
  return readFileSync(file, 'utf8')
}

function rowsOf(name: ProtocolName, call: OperationCoverage): [operation: string, rows: string[]] {
  const protocol = protocols.get(name)
  const operation = protocol === undefined ? call.call : (operationOf(protocol, call)?.name ?? call.call)
  const rows = (['request', 'answer', 'stream'] as const).flatMap((way) =>
    [...posturesOf(call[way] ?? {})].map(
      ([field, posture]) => `${way} | \`${field.replaceAll('|', '\\|')}\` | ${posture}`,
    ),
  )
  return [operation, rows.length === 0 ? ['| | no text'] : rows]
}

function posturesOf({ enforced = [], observed = [], opaque = {} }: Fields): Map<string, string> {
  const postures = new Map<string, string>()
  for (const field of enforced) postures.set(field, 'enforced')
  for (const field of observed) postures.set(field, 'observed')
  for (const [field, label] of Object.entries(opaque))
    postures.set(field, `${postures.has(field) ? 'enforced, ' : ''}not inspectable (\`${label}\`)`)
  return postures
}

if (import.meta.main) writeFileSync(file, coverageTable())
