// Starts the real proxy, `node proxy/main.ts serve`, as a process of its own, for what only a process can show: signals,
// exit codes, kill -9, memory. It knows nothing of what the configuration says beyond the addresses.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { compileCache } from './compile-cache.ts'
import { until } from './until.ts'

export type ProxyProcess = {
  readonly pid: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly adminUrl: string
  /** Log lines as objects, oldest first; what the process had not written when it was killed is missing. */
  readonly logged: readonly Record<string, unknown>[]
  /** Everything on standard error. */
  readonly errors: () => string
  /** Resolves with the first log line, past or coming, that `matches`. */
  line(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  signal(name: NodeJS.Signals): void
  readonly exited: Promise<ProcessEnd>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<ProcessEnd>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<ProcessEnd>
  /** Resident memory in bytes, by the kernel's account. */
  residentBytes(): number
}

export type ProcessEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type ProcessOptions = {
  readonly env?: Readonly<Record<string, string>>
  /** Loads the program and then waits for `go`. */
  readonly held?: boolean
}

/** Resolves once `/readyz` says so. Rejects with standard error when the process ends before. */
export async function startProxy(configFile: string, options: ProcessOptions = {}): Promise<ProxyProcess> {
  const starting = spawnProxy(configFile, options)
  const addresses = await starting.addresses
  await untilReady(addresses.adminUrl)
  return { ...starting.process, ...addresses }
}

export type Starting = {
  /** Lets a held process run. */
  readonly go: () => void
  readonly process: Omit<ProxyProcess, 'url' | 'adminUrl'>
  readonly addresses: Promise<{ url: string; adminUrl: string }>
}

/** Without waiting, for tests of the start itself. */
export function spawnProxy(configFile: string, { env = {}, held = false }: ProcessOptions = {}): Starting {
  const preload = held ? ['--import', join(import.meta.dirname, 'held-start.ts')] : []
  const child = spawn(process.execPath, [...preload, join(root, 'proxy', 'main.ts'), 'serve', '--config', configFile], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(held ? (['ipc'] as const) : [])],
  })
  const output = new Output(child)
  const exited = new Promise<ProcessEnd>((ended) => {
    child.once('exit', (code, signal) => ended({ code, signal }))
  })
  const kill = (name: NodeJS.Signals): void => void child.kill(name)
  const end = (name: NodeJS.Signals): Promise<ProcessEnd> => {
    kill(name)
    return exited
  }
  return {
    go: () => void child.send('go'),
    process: {
      pid: child.pid ?? 0,
      logged: output.logged,
      errors: () => output.errors,
      line: (matches) => output.line(matches),
      signal: kill,
      exited,
      stop: () => end('SIGTERM'),
      kill: () => end('SIGKILL'),
      residentBytes: () => residentBytes(child.pid ?? 0),
    },
    addresses: output.addresses,
  }
}

/** A configuration as a file's text: `document` with listeners on free ports and an audit log in `folder`. */
export function configText(folder: string, document: Readonly<Record<string, unknown>>): string {
  return stringify({
    apiVersion: 'gatewright/v1',
    ...document,
    server: { listen: '127.0.0.1:0', admin: '127.0.0.1:0', ...(document['server'] as object | undefined) },
    audit: {
      dir: join(folder, 'audit'),
      key: { fromFile: join(folder, 'audit.key') },
      ...(document['audit'] as object | undefined),
    },
  })
}

const root = resolve(import.meta.dirname, '..', '..')
const addressLine = /^gatewright \S+: data on (\S+), admin on (\S+)$/

class Output {
  readonly logged: Record<string, unknown>[] = []
  readonly addresses: Promise<{ url: string; adminUrl: string }>
  errors = ''
  readonly #waiting = new Set<(line: Record<string, unknown>) => void>()
  #rest = ''

  constructor(child: ChildProcess) {
    const { stdout, stderr } = child
    if (stdout === null || stderr === null) throw new Error('the output of the process is not piped')
    stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    this.addresses = new Promise((found, fail) => {
      stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text, found))
      child.once('close', (code, signal) =>
        fail(new Error(`the proxy ended (${code ?? signal}) before it served:\n${this.errors}`)),
      )
    })
    // A test that ends the process during its start does not ask for its addresses.
    this.addresses.catch(() => {})
  }

  line(matches: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const found = this.logged.find(matches)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((settle) => {
      const waiter = (line: Record<string, unknown>): void => {
        if (!matches(line)) return
        this.#waiting.delete(waiter)
        settle(line)
      }
      this.#waiting.add(waiter)
    })
  }

  #read(text: string, found: (addresses: { url: string; adminUrl: string }) => void): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, url, adminUrl] = addressLine.exec(line) ?? []
      if (url !== undefined && adminUrl !== undefined) found({ url, adminUrl })
      if (!line.startsWith('{')) continue
      const parsed = JSON.parse(line) as Record<string, unknown>
      this.logged.push(parsed)
      for (const waiter of this.#waiting) waiter(parsed)
    }
  }
}

/** Without keep-alive, so that a probe leaves nothing behind in the process that it looks at. */
export function probe(url: string): Promise<{ status: number; body: string }> {
  return new Promise((found, fail) => {
    const asking = request(url, { agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => (body += text))
      answer.once('end', () => found({ status: answer.statusCode ?? 0, body }))
      answer.once('error', fail)
    })
    asking.once('error', fail).end()
  })
}

/** One sample of `/metrics`, labels included in `name`; undefined when it is not there. */
export async function metric(adminUrl: string, name: string): Promise<number | undefined> {
  const { body } = await probe(`${adminUrl}/metrics`)
  const line = body.split('\n').find((text) => text.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

/** Asks again until the answer is as wanted. */
export function untilStatus(url: string, status: number): Promise<string> {
  return until(async () => {
    const answer = await probe(url)
    return answer.status === status && answer.body
  })
}

async function untilReady(adminUrl: string): Promise<void> {
  await untilStatus(`${adminUrl}/readyz`, 200)
}

function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}
