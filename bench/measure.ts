// Owns one measurement: an order to the load, with the processor time of the proxy read before and after it.
import type { LoadProcess } from './children.ts'
import { cpuBetween, cpuTime, type CpuTime } from './cpu.ts'
import type { Contender } from './contenders/contender.ts'
import type { Report } from './load.ts'
import type { Scenario } from './scenarios/scenario.ts'

export type Pace = { readonly rate: number } | { readonly connections: number }

export type Measurement = {
  readonly report: Report
  /** Microseconds of processor time for each request that was answered. */
  readonly cpuUs: number
  readonly systemUs: number
  /** Requests a second that were answered. */
  readonly throughput: number
}

export async function measure(
  load: LoadProcess,
  contender: Contender,
  scenario: Scenario,
  pace: Pace,
  durationMs: number,
): Promise<Measurement> {
  const before = contender.pids.map(cpuTime)
  const { port, path, headers } = contender
  const report = await load.send({ port, path, headers, body: scenario.body, durationMs, ...pace })
  const spent = contender.pids.map((pid, index) => cpuBetween(before[index] ?? zero, cpuTime(pid)))
  const userUs = spent.reduce((sum, time) => sum + time.userUs, 0)
  const systemUs = spent.reduce((sum, time) => sum + time.systemUs, 0)
  return {
    report,
    cpuUs: (userUs + systemUs) / report.completed,
    systemUs: systemUs / report.completed,
    throughput: (report.completed * 1000) / report.elapsedMs,
  }
}

const zero: CpuTime = { userUs: 0, systemUs: 0 }

/** One request by hand: throws unless the whole answer came back and the proxy did its work. */
export async function verify(contender: Contender, scenario: Scenario): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${contender.port}${contender.path}`, {
    method: 'POST',
    headers: { ...contender.headers, 'content-type': 'application/json' },
    body: scenario.body,
  })
  const text = await response.text()
  if (response.status !== 200 || !text.includes(scenario.lastText)) {
    throw new Error(`${contender.id} answers ${scenario.id} with ${response.status}: ${text.slice(0, 300)}`)
  }
  for (const [name, pattern] of Object.entries(contender.expected)) {
    const value = response.headers.get(name) ?? ''
    if (!pattern.test(value)) throw new Error(`${contender.id}, ${scenario.id}: ${name} is '${value}'`)
  }
}
