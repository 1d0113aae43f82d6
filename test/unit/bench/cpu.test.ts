import t from 'tap'
import { cpuBetween, cpuTime, occupancy, shareOfOthers } from '../../../bench/cpu.ts'

const skip = process.platform === 'linux' ? false : 'there is no /proc here'

t.test('the time of a process is what the process itself says', { skip }, async (t) => {
  const before = { said: process.cpuUsage(), read: cpuTime(process.pid) }
  for (let n = 0; cpuBetween(before.read, cpuTime(process.pid)).userUs < 100_000; n++) Math.sqrt(n)
  const { user, system } = process.cpuUsage(before.said)
  const { userUs, systemUs } = cpuBetween(before.read, cpuTime(process.pid))
  // A tick is 10 ms, and both figures may be cut off by one.
  t.ok(Math.abs(user + system - userUs - systemUs) <= 40_000, `${user + system} and ${userUs + systemUs} µs`)
})

t.test('what is busy but not our own belongs to others', async (t) => {
  const before = { ownUs: 100, busyUs: 1_000, atMs: 0 }
  t.equal(shareOfOthers(before, { ownUs: 1_100, busyUs: 4_000, atMs: 10 }, 2), 0.1)
  t.equal(shareOfOthers(before, { ownUs: 2_100, busyUs: 2_900, atMs: 10 }, 2), 0, 'rounding is not a share below zero')
})

t.test('the machine is at least as busy as one of its processes', { skip }, async (t) => {
  const { ownUs, busyUs } = occupancy([process.pid])
  t.ok(ownUs > 0)
  t.ok(busyUs > ownUs)
})
