// The way of one exchange when something in it fails that should not: one answer without details, one record.
import { Writable } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import type { Client } from '../../../proxy/pipeline/client.ts'
import { openExchange } from '../../../proxy/pipeline/exchange.ts'
import { reject, run } from '../../../proxy/pipeline/pipeline.ts'
import type { Runtime } from '../../../proxy/pipeline/runtime.ts'
import { Fault } from '../../../proxy/errors.ts'
import { openBack } from './answered.ts'

const { runtime } = openBack('rules: [{ id: reads, effect: allow, actions: [model.call], models: ["*"] }]')
const secret = 'what only operators may see'

/** Remembers what is written to it. */
class Recorded implements Client {
  readonly signal = new AbortController().signal
  readonly gone = false
  readonly bytesIn = 0
  readonly bytesOut = 0
  readonly hasBody = true
  headSent = false
  status: number | undefined
  body = ''
  ended = 0
  readonly #content: string

  constructor(content: string) {
    this.#content = content
  }

  readBody(): Promise<Uint8Array> {
    return Promise.resolve(Buffer.from(this.#content))
  }

  async *streamBody(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(this.#content)
  }

  start(status: number): void {
    if (this.headSent) throw new Error('two heads')
    this.headSent = true
    this.status = status
  }

  write(chunk: Uint8Array | string): undefined {
    this.body += String(chunk)
  }

  end(last?: Uint8Array | string): void {
    this.body += String(last ?? '')
    this.ended += 1
  }

  flush(): void {}
  flushed(): undefined {}

  destroy(): void {
    this.ended += 1
  }

  breakOff(last: string): void {
    this.body += last
    this.ended += 1
  }
}

type Kept = { readonly runtime: Runtime; readonly outcomes: Record<string, unknown>[]; readonly logged: string[] }

function keeping(changes: Partial<Runtime>): Kept {
  const outcomes: Record<string, unknown>[] = []
  const logged: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk))
      done()
    },
  })
  const log = {
    ...runtime.audit.log,
    append: (kind: string, fields: Record<string, unknown>) => void outcomes.push({ kind, ...fields }),
  }
  return { runtime: { ...runtime, audit: { ...runtime.audit, log }, log: pino(sink), ...changes }, outcomes, logged }
}

function boom(): never {
  throw new Error(secret)
}

const content = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] })
const head = {
  method: 'POST',
  path: '/openai/v1/chat/completions',
  query: '',
  headers: ['content-type', 'application/json'],
  ip: '127.0.0.1',
}

const [first] = runtime.routes.filter(({ id }) => id === 'openai')
const brokenIn: Readonly<Record<string, Partial<Runtime>>> = {
  route: { routes: [{ ...(first ?? boom()), protocol: { ...(first ?? boom()).protocol, resolve: boom } }] },
  identify: { authenticator: { authenticate: boom } },
  admit: { limiter: { countsBytes: false, admit: () => Promise.reject(new Error(secret)) } },
  decide: { policy: { ...runtime.policy, evaluate: boom } },
  dispatch: {
    routes: [
      {
        ...(first ?? boom()),
        upstream: { ...(first ?? boom()).upstream, send: () => Promise.reject(new Error(secret)) },
      },
    ],
  },
  deliver: {
    routes: [
      {
        ...(first ?? boom()),
        upstream: {
          ...(first ?? boom()).upstream,
          send: () =>
            Promise.resolve({
              status: 200,
              headers: [],
              contentLength: undefined,
              body: { [Symbol.asyncIterator]: boom },
              settle: () => undefined,
              attempts: [],
            }),
        },
      },
    ],
  },
}

for (const [stage, changes] of Object.entries(brokenIn)) {
  t.test(`a failure in ${stage}`, async (t) => {
    const kept = keeping(changes)
    const client = new Recorded(content)
    await run(openExchange('req_1', head, runtime.clock.monotonic()), kept.runtime, client)
    t.equal(client.status, 500)
    t.equal(client.ended, 1)
    t.notMatch(client.body, secret, 'clients learn nothing of it')
    t.match(kept.outcomes, [{ kind: 'outcome', request: 'req_1', status: 500, fault: 'internal', end: 'refused' }])
    t.equal(kept.outcomes.length, 1)
    t.notMatch(JSON.stringify(kept.outcomes), secret)
    t.match(kept.logged.join(''), secret, 'operators do')
    const line = kept.logged.find((logged) => logged.includes('"msg":"request"')) ?? ''
    t.equal(line.includes('firstByteMs'), stage === 'deliver', 'a first byte is named only where one came')
  })
}

t.test('a failure in the audit log is counted and logged, and nothing is thrown', async (t) => {
  const kept = keeping({})
  const client = new Recorded(content)
  const broken = { ...kept.runtime, audit: { ...kept.runtime.audit, log: { ...kept.runtime.audit.log, append: boom } } }
  await run(openExchange('req_1', { ...head, path: '/nowhere' }, runtime.clock.monotonic()), broken, client)
  t.equal(client.status, 404)
  t.match(kept.logged.join(''), /not accepted by the audit log/)
  t.match(await runtime.metrics.registry.metrics(), /gatewright_audit_failures_total 1/)
})

t.test('an exchange that was refused before any stage', async (t) => {
  const kept = keeping({})
  const client = new Recorded('')
  reject(openExchange('req_1', head, runtime.clock.monotonic()), kept.runtime, client, new Fault('header-invalid'))
  t.equal(client.status, 400)
  t.match(kept.outcomes, [{ fault: 'header-invalid', status: 400, decision: 'none' }])
  t.equal(kept.outcomes.length, 1)
})

t.test('a client that cannot be written to still leaves a record', async (t) => {
  const kept = keeping({})
  const client = new Recorded(content)
  client.start = () => {
    throw new Fault('client-aborted')
  }
  await run(openExchange('req_1', { ...head, path: '/nowhere' }, runtime.clock.monotonic()), kept.runtime, client)
  t.match(kept.outcomes, [{ fault: 'route-not-found', end: 'client-gone' }])
  t.equal(kept.outcomes.length, 1)
  t.equal(kept.outcomes[0]?.['status'], undefined, 'nothing was sent')
  t.equal(client.ended, 1, 'and the connection is broken')
})
