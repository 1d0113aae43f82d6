// Owns reading processor time from /proc: of one process, and of the whole machine, so that a run can tell how much of
// it went to others.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

export type CpuTime = { readonly userUs: number; readonly systemUs: number }

/** Of all threads of the process since its start: fields 14 (utime) and 15 (stime) of proc_pid_stat(5). */
export function cpuTime(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // Field 2 is the name in parentheses and may hold spaces; field 3 follows the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const toUs = (ticks: string | undefined): number => (Number(ticks) * 1e6) / ticksPerSecond
  return { userUs: toUs(fields[11]), systemUs: toUs(fields[12]) }
}

export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime {
  return { userUs: after.userUs - before.userUs, systemUs: after.systemUs - before.systemUs }
}

export type Occupancy = { readonly ownUs: number; readonly busyUs: number; readonly atMs: number }

/** `busyUs` is what all processors did but idle, of which `pids` did `ownUs`. Fields: proc_stat(5). */
export function occupancy(pids: readonly number[]): Occupancy {
  const [, ...fields] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/\s+/) ?? []
  const [user, nice, system, , , irq, softIrq, steal] = fields.map((ticks) => (Number(ticks) * 1e6) / ticksPerSecond)
  const busyUs = [user, nice, system, irq, softIrq, steal].reduce<number>((sum, us) => sum + (us ?? 0), 0)
  const own = pids.map(cpuTime)
  return {
    ownUs: own.reduce((sum, { userUs, systemUs }) => sum + userUs + systemUs, 0),
    busyUs,
    atMs: performance.now(),
  }
}

/** The share of the machine, 0 to 1, that others had between two readings. */
export function shareOfOthers(before: Occupancy, after: Occupancy, processors: number): number {
  const othersUs = after.busyUs - before.busyUs - (after.ownUs - before.ownUs)
  return Math.max(0, othersUs / ((after.atMs - before.atMs) * 1000 * processors))
}
