// A whole proxy in front of a scripted upstream that answers as Gemini does, with a policy that has one of everything
// that its clients are tested on.
import { createHash } from 'node:crypto'
import { startGateway, type TestGateway } from './gateway.ts'
import { answer, chunk as httpChunk, chunkedHead, scriptedUpstream } from './scripted-upstream.ts'
import type { Scene, ScriptedUpstream } from './scripted-upstream.ts'

export type OnGemini = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly close: () => Promise<void>
}

/** The agent's key is `gw_test`. `rate` holds for the route `/limited`. */
export async function startOnGemini({ rate }: { readonly rate: string }): Promise<OnGemini> {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(policy(upstream.url, rate))
  return {
    gateway,
    upstream,
    async close() {
      await gateway.close()
      await upstream.close()
    },
  }
}

export const chunk = (parts: unknown[], finishReason?: string): string =>
  JSON.stringify({
    candidates: [
      { index: 0, content: { role: 'model', parts }, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 3, totalTokenCount: 8 },
  })
export const call = (name: string): string => chunk([{ functionCall: { name, args: { id: 7 } } }], 'STOP')
export const json = (body: string): string => answer(200, body, { 'content-type': 'application/json' })
export const events = (...chunks: string[]): string =>
  answer(200, chunks.map((data) => `data: ${data}\r\n\r\n`).join(''), { 'content-type': 'text/event-stream' })

/** A stream that breaks off after its first event. */
export async function cutOff(scene: Scene): Promise<void> {
  await scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }))
  await scene.write(httpChunk(`data: ${chunk([{ text: 'Hello ' }])}\r\n\r\n`))
  scene.reset()
}

/** The token that stands for an address in what the upstream is asked. */
export const told = (body: Buffer): string => /EMAIL_[0-9a-z]{10}/.exec(body.toString())?.[0] ?? 'nothing'

const sha256 = createHash('sha256').update('gw_test').digest('hex')

function policy(upstream: string, rate: string): string {
  return `
upstreams:
  gemini: { protocol: gemini, url: '${upstream}', retry: { attempts: 1 }, breaker: { consecutive: 100 } }
routes:
  - { id: gemini, path: /gemini, upstream: gemini }
  - { id: limited, path: /limited, upstream: gemini }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
tools:
  - { name: 'delete_*', tags: [destructive] }
defaultEffect: deny
rules:
  - { id: everyone, effect: allow, actions: [model.call, tool.call] }
  - { id: approved-models, effect: deny, actions: [model.call], models: ['forbidden*'], reason: Only approved models. }
  - { id: no-destructive-tools, effect: deny, actions: [tool.call], tags: [destructive], when: '!(args.dry_run == true)', reason: Destructive tools need dry_run. }
  - { id: no-shell, effect: deny, actions: [tool.call], tools: [shell] }
redaction:
  - { id: out, direction: request, detect: [pii], action: token }
limits:
  - { id: few, by: [route], routes: [limited], requests: ${rate} }
`
}
