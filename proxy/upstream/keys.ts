// Owns opening the credentials of one upstream, each with the switchboard that dials with it.
import type { Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import { openCredential, type Credential } from './credential.ts'
import type { Scrub } from './answer.ts'
import type { Deadlines } from './deadlines.ts'
import type { Lookup } from './egress.ts'
import { Keyring, type Slot } from './keyring.ts'
import { scrubOf } from './scrub.ts'
import type { UpstreamSettings } from './settings.ts'
import { Switchboard } from './switchboard.ts'

/** What goes with one credential. */
export type Held = {
  readonly credential: Credential | undefined
  readonly scrub: Scrub | undefined
  readonly switchboard: Switchboard
}
export type Key = Slot<Held>

export type Keys = {
  readonly ring: Keyring<Held>
  /** Headers in which credentials travel: a client must not fill one that another credential leaves free. */
  readonly headers: ReadonlySet<string>
}

type Deps = {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly resolve: ResolveSecret
  readonly lookup: Lookup | undefined
}

/** Throws a Fault when a credential cannot be had. */
export function openKeys(id: string, settings: UpstreamSettings, { clock, deadlines, resolve, lookup }: Deps): Keys {
  const held = (credential: Credential | undefined): Held => ({
    credential,
    scrub: scrubOf(credential),
    switchboard: new Switchboard({ settings, credential, clock, deadlines, lookup }),
  })
  const entries = settings.credentials.map(({ name, options }) => ({
    name,
    holding: held(openCredential(id, options, resolve)),
  }))
  return {
    ring: new Keyring(entries.length === 0 ? [{ name: '1', holding: held(undefined) }] : entries, clock),
    headers: new Set(entries.map(({ holding }) => holding.credential?.name ?? '')),
  }
}
