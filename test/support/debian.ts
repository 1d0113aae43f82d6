// Finds programs that tests need and npm does not have, and installs them from Debian's packages where that is allowed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** By program, the package that it is in. */
const packages = { 'redis-server': 'redis-server', promtool: 'prometheus' } as const

export type Program = keyof typeof packages
export const programs = Object.keys(packages) as readonly Program[]

/** Its path. Installs it by apt-get where it is missing and this user may; undefined: there is none, so tests skip. */
export function findProgram(program: Program): string | undefined {
  const found = inPath(program)
  if (found !== undefined || process.getuid?.() !== 0 || inPath('apt-get') === undefined) return found
  // RUNLEVEL keeps a package from starting a server of its own on its standard port.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const lock = 'DPkg::Lock::Timeout=120'
  const install = ['install', '-y', '-q', '--no-install-recommends', packages[program]]
  spawnSync('apt-get', ['-o', lock, 'update', '-q'], { env, timeout: 120_000 })
  spawnSync('apt-get', ['-o', lock, ...install], { env, timeout: 300_000 })
  return inPath(program)
}

/** Why tests skip where there is none. */
export const missing = (program: Program): string => `${program} is not installed, and this user cannot install it`

function inPath(name: string): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin']
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}
