// A whole proxy in front of the reference MCP server, with a policy that has one of everything that MCP clients are
// tested on.
import { createHash } from 'node:crypto'
import { startGateway, type TestGateway } from './gateway.ts'
import { startReference, type Reference } from './mcp-reference.ts'

export type OnReference = {
  readonly gateway: TestGateway
  readonly reference: Reference
  readonly close: () => Promise<void>
}

/** The agent's key is `gw_test`, another agent's `gw_other`, that of somebody who may use one tool `gw_guest`. */
export async function startOnReference(): Promise<OnReference> {
  const reference = await startReference()
  const gateway = await startGateway(policy(reference.url))
  return {
    gateway,
    reference,
    async close() {
      await gateway.close()
      await reference.close()
    },
  }
}

function sha256(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function policy(reference: string): string {
  return `
upstreams:
  github: { protocol: mcp, url: '${reference}/sessions' }
  asking: { protocol: mcp, url: '${reference}/sessions' }
  quiet: { protocol: mcp, url: '${reference}/sessions', timeouts: { idle: 50ms } }
  modern: { protocol: mcp, url: '${reference}/stateless' }
routes:
  - { id: github, path: /mcp/github, upstream: github }
  - { id: few, path: /mcp/few, upstream: github }
  - { id: asking, path: /mcp/asking, upstream: asking }
  - { id: quiet, path: /mcp/quiet, upstream: quiet }
  - { id: modern, path: /mcp/modern, upstream: modern }
  - { id: alone, path: /mcp/alone, upstream: github }
  - { id: alone-modern, path: /mcp/alone-modern, upstream: modern }
principals:
  - { id: agent, org: acme, roles: [researcher], keys: [{ sha256: ${sha256('gw_test')} }] }
  - { id: other, org: acme, roles: [researcher], keys: [{ sha256: ${sha256('gw_other')} }] }
  - { id: guest, roles: [guest], keys: [{ sha256: ${sha256('gw_guest')} }] }
  - { id: nobody, keys: [{ sha256: ${sha256('gw_nobody')} }] }
tools:
  - { name: '*/delete_*', tags: [destructive] }
defaultEffect: deny
rules:
  - id: tools
    effect: allow
    actions: [tool.call]
    tools: ['*/get_*', '*/delete_*', '*/echo', '*/ask_*']
    principals: { roles: [researcher] }
  - { id: mail, effect: allow, actions: [tool.call], tools: ['modern/get_mail'], principals: { roles: [guest] } }
  - { id: notes, effect: allow, actions: [resource.read], when: 'uri.startsWith("notes://public/")', principals: { roles: [researcher] } }
  - { id: prompts, effect: allow, actions: [prompt.get], principals: { roles: [researcher] } }
  - { id: questions, effect: allow, actions: [tool.call], tools: ['{modern,asking}/elicitation/create'], principals: { roles: [researcher] } }
  - { id: sampling, effect: allow, actions: [model.call], upstreams: [github], models: ['gpt-4o'] }
  - id: no-destructive-tools
    effect: deny
    actions: [tool.call]
    tags: [destructive]
    when: '!(args.dry_run == true)'
    reason: Destructive tools need dry_run.
redaction:
  - { id: never, direction: request, detect: [iban], action: block }
  - { id: out, direction: request, detect: [pii, secrets], action: token }
  - { id: back, direction: response, detect: [email], action: mask }
limits:
  - { id: few, by: [route], routes: [few], requests: 3/1h }
  - { id: one, by: [route], routes: [alone, alone-modern], concurrency: 1 }
`
}
