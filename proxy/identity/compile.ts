// Owns the step from options to an authenticator, and everything about principals that is wrong in a configuration.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { Networks, parseNetwork } from './addresses.ts'
import { buildAuthenticator, type Authenticator, type Caller, type KeyHolder } from './authenticate.ts'
import type { IdentityOptions, PrincipalOptions } from './options.ts'

/** Names that other parts of the configuration may refer to. */
export type KnownPrincipals = {
  readonly ids: ReadonlySet<string>
  readonly orgs: ReadonlySet<string>
  readonly teams: ReadonlySet<string>
  readonly roles: ReadonlySet<string>
}

export type IdentityContext = {
  /** Wall clock, to warn of keys that have expired already. */
  readonly nowMs: number
}

export type CompiledIdentity = {
  readonly authenticator: Authenticator
  readonly problems: readonly Problem[]
  readonly known: KnownPrincipals
}

/** `path` is where `principals` and `anonymous` stand: the root of the document. */
export function compileIdentity(options: IdentityOptions, path: Path, context: IdentityContext): CompiledIdentity {
  const problems: Problem[] = []
  const callers = new Map<string, Caller>()
  const holders = new Map<string, KeyHolder>()
  const principals = options.principals ?? []
  const known = { ids: new Set<string>(), orgs: new Set<string>(), teams: new Set<string>(), roles: new Set<string>() }
  for (const [index, option] of principals.entries()) {
    const at = [...path, 'principals', index]
    if (callers.has(option.id)) {
      problems.push(
        error([...at, 'id'], `the principal id "${option.id}" is used twice`, 'give each principal its own id'),
      )
      continue
    }
    if (option.id === 'deny')
      problems.push(error([...at, 'id'], '"deny" cannot be a principal: anonymous: deny means nobody'))
    const from = compileNetworks(option.from, [...at, 'from'], problems)
    const caller = { principal: principalOf(option), ...(from === undefined ? {} : { from }) }
    callers.set(option.id, caller)
    compileKeys(option, caller, at, holders, problems, context.nowMs)
    note(option, known)
  }
  const anonymous = compileAnonymous(options, callers, path, problems)
  return { authenticator: buildAuthenticator(holders, anonymous), problems, known }
}

function compileNetworks(from: readonly string[] | undefined, at: Path, problems: Problem[]): Networks | undefined {
  if (from === undefined) return undefined
  const networks = from.flatMap((text, position) => {
    const network = parseNetwork(text)
    if (network === undefined) {
      problems.push(error([...at, position], `"${text}" is not a network`, 'write e.g. 10.0.0.0/8 or 2001:db8::/32'))
      return []
    }
    if (network.masked) {
      problems.push(warning([...at, position], `"${text}" has bits set beyond its prefix; they are ignored`))
    }
    return [network]
  })
  return new Networks(networks)
}

function principalOf(option: PrincipalOptions): Caller['principal'] {
  return Object.freeze({
    id: option.id,
    roles: Object.freeze([...(option.roles ?? [])]),
    ...(option.org === undefined ? {} : { org: option.org }),
    ...(option.team === undefined ? {} : { team: option.team }),
    ...(option.priority === undefined ? {} : { priority: option.priority }),
  })
}

/** RFC 3339 §5.6, so that no reader takes a date for local time. */
const instant = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/

/** Else the 30th of February is in March, and a key works for longer than it says. */
function hasDay(time: string): boolean {
  const day = time.slice(0, 10)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}

function compileKeys(
  option: PrincipalOptions,
  caller: Caller,
  at: Path,
  holders: Map<string, KeyHolder>,
  problems: Problem[],
  nowMs: number,
): void {
  for (const [position, key] of (option.keys ?? []).entries()) {
    const keyAt = [...at, 'keys', position]
    const hex = key.sha256.toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(hex)) {
      const hint = 'write the hash that `gatewright keys generate` prints, never the key itself'
      problems.push(error([...keyAt, 'sha256'], 'a key hash is 64 hex digits', hint))
      continue
    }
    const other = holders.get(hex)
    if (other !== undefined) {
      const message = `this key already belongs to principal "${other.caller.principal.id}"`
      problems.push(error([...keyAt, 'sha256'], message, 'a key names one principal'))
      continue
    }
    const expiresMs = key.expires === undefined ? undefined : Date.parse(key.expires)
    if (
      key.expires !== undefined &&
      !(instant.test(key.expires) && Number.isFinite(expiresMs) && hasDay(key.expires))
    ) {
      problems.push(error([...keyAt, 'expires'], `"${key.expires}" is not a time`, 'write e.g. 2027-06-01T00:00:00Z'))
      continue
    }
    if (expiresMs !== undefined && expiresMs <= nowMs) {
      problems.push(warning([...keyAt, 'expires'], `this key of "${option.id}" has expired`, 'remove it'))
    }
    holders.set(hex, { caller, ...(expiresMs === undefined ? {} : { expiresMs }) })
  }
}

function note(option: PrincipalOptions, known: Record<keyof KnownPrincipals, Set<string>>): void {
  known.ids.add(option.id)
  if (option.org !== undefined) known.orgs.add(option.org)
  if (option.team !== undefined) known.teams.add(option.team)
  for (const role of option.roles ?? []) known.roles.add(role)
}

/** The anonymous caller, and warnings for principals that nobody can be. */
function compileAnonymous(
  options: IdentityOptions,
  callers: ReadonlyMap<string, Caller>,
  path: Path,
  problems: Problem[],
): Caller | undefined {
  const id = options.anonymous ?? 'deny'
  for (const [index, option] of (options.principals ?? []).entries()) {
    if (option.id === id || (option.keys ?? []).length > 0) continue
    const message = `nobody can be principal "${option.id}": it has no keys and is not the anonymous one`
    problems.push(warning([...path, 'principals', index], message, 'make a key with `gatewright keys generate`'))
  }
  if (id === 'deny') return undefined
  const caller = callers.get(id)
  if (caller === undefined) {
    const hint = didYouMean(id, callers.keys()).hint ?? 'write deny, or the id of a principal'
    problems.push(error([...path, 'anonymous'], `there is no principal "${id}"`, hint))
  }
  return caller
}

function error(path: Path, message: string, hint?: string): Problem {
  return { path, message, severity: 'error', ...(hint === undefined ? {} : { hint }) }
}

function warning(path: Path, message: string, hint?: string): Problem {
  return { ...error(path, message, hint), severity: 'warning' }
}
