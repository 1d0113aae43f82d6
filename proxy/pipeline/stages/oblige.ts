// Owns what leaves for the upstream: the head, built anew, and the body, either the bytes that were inspected or those
// bytes with the redactor's edits.
import type { Vault } from '../../detect/vault.ts'
import { replace, type Demanded, type Replacement } from '../../detect/replace.ts'
import type { Edit } from '../../lib/edit.ts'
import { bodyDigests, headerValue, stripHopByHop } from '../../lib/headers.ts'
import type { Address } from '../../lib/pointer.ts'
import type { TextPart } from '../../protocol/content.ts'
import { boundOutput } from '../../protocol/output-bound.ts'
import { givesModelAnswer } from '../../protocol/protocol.ts'
import { askUsage } from '../../protocol/usage-request.ts'
import { addCounts, grow, noteRedactedAt, type Permitted, type Prepared } from '../exchange.ts'
import { alternateEdits } from '../alternates.ts'
import { demandedBy } from '../demanded.ts'
import { redactHeaderValue } from '../header-redaction.ts'
import { redactHeader, type Mirroring } from '../mirrored-headers.ts'
import { aliasedPath, aliasEdits } from '../model-alias.ts'
import { offerEdits } from '../offers.ts'
import { editedBody, partEdit } from '../part-edit.ts'
import { hasFindings, rewriteTarget, scanPiece, type Target } from '../target.ts'
import type { Runtime } from '../runtime.ts'

export function oblige(x: Permitted, runtime: Runtime): Prepared {
  const { vault } = x
  const replaced = x.operation.headerMirror === undefined ? undefined : new Map<string, string>()
  const edits = [
    ...(vault === undefined ? [] : redact(x, runtime, vault, replaced)),
    ...withhold(x),
    ...alternateEdits(x.content?.alternates ?? [], x.withheldModels),
    ...aliasEdits(x),
    ...shorten(x),
  ]
  const target = redactTarget(x, runtime, vault)
  const path = pathOf(x, aliasedPath(x, target.path)) + (target.query === '' ? '' : `?${target.query}`)
  const asking = usageQuestion(x)
  const written = asking === undefined ? edits : [...edits, asking]
  const body = bodyOf(x, written)
  const isEdited = written.length > 0 || x.trace.restoredRequest.size > 0
  if (body !== undefined) x.trace.digestForwarded = isEdited ? runtime.audit.digest(body) : x.trace.digestRequest
  const mirroring = mirroringOf(x, runtime, vault, replaced)
  return grow(x, {
    outgoing: {
      path,
      headers: redactHeaders(x, runtime, forwardedHeaders(x, isEdited, mirroring)),
      body,
      unasked: asking === undefined ? undefined : () => bodyOf(x, edits),
    },
  })
}

/** A message goes to the url itself, whatever it ends with, and so does what a model is asked at the route's own path. */
function pathOf(x: Permitted, path: string): string {
  const { upstreamPath, protocol } = x.route
  if (upstreamPath === '') return path
  if (x.operation.action === 'asked') return upstreamPath
  if (x.operation.action !== 'tool.call' && x.head.path === x.route.path) return upstreamPath
  return protocol.joinPath?.(upstreamPath, path) ?? upstreamPath + path
}

/** Of the content's texts, counted and noted. `replaced` is told what has become of which text. */
export function redact(x: Permitted, runtime: Runtime, vault: Vault, replaced?: Map<string, string>): Edit[] {
  const { plan } = x.route.request
  const edits: Edit[] = []
  if (plan === undefined || x.findings === undefined || x.content === undefined) return edits
  const { parts } = x.content
  let demanded: Demanded | undefined
  // By index: the pairs of entries() take memory for each part, and most have no findings.
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as TextPart
    const findings = x.findings[index]
    if (findings === undefined || findings.length === 0) continue
    demanded ??= demandedBy(parts)
    const here = part.form === 'number' ? { ...demanded, number: true } : demanded
    const replacement = replace(part.text, findings, plan.forForm(part.form), vault, here)
    note(x, runtime, replacement, part.address)
    const { text } = replacement
    if (text === part.text) continue
    replaced?.set(part.text, text)
    edits.push(partEdit(part, text))
  }
  return edits
}

function redactTarget(x: Permitted, runtime: Runtime, vault: Vault | undefined): Target {
  const target = { path: x.operation.path, query: x.query }
  const { target: plan } = x.route.request
  if (plan === undefined || !hasFindings(x.targetFindings)) return target
  return rewriteTarget(target, (text, name) => {
    const replaced = replace(text, scanPiece(plan.scanner, text, name), plan, vault)
    note(x, runtime, replaced, 'target')
    return replaced.text
  })
}

/** Counts what was replaced and what was only seen, and where. */
function note(x: Permitted, runtime: Runtime, { counts, observed }: Replacement, where: string | Address): void {
  const { trace } = x
  addCounts(trace, 'redactedRequest', counts)
  addCounts(trace, 'observedRequest', observed)
  for (const [entity, count] of Object.entries(counts)) runtime.metrics.redaction(entity, 'request', count)
  if (Object.keys(counts).length > 0) noteRedactedAt(trace, 'request', where)
}

/** What was reserved is what may come. */
function shorten({ admissions, body, route, operation }: Permitted): readonly Edit[] {
  // Those before it are of upstreams that were asked before.
  const tokensMax = admissions.at(-1)?.maxTokens
  if (tokensMax === undefined || body.form !== 'json') return []
  return boundOutput(route.protocol.name, operation.name, body.value, tokensMax)
}

/** A limit that counts tokens must be told of those that no client sees. */
function usageQuestion({ admissions, body, content, route, operation }: Permitted): Edit | undefined {
  if (content?.stream !== true || body.form !== 'json' || route.streamUsage === false) return undefined
  if (admissions.at(-1)?.countsTokens !== true) return undefined
  return askUsage(route.protocol.name, operation.name, body.value)
}

function withhold(x: Permitted): readonly Edit[] {
  if (x.body.form !== 'json' || x.withheld.length === 0) return []
  const { value } = x.body
  const edits = x.operation.withdrawTools?.(value, x.withheld)
  return edits ?? offerEdits(value, x.content?.tools ?? [], x.withheld)
}

function bodyOf(x: Permitted, edits: readonly Edit[]): Uint8Array | undefined {
  if (x.body.form === 'none' || x.body.form === 'unread') return undefined
  if (edits.length === 0 || x.body.form === 'opaque') return x.body.bytes
  if (x.body.form === 'json') return Buffer.from(editedBody(x.body, edits))
  const [edit] = edits
  return edit !== undefined && 'text' in edit ? Buffer.from(edit.text) : x.body.bytes
}

function mirroringOf(
  x: Permitted,
  runtime: Runtime,
  vault: Vault | undefined,
  replaced: ReadonlyMap<string, string> | undefined,
): Mirroring | undefined {
  const { plan } = x.route.request
  const mirror = x.operation.headerMirror
  if (mirror === undefined || plan === undefined || vault === undefined || replaced === undefined) return undefined
  return { mirror, plan, vault, replaced, note: (found) => note(x, runtime, found, 'headers') }
}

/** Rebuilt by us or meant for us alone: a client must not be able to set them for the upstream. */
const ownNames = new Set(['host', 'content-length', 'forwarded', 'x-real-ip', 'via'])

/** What is found in the whole is not found in two halves, and a client may ask for each by itself. */
const ofPieces = new Set(['range', 'if-range'])

/** `isEdited`: the body is another one than the client's. */
function forwardedHeaders(x: Permitted, isEdited: boolean, mirroring: Mirroring | undefined): string[] {
  const kept = stripHopByHop(x.headers)
  const headers: string[] = []
  const isDecoded = x.body.form !== 'unread'
  const isOther = isEdited || (isDecoded && headerValue(kept, 'content-encoding') !== undefined)
  const inspected = readsAnswer(x)
  for (let i = 0; i < kept.length; i += 2) {
    const name = (kept[i] as string).toLowerCase()
    if (ownNames.has(name) || name.startsWith('x-gatewright-') || name.startsWith('x-forwarded-')) continue
    if (x.head.upgrade !== undefined && name.startsWith('sec-websocket-')) continue
    // The body was decoded to be read, and is sent decoded.
    if (isDecoded && name === 'content-encoding') continue
    if (isOther && bodyDigests.includes(name)) continue
    if (inspected && name === 'accept-encoding') continue
    if (x.route.answer.scanner !== undefined && ofPieces.has(name)) continue
    const value = kept[i + 1] as string
    headers.push(kept[i] as string, mirroring === undefined ? value : redactHeader(name, value, mirroring))
  }
  // An answer that is to be read is asked for in clear.
  if (inspected) headers.push('accept-encoding', 'identity')
  return headers
}

/** Where a rule says so; what repeats the body has been redacted with it. */
function redactHeaders(x: Permitted, runtime: Runtime, headers: string[]): string[] {
  const plan = x.route.request.headers
  if (plan === undefined || !hasFindings(x.headerFindings)) return headers
  return headers.map((value, at) => {
    if (at % 2 === 0) return value
    const replaced = redactHeaderValue((headers[at - 1] as string).toLowerCase(), value, plan, x.vault)
    if (replaced === undefined) return value
    note(x, runtime, replaced, 'headers')
    return replaced.text
  })
}

/** Whether the answer goes through the response filters, beyond being relayed. */
export function readsAnswer(x: Permitted): boolean {
  return (
    x.route.answer.scanner !== undefined ||
    x.route.request.plan !== undefined ||
    x.route.request.target !== undefined ||
    x.route.request.headers !== undefined ||
    x.route.answer.headers !== undefined ||
    x.operation.openStream !== undefined ||
    x.operation.action === 'asked' ||
    (x.route.needs.answer && givesModelAnswer(x.operation))
  )
}
