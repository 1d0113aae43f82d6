// Owns the compiled form of the bench's own configuration, for cases that need rules or a redaction plan.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { compileConfig, type CompiledConfig } from '../../proxy/config/compile.ts'
import { loadConfig } from '../../proxy/config/load.ts'
import { gatewrightConfig } from '../gatewright-config.ts'

export function compileBenchConfig(): CompiledConfig {
  const dir = mkdtempSync(join(tmpdir(), 'gatewright-micro-'))
  try {
    const file = join(dir, 'gatewright.yaml')
    writeFileSync(file, stringify(gatewrightConfig({ data: 8080, admin: 9901, upstream: 9902 }, dir)))
    const loaded = loadConfig([file], {})
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    const compiled = compileConfig(loaded, Date.now())
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
    return compiled.config
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
