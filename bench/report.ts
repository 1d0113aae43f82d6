// Owns how results look: the table on the terminal and the page in the repository. No figure is typed by hand.
import { cpus, totalmem, type as systemType, release } from 'node:os'
import type { Result, Row } from './result.ts'

const columns: readonly (readonly [string, (row: Row) => string])[] = [
  ['', ({ contender }) => contender],
  ['CPU µs/request', ({ cpuUs, systemUs }) => where(cpuUs, `${cpuUs.toFixed(0)} (${systemUs.toFixed(0)} sys)`)],
  [
    '× floor',
    ({ cpuRatio, cpuRatioRange: [low, high] }) =>
      where(cpuRatio, `${cpuRatio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`),
  ],
  ['p50 ms', ({ p50Ms }) => where(p50Ms, p50Ms.toFixed(2))],
  ['p99 ms', ({ p99Ms }) => where(p99Ms, p99Ms.toFixed(2))],
  ['added p50', ({ addedP50Ms }) => where(addedP50Ms, signed(addedP50Ms))],
  ['added p99', ({ addedP99Ms }) => where(addedP99Ms, signed(addedP99Ms))],
  ['head p50', ({ headP50Ms }) => where(headP50Ms, headP50Ms.toFixed(2))],
  ['max req/s', ({ throughput }) => throughput.toFixed(0)],
  ['CPU µs at max', ({ cpuUsBusy }) => cpuUsBusy.toFixed(0)],
  ['× floor at max', ({ cpuRatioBusy }) => cpuRatioBusy.toFixed(2)],
  ['errors', ({ errors }) => String(errors)],
]

/** What was not measured has no figure. */
function where(figure: number, text: string): string {
  return Number.isNaN(figure) ? '–' : text
}

export function resultsTable(results: readonly Result[]): string {
  return results.map((result) => `${heading(result)}\n${table(result.rows)}${leftOut(result)}`).join('\n\n')
}

/** `others` is the share of the machine that other programs had meanwhile. */
export function quietness(others: number): string {
  const share = `Other programs had ${(others * 100).toFixed(0)} % of the machine meanwhile`
  return others > othersShareMax
    ? `${share}: too much to trust the latencies, and the ratios only roughly.`
    : `${share}.`
}

const othersShareMax = 0.1

export function resultsMarkdown(results: readonly Result[], others: number, command: string): string {
  const sections = results.map(
    (result) => `## ${result.scenario}\n\n${heading(result)}\n\n${table(result.rows)}\n${leftOut(result)}`,
  )
  const legend = results[0]?.rows.map(({ contender, title }) => `- **${contender}**: ${title}\n`).join('') ?? ''
  return `# Bench results

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}; every figure below is from that one run.

Node ${process.version} on ${systemType()} ${release()}, ${machine()}. Load, upstream and proxies share these cores, all on the loopback.
${quietness(others)}

${legend}
CPU is user and system time of the proxy's process with all its threads, from \`/proc/PID/stat\`, for each request that
was answered. Up to *head p50* the load is an open loop: requests arrive at the same constant rate for all, latency
counts from when a request was due (the load's timer is up to a millisecond late, alike for all), *added* is beyond the
floor. The columns *at max* are from a closed loop with every connection busy, each contender at its own highest
rate; a busy process spends less on each request, the floor by far the most. Contenders take turns in each round;
figures are medians of the rounds, and of the ratios in each round (so not quotients of the columns beside them), in
parentheses the lowest and highest. A neighbour that can do less than twice the arrival rate is only asked for its most.

${sections.join('\n')}
${target(results)}

${neighbours(results)}
`
}

function heading({ title, rate, rounds, connections }: Result): string {
  return `${title}; ${rate} requests/s open loop, ${connections} connections closed loop, ${rounds} rounds`
}

function leftOut({ unable = [] }: Result): string {
  return unable.map((reason) => `\nLeft out: ${reason}\n`).join('')
}

function table(rows: readonly Row[]): string {
  const cells = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, show]) => show(row)))]
  const widths = columns.map((_, n) => Math.max(3, ...cells.map((line) => line[n]?.length ?? 0)))
  const lines = cells.map((line) => `| ${line.map((cell, n) => pad(cell, widths[n] ?? 0, n)).join(' | ')} |`)
  const rule = `| ${widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function signed(ms: number): string {
  return `${ms < 0 ? '−' : '+'}${Math.abs(ms).toFixed(2)}`
}

function machine(): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model.trim()}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB`
}

const cpuRatioTarget = 3

function target(results: readonly Result[]): string {
  const reached = results.flatMap(({ scenario, rows }) => {
    const row = rows.find(({ contender }) => contender === 'gatewright')
    if (row === undefined) return []
    return `${scenario} ${row.cpuRatio.toFixed(2)} (${row.cpuRatio <= cpuRatioTarget ? 'met' : 'missed'})`
  })
  return `Target: CPU per request at most ${cpuRatioTarget} × the floor at the same arrival rate. Here: ${reached.join(', ')}.`
}

const neighbourNames = { nginx: 'nginx', haproxy: 'HAProxy', portkey: '@portkey-ai/gateway' }

function neighbours(results: readonly Result[]): string {
  const here = new Set(results[0]?.rows.map(({ contender }) => contender))
  const absent = Object.entries(neighbourNames).flatMap(([id, name]) => (here.has(id) ? [] : name))
  if (absent.length === 0) return 'All neighbours were measured.'
  return `Not installed here, and so not measured: ${absent.join(', ')} (nginx and HAProxy are packages of Debian, @portkey-ai/gateway is one of npm).`
}
