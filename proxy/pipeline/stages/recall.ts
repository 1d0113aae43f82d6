// Owns what tokens in a request stand for: the vault of the exchange is opened, what other gateways issued is fetched, and
// where a rule says that a tool may have the values, they are put in place before anything judges or redacts the request.
import type { RestorePlace } from '../../detect/options.ts'
import { openVault, type Vault, type WriteValue } from '../../detect/vault.ts'
import type { KeptOfCaller } from '../../detect/vault-memory.ts'
import { addBodies } from '../../detect/vault-token.ts'
import type { Edit } from '../../lib/edit.ts'
import { markupWriter } from '../../lib/xml-text.ts'
import { addCount, grow, type Decoded, type Recalled } from '../exchange.ts'
import { editedBody, partEdit } from '../part-edit.ts'
import type { Route, Runtime } from '../runtime.ts'
import { rewriteTarget, targetTexts } from '../target.ts'
import { reread } from './decode.ts'

export function recall(x: Decoded, runtime: Runtime): Recalled | Promise<Recalled> {
  const { route, principal } = x
  const { issuesTokens } = route
  if (!issuesTokens && !route.restoresTokens) return withVault(x, runtime, undefined)
  const kept = runtime.vaults.of(principal.id)
  const recalled = (): Recalled => {
    if (route.restoresTokens && kept.size > 0) putValues(x, runtime, kept)
    return withVault(x, runtime, issuesTokens ? kept : undefined)
  }
  const fetching = runtime.vaults.isShared ? fetchShown(x, runtime) : undefined
  return fetching === undefined ? recalled() : fetching.then(recalled)
}

function withVault(x: Decoded, runtime: Runtime, kept: KeptOfCaller | undefined): Recalled {
  return grow(x, { vault: x.route.redacts ? vaultOf(x, runtime, kept) : undefined })
}

function vaultOf({ route, principal }: Decoded, { audit }: Runtime, kept: KeptOfCaller | undefined): Vault {
  if (kept === undefined) return openVault(audit.tokenKey, principal.id)
  return openVault(audit.tokenKey, principal.id, {
    kept,
    allows: (entity, place) => mayComeBack(route, entity, place),
  })
}

/** Of what other exchanges gave out, only what this route would have given out on the same terms, and does not hide. */
function mayComeBack({ request, answer }: Route, entity: string, place: RestorePlace): boolean {
  const hiding = answer.plan?.actionFor(entity)
  if (hiding !== undefined && hiding.mode === 'enforce' && hiding.action !== 'tag') return false
  const sent = request.plan?.actionFor(entity)
  return sent?.action === 'token' && sent.mode === 'enforce' && sent.restore.includes(place)
}

/** Only what the request shows: a provider that remembers a conversation may say more, which then stays a token. */
function fetchShown(x: Decoded, runtime: Runtime): Promise<void> | undefined {
  const shown = new Set<string>()
  for (const { text } of x.content?.parts ?? []) addBodies(text, shown)
  if (x.operation.action === 'tool.call') {
    for (const text of targetTexts({ path: x.operation.path, query: x.query })) addBodies(text, shown)
  }
  return shown.size === 0 ? undefined : fetchTokens(x, runtime, shown)
}

async function fetchTokens(x: Decoded, runtime: Runtime, tokens: ReadonlySet<string>): Promise<void> {
  const sinceMs = runtime.clock.monotonic()
  if (!(await runtime.vaults.recall(x.principal.id, tokens))) x.trace.vaultUnavailable = true
  x.trace.waitedMs += runtime.clock.monotonic() - sinceMs
}

/** Body, headers that repeat it, and target. What follows sees the values, as if the client had sent them. */
function putValues(x: Decoded, runtime: Runtime, kept: KeptOfCaller): void {
  const vault = openVault(runtime.audit.tokenKey, x.principal.id, { kept, allows: () => false })
  const written = (text: string, write?: WriteValue): string => vault.restoreTo(text, x.route.upstream.id, write)
  // Of one parameter: a caller may hand it to functions that give more.
  const valuesIn = (text: string): string => written(text)
  const headers = headersWith(x, valuesIn)
  if (x.operation.action === 'tool.call') putInTarget(x, valuesIn)
  const edits: Edit[] = []
  for (const part of x.content?.parts ?? []) {
    const text = valuesIn(part.text)
    if (text !== part.text) edits.push(partEdit(part, text))
  }
  for (const [entity, count] of vault.restored) addCount(x.trace, 'restoredRequest', entity, count)
  if (headers !== undefined) grow(x, { headers })
  if (edits.length === 0) return
  if (x.body.form === 'text') {
    reread(x, runtime, written(x.body.text, x.body.markup && markupWriter(x.body.text, x.body.markup)))
  } else if (x.body.form === 'json') reread(x, runtime, editedBody(x.body, edits))
}

/** The record shows the path as the client sent it. */
function putInTarget(x: Decoded, valuesIn: (text: string) => string): void {
  const { operation, query } = x
  const target = rewriteTarget({ path: operation.path, query }, valuesIn)
  if (target.path !== operation.path)
    grow(x, { shownPath: operation.path, operation: { ...operation, path: target.path } })
  if (target.query !== query) grow(x, { query: target.query })
}

/** Undefined: they stay as they are. */
function headersWith({ headers, operation }: Decoded, valuesIn: (text: string) => string): string[] | undefined {
  const mirror = operation.headerMirror
  if (mirror === undefined) return undefined
  let isChanged = false
  const changed = headers.map((value, index) => {
    const said = index % 2 === 0 ? undefined : mirror.read((headers[index - 1] as string).toLowerCase(), value)
    const text = said === undefined ? undefined : valuesIn(said.text)
    if (said === undefined || text === undefined || text === said.text) return value
    isChanged = true
    return mirror.write(text)
  })
  return isChanged ? changed : undefined
}
