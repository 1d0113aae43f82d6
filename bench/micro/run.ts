// Owns a run of the small benches: hot functions in isolation, in nanoseconds. `node bench/micro/run.ts [PART-OF-A-NAME]`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditCases } from './audit.ts'
import { compileBenchConfig } from './config.ts'
import { detectCases } from './detect.ts'
import { jsonCases } from './json.ts'
import { policyCases } from './policy.ts'
import { timeCase } from './timing.ts'

const wanted = process.argv[2] ?? ''
const dir = await mkdtemp(join(tmpdir(), 'gatewright-micro-'))
const config = compileBenchConfig()
const audit = await auditCases(dir)
try {
  for (const one of [...jsonCases, ...detectCases(config), ...policyCases(config), ...audit.cases]) {
    if (!one.name.includes(wanted)) continue
    const ns = await timeCase(one)
    process.stdout.write(`${Math.round(ns).toLocaleString('en').padStart(12)} ns  ${one.name}\n`)
  }
} finally {
  await audit.close()
  await rm(dir, { recursive: true, force: true })
}
