// Owns `gatewright demo`: seven scenes on the embedded upstream, offline, each shown as it really happened. A scene that
// does not go as it says ends the command with 1.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { verifyLog } from '../audit/verify.ts'
import { serve, type Gateway } from '../server/serve.ts'
import { CommandError } from './command-error.ts'
import { styled } from './output.ts'
import { quickstartPath } from './serve.ts'
import { version } from './version.ts'

export function demoCommand(): Command {
  return new Command('demo')
    .description('seven scenes on the embedded upstream, ending with a tampered log caught')
    .action(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'gatewright-demo-'))
      const remove = (): void => rmSync(folder, { recursive: true, force: true })
      const left = leaving(remove)
      try {
        await play(folder)
      } finally {
        left()
        remove()
      }
    })
}

/** Who leaves in the middle, by Ctrl-C or by closing the pipe, leaves nothing behind either. Returns how to stop this. */
function leaving(remove: () => void): () => void {
  // 128 and the signal's number, as shells have it.
  const interrupted = (): never => process.exit(130)
  const terminated = (): never => process.exit(143)
  process.on('exit', remove).on('SIGINT', interrupted).on('SIGTERM', terminated)
  return () => void process.off('exit', remove).off('SIGINT', interrupted).off('SIGTERM', terminated)
}

type Stage = { readonly gateway: Gateway; readonly url: string; readonly auditDir: string }
type Scene = { readonly title: string; readonly play: (stage: Stage) => Promise<void> }

async function play(folder: string): Promise<void> {
  const gateway = await startGateway(folder)
  const stage = { gateway, url: `http://127.0.0.1:${gateway.data.port}`, auditDir: join(folder, 'audit') }
  try {
    for (const [index, scene] of scenes.entries()) {
      process.stdout.write(`\n${styled('bold', `${index + 1}. ${scene.title}`)}\n`)
      await scene.play(stage)
    }
  } finally {
    await gateway.close()
  }
  process.stdout.write(
    `\n${styled('bold', `${scenes.length + 1}. Proof: the log verifies, and a single flipped bit is found`)}\n`,
  )
  await proveLog(stage.auditDir)
}

async function startGateway(folder: string): Promise<Gateway> {
  return serve({
    paths: [quickstartPath],
    // The real providers stay off whatever the environment holds: the demo is offline.
    env: {
      GATEWRIGHT_LISTEN: '127.0.0.1:0',
      GATEWRIGHT_ADMIN: '127.0.0.1:0',
      GATEWRIGHT_DEMO: `127.0.0.1:${await freePort()}`,
      GATEWRIGHT_DATA: folder,
    },
    log: pino({ level: 'silent' }),
    version,
    watch: false,
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

const scenes: readonly Scene[] = [
  {
    title: 'A call within the rules is allowed',
    async play({ url }) {
      const answer = await chat(url, 'What is a sidecar?')
      expect(answer.status, 200)
      say('answer', text(await answer.json()))
      sayHeaders(answer, 'x-gatewright-decision', 'x-gatewright-rule')
    },
  },
  {
    title: 'Personal data leaves as tokens and comes back as itself',
    async play({ url, gateway }) {
      const prompt = 'demo: echo Write to ada@example.org about card 4111 1111 1111 1111.'
      const answer = await chat(url, prompt)
      expect(answer.status, 200)
      say('sent', prompt)
      say('upstream saw', lastPrompt(gateway))
      say('answer', text(await answer.json()))
      sayHeaders(answer, 'x-gatewright-redactions')
    },
  },
  {
    title: 'The same in a stream, where values are split over many events',
    async play({ url, gateway }) {
      const answer = await chat(url, 'demo: echo Call +1 202 555 0143 or write to grace@example.com.', { stream: true })
      expect(answer.status, 200)
      say('upstream saw', lastPrompt(gateway))
      say('stream said', deltas(await answer.text()))
    },
  },
  {
    title: 'A tool call against the rules is denied, and nothing is sent',
    async play({ url, gateway }) {
      const before = gateway.demo?.received()
      const answer = await fetch(`${url}/tools/crm/customers/42`, { method: 'DELETE' })
      expect(answer.status, 403)
      say('answer', `${answer.status} ${await answer.text()}`)
      sayHeaders(answer, 'x-gatewright-decision', 'x-gatewright-rule')
      expect(gateway.demo?.received(), before)
    },
  },
  {
    title: 'The fourth call of a minute meets the limit',
    async play({ url }) {
      const statuses: number[] = []
      let last: Response | undefined
      for (let i = 0; i < 4; i += 1) {
        last = await fetch(`${url}/tools/reports/customers/42`)
        statuses.push(last.status)
        await last.text()
      }
      say('statuses', statuses.join(' '))
      expect(statuses.join(' '), '200 200 200 429')
      if (last !== undefined) sayHeaders(last, 'retry-after', 'ratelimit')
    },
  },
  {
    title: 'An answer that breaks off never looks whole, and a failing upstream is cut off',
    async play({ url }) {
      const broken = await chat(url, 'demo: break 5', { stream: true })
      say('stream', await brokenStream(broken))
      const statuses: number[] = []
      for (let i = 0; i < 12 && !statuses.includes(503); i += 1) {
        const answer = await chat(url, 'demo: fail 500')
        statuses.push(answer.status)
        await answer.text()
      }
      say('then', `${statuses.join(' ')} (503: the breaker is open)`)
      expect(statuses.includes(503), true)
    },
  },
]

async function proveLog(dir: string): Promise<void> {
  const intact = await verifyLog(dir)
  expect(intact.status, 'intact')
  say('verify', `${intact.status}: ${intact.records} records`)
  const file = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.jsonl')) ?? ''
  const path = join(dir, file)
  const bytes = readFileSync(path)
  const place = bytes.indexOf('"deny"')
  bytes.writeUInt8(bytes.readUInt8(place + 1) ^ 1, place + 1)
  writeFileSync(path, bytes)
  say(
    'tampering',
    `one bit at byte ${place + 1} of ${file}: "deny" is now ${JSON.stringify(bytes.subarray(place + 1, place + 5).toString('latin1'))}`,
  )
  const tampered = await verifyLog(dir)
  expect(tampered.status, 'tampered')
  say('verify', `${tampered.status}: record ${tampered.first?.index}, ${tampered.first?.message}`)
}

function chat(url: string, content: string, extra: Readonly<Record<string, unknown>> = {}): Promise<Response> {
  return fetch(`${url}/demo/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content }], ...extra }),
  })
}

type Completion = { readonly choices: readonly { readonly message: { readonly content: string } }[] }
type Chunk = {
  readonly choices?: readonly { readonly delta: { readonly content?: string } }[]
  readonly error?: { readonly message: string }
}

function text(body: unknown): string {
  return (body as Completion).choices[0]?.message.content ?? ''
}

/** What the demo upstream really got as the last message. */
function lastPrompt(gateway: Gateway): string {
  const body = JSON.parse(gateway.demo?.requests.at(-1)?.body ?? '{}') as { messages?: { content: string }[] }
  return body.messages?.at(-1)?.content ?? ''
}

function chunks(stream: string): Chunk[] {
  return [...stream.matchAll(/^data: (\{.*)$/gm)].map((match) => JSON.parse(match[1] ?? '{}') as Chunk)
}

function deltas(stream: string): string {
  return chunks(stream)
    .map((chunk) => chunk.choices?.[0]?.delta.content ?? '')
    .join('')
}

/** Reads until the connection breaks, as it must. */
async function brokenStream(answer: Response): Promise<string> {
  let read = ''
  try {
    for await (const chunk of answer.body ?? []) read += Buffer.from(chunk).toString('utf8')
  } catch {
    const error = chunks(read).find((chunk) => chunk.error !== undefined)?.error?.message
    return `${JSON.stringify(deltas(read))}, then the in-band error ${JSON.stringify(error)} and a broken connection`
  }
  throw new CommandError('the broken stream ended as if it were whole', 1)
}

function say(what: string, words: string): void {
  process.stdout.write(`   ${`${what}:`.padEnd(14)} ${words}\n`)
}

function sayHeaders(answer: Response, ...names: readonly string[]): void {
  for (const name of names) {
    const value = answer.headers.get(name)
    if (value !== null) process.stdout.write(`   ${`${name}:`.padEnd(14)} ${value}\n`)
  }
}

function expect(actual: unknown, wanted: unknown): void {
  if (actual !== wanted)
    throw new CommandError(`the demo did not go as it should: ${String(actual)} instead of ${String(wanted)}`, 1)
}
