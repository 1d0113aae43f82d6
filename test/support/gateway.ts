// Starts a whole proxy in this process: real sockets, real audit log in a folder of its own, ports given by the system.
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parse, stringify } from 'yaml'
import type { Clock } from '../../proxy/lib/clock.ts'
import { serve, type Gateway } from '../../proxy/server/serve.ts'

export type TestGateway = {
  readonly gateway: Gateway
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly adminUrl: string
  readonly folder: string
  readonly configFile: string
  readonly auditDir: string
  /** Log lines as objects, oldest first. */
  readonly logged: Record<string, unknown>[]
  /** Writes another configuration over the file; the caller reloads. */
  rewrite(yaml: string): void
  close(): Promise<void>
}

export type TestGatewayOptions = {
  readonly clock?: Clock
  readonly env?: Record<string, string>
  readonly watch?: boolean
  readonly random?: () => number
}

/** `yaml` is a configuration without `server` and `audit`, or with those parts of them that matter to the test. */
export async function startGateway(yaml: string, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(quickFolder(), 'gatewright-test-'))
  const configFile = join(folder, 'gatewright.yaml')
  const auditDir = join(folder, 'audit')
  const rewrite = (text: string): void => writeFileSync(configFile, completed(text, folder))
  rewrite(yaml)
  const logged: Record<string, unknown>[] = []
  const log = pino(
    { level: 'debug', base: null },
    { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
  )
  const gateway = await serve({
    paths: [configFile],
    env: options.env ?? {},
    log,
    version: '0.0.0-test',
    watch: options.watch ?? false,
    baseDir: folder,
    ...(options.clock === undefined ? undefined : { clock: options.clock }),
    ...(options.random === undefined ? undefined : { random: options.random }),
  })
  return {
    gateway,
    url: `http://127.0.0.1:${gateway.data.port}`,
    adminUrl: `http://127.0.0.1:${gateway.admin.port}`,
    folder,
    configFile,
    auditDir,
    logged,
    rewrite,
    async close() {
      await gateway.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** In memory where there is room: the disk is not what these tests are about, and one that is busy for others stalls for seconds. */
function quickFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(memory)
    if (bavail * bsize >= memoryBytesMin) return memory
  } catch {
    // Another system has none.
  }
  return tmpdir()
}

const memory = '/dev/shm'
const memoryBytesMin = 1024 ** 3

type Section = Record<string, unknown>

/** What every test wants the same, unless it says otherwise. */
function completed(yaml: string, folder: string): string {
  const document = parse(yaml) as Record<string, Section | undefined>
  return stringify({
    apiVersion: 'gatewright/v1',
    ...document,
    server: { listen: '127.0.0.1:0', admin: '127.0.0.1:0', ...document['server'] },
    audit: { dir: join(folder, 'audit'), key: { fromFile: join(folder, 'audit.key') }, ...document['audit'] },
  })
}
