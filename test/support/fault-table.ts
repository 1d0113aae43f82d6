// Writes the table of the fault bench, `node test/support/fault-table.ts`, from the catalogue that the tests run.
import { writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientLinks } from '../faults/catalogue/client-links.ts'
import type { Fault } from '../faults/catalogue/fault.ts'
import { processes } from '../faults/catalogue/processes.ts'
import { stores } from '../faults/catalogue/stores.ts'
import { upstreamLinks } from '../faults/catalogue/upstream-links.ts'
import { upstreams } from '../faults/catalogue/upstreams.ts'

const file = join(import.meta.dirname, '..', 'faults', 'README.md')

const intro = `# Faults

Written by \`node test/support/fault-table.ts\` from the catalogue that \`chaos-links.test.ts\` and \`chaos-stores.test.ts\` run
against the real process: every fault of links and upstreams at the same time, each on a route of its own, then every fault
of the store. The other tests in this folder are about one thing each: kill -9, full disks, reloads, shutdown, fuzz.

What holds in every run:

1. Every answer has its outcome record, one; every answer of an upstream has an intent record before it.
2. \`audit verify\` says intact.
3. No denied call reaches an upstream, and no call reaches one more than twice.
4. A call ends with a whole answer, a whole error, or a connection that is seen to break: never cut off and looking whole.
5. Files and sockets are as many as before.
6. A route without faults goes on; how fast is printed, not asserted.
7. At most a fifth of the requests is tried again.
8. Without its store a limit admits at most the store's share and this process's own.
`

export function faultTable(): string {
  const sections = [
    ['Between the proxy and an upstream', upstreamLinks.map(endingRow)],
    ['Upstreams', upstreams.map(endingRow)],
    ['Between an agent and the proxy', clientLinks.map(endingRow)],
    ['The proxy’s own process', processes.map(endingRow)],
    [
      'The store of limits',
      stores.map(({ id, what, forgets }) => [id, what, forgets === true ? 'counts anew' : 'counts on']),
    ],
  ] as const
  const tables = sections.map(([title, rows]) => {
    const lines = rows.map((cells) => `| ${cells.join(' | ')} |\n`)
    return `\n## ${title} (${rows.length})\n\n| Fault | What happens | Calls end |\n| --- | --- | --- |\n${lines.join('')}`
  })
  return `${intro}\n<!-- prettier-ignore-start -->\n${tables.join('')}\n<!-- prettier-ignore-end -->\n`
}

export function writtenTable(): string {
  return readFileSync(file, 'utf8')
}

function endingRow({ id, what, ends, also = [] }: Fault): readonly string[] {
  return [id, what, ends.join(', ') + (also.length === 0 ? '' : ` (${also.join(', ')})`)]
}

if (import.meta.main) writeFileSync(file, faultTable())
