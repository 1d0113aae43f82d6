// Owns what is looked into of headers, where a rule says `in: [headers]`: the values of all that are neither framing nor
// negotiation, which say nothing about anybody and must stay as they are.
import type { Finding } from '../detect/finding.ts'
import { scanNamed } from '../detect/named.ts'
import { replace, type Replacement } from '../detect/replace.ts'
import type { Plan } from '../detect/redaction.ts'
import type { Vault } from '../detect/vault.ts'

/** Names in lower case. */
const exempt: ReadonlySet<string> = new Set(
  `host connection date te trailer upgrade expect content-length content-type content-encoding transfer-encoding vary
  accept accept-charset accept-encoding accept-language accept-ranges age allow cache-control etag expires last-modified
  if-match if-none-match if-modified-since if-unmodified-since if-range range content-range
  traceparent tracestate mcp-session-id mcp-protocol-version mcp-method last-event-id
  authorization proxy-authorization www-authenticate`.split(/\s+/),
)

export function isInspected(name: string): boolean {
  return !exempt.has(name) && !name.startsWith('sec-') && !name.startsWith('access-control-')
}

/** Flat list: the values that are looked into. */
export function headerTexts(headers: readonly string[]): string[] {
  const texts: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (isInspected((headers[at] as string).toLowerCase())) texts.push(headers[at + 1] as string)
  return texts
}

/** What is found in each of them. */
export function scanHeaders(headers: readonly string[], plan: Plan): (readonly Finding[])[] {
  const found: (readonly Finding[])[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase()
    if (isInspected(name)) found.push(scanValue(name, headers[at + 1] as string, plan))
  }
  return found
}

/** The name of a header counts as that of a member does. */
function scanValue(name: string, value: string, plan: Plan): readonly Finding[] {
  return scanNamed(plan.scanner, value, { path: [name] })
}

/** `name` in lower case. Undefined: there is nothing in it. What takes the place of a value is visible ASCII. */
export function redactHeaderValue(
  name: string,
  value: string,
  plan: Plan,
  vault: Vault | undefined,
): Replacement | undefined {
  if (!isInspected(name)) return undefined
  const findings = scanValue(name, value, plan)
  return findings.length === 0 ? undefined : replace(value, findings, plan, vault)
}
