// A whole proxy in front of the demo upstream, with a policy that has one of everything that real clients are tested on.
import { createHash } from 'node:crypto'
import { startDemo, type Demo } from '../../proxy/demo/demo.ts'
import { startGateway, type TestGateway } from './gateway.ts'

export type OnDemo = { readonly gateway: TestGateway; readonly demo: Demo; readonly close: () => Promise<void> }

/** The agent's key is `gw_test`. */
export async function startOnDemo(): Promise<OnDemo> {
  const demo = await startDemo({ host: '127.0.0.1', port: 0 })
  const gateway = await startGateway(policy(demo.url))
  return {
    gateway,
    demo,
    async close() {
      await gateway.close()
      await demo.close()
    },
  }
}

const sha256 = createHash('sha256').update('gw_test').digest('hex')

function policy(demo: string): string {
  return `
upstreams:
  openai: { protocol: openai, url: ${demo}/openai }
  anthropic: { protocol: anthropic, url: ${demo}/anthropic }
  crm: { protocol: http, url: ${demo}/tool }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
  - { id: limited, path: /limited, upstream: openai }
  - { id: limited-anthropic, path: /limited-anthropic, upstream: anthropic }
  - { id: crm, path: /tools/crm, upstream: crm }
principals:
  - { id: agent, org: acme, roles: [researcher], keys: [{ sha256: ${sha256} }] }
tools:
  - { name: 'delete_*', tags: [destructive] }
defaultEffect: deny
rules:
  - { id: everyone, effect: allow, actions: [model.call, tool.call] }
  - { id: approved-models, effect: deny, actions: [model.call], models: ['forbidden*'], reason: Only approved models. }
  - id: no-destructive-tools
    effect: deny
    actions: [tool.call]
    tags: [destructive]
    when: '!(args.dry_run == true)'
    reason: Destructive tools need dry_run.
redaction:
  - { id: out, direction: request, detect: [pii, secrets], action: token }
  - { id: back, direction: response, detect: [us-ssn], action: mask }
limits:
  - { id: few, by: [route], routes: [limited, limited-anthropic], requests: 1/1s }
  - { id: many, by: [principal], requests: 6000/m, concurrency: 64 }
`
}
