// A whole proxy between a client that sends any bytes and an upstream that is told what to answer, for tests of what must
// never happen.
import { connect } from 'node:net'
import { createHash } from 'node:crypto'
import { auditLines, untilOutcomes, type AuditLine } from '../support/audit-lines.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

export const agentKey = 'gw_agent_key_that_must_not_leak'
export const upstreamKey = 'sk-upstream-credential-that-must-not-leak'

export type Fortress = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly port: number
  /** The outcome records, once there are that many. */
  outcomes(count: number): Promise<AuditLine[]>
  /** Everything that operators see: log lines, audit records and metrics. */
  traces(): Promise<string>
  close(): Promise<void>
}

/**
 * `/openai` and `/tools/crm` want the agent's key and have a credential of their own; `/open` lets anybody through and
 * reads no body. `extra` is YAML for sections that are not here: limits, redaction, rules.
 */
export async function openFortress(extra = '', options: TestGatewayOptions = {}): Promise<Fortress> {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`${policy(upstream.url)}\n${extra}`, {
    env: { UPSTREAM_KEY: upstreamKey },
    ...options,
  })
  return {
    gateway,
    upstream,
    port: gateway.gateway.data.port,
    outcomes: (count) => untilOutcomes(gateway.auditDir, count),
    async traces() {
      const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
      return (
        [...gateway.logged, ...auditLines(gateway.auditDir)].map((line) => JSON.stringify(line)).join('\n') + metrics
      )
    },
    async close() {
      await gateway.close()
      await upstream.close()
    },
  }
}

export type Reply = {
  readonly status: number
  readonly head: string
  readonly body: string
  readonly requestId: string | undefined
}
/** `end`: the proxy closed the connection; `open`: it had given all the answers that were waited for. */
export type Talk = { readonly replies: readonly Reply[]; readonly end: 'closed' | 'open' }

/** Sends bytes on one connection and reads until there are so many answers, or the connection is closed. */
export function talk(port: number, bytes: string | Uint8Array, answers = 1): Promise<Talk> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let received = Buffer.alloc(0)
    const settle = (end: Talk['end']): void => {
      socket.destroy()
      resolve({ replies: repliesIn(received), end })
    }
    socket.on('connect', () => socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (repliesIn(received).length >= answers) settle('open')
    })
    socket.on('error', () => {})
    socket.on('close', () => settle('closed'))
  })
}

/** The whole answers at the beginning of what was received. */
function repliesIn(bytes: Buffer): Reply[] {
  const replies: Reply[] = []
  for (let at = 0; ;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at)
    if (headEnd === -1) return replies
    const head = bytes.toString('latin1', at, headEnd)
    const status = Number(head.slice(9, 12))
    const framed = bodyAt(bytes, headEnd + 4, head, status)
    if (framed === undefined) return replies
    at = framed.end
    if (status === 100) continue
    replies.push({ status, head, body: framed.body, requestId: /x-gatewright-request-id: (\S+)/i.exec(head)?.[1] })
  }
}

function bodyAt(bytes: Buffer, start: number, head: string, status: number): { body: string; end: number } | undefined {
  if (status === 204 || status === 304 || status < 200) return { body: '', end: start }
  const length = /^content-length: (\d+)$/im.exec(head)?.[1]
  if (length !== undefined) {
    const end = start + Number(length)
    return bytes.length < end ? undefined : { body: bytes.toString('utf8', start, end), end }
  }
  let body = ''
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size + 2
    if (Number.isNaN(size) || bytes.length < end) return undefined
    if (size === 0) return { body, end }
    body += bytes.toString('utf8', lineEnd + 2, end - 2)
    at = end
  }
}

const sha256 = createHash('sha256').update(agentKey).digest('hex')

function policy(url: string): string {
  return `
server: { timeouts: { body: 400ms, keepAlive: 50ms, headers: 2s } }
upstreams:
  openai: { protocol: openai, url: '${url}', credential: { bearer: { fromEnv: UPSTREAM_KEY } }, timeouts: { firstByte: 800ms }, retry: { attempts: 1 }, breaker: { consecutive: 1000, minimum: 1000 } }
  crm: { protocol: http, url: '${url}', credential: { header: x-api-key, value: { fromEnv: UPSTREAM_KEY } }, retry: { attempts: 1 } }
  open: { protocol: http, url: '${url}', retry: { attempts: 1 }, breaker: { consecutive: 1000, minimum: 1000 } }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: limited, path: /limited, upstream: openai }
  - { id: crm, path: /tools/crm, upstream: crm }
  - { id: open, path: /open, upstream: open }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
  - { id: anybody, from: [127.0.0.0/8] }
anonymous: anybody
defaultEffect: deny
rules:
  - { id: open-to-all, effect: allow, actions: [tool.call], upstreams: [open] }
  - { id: agents, effect: allow, principals: { ids: [agent] }, actions: [model.call, tool.call] }
  - { id: no-admin, effect: deny, actions: [tool.call], upstreams: [open], paths: ['/admin', '/admin/**', '/**:delete'] }
  - { id: no-such-model, effect: deny, actions: [model.call], models: ['forbidden*', 'denied-*'] }
  - { id: no-deletions, effect: deny, actions: [tool.call], methods: [DELETE], upstreams: [crm] }
`
}
