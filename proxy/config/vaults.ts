// Owns opening what remembers tokens, with the key that they are derived from.
import { hkdfSync } from 'node:crypto'
import type { AuditKey } from '../audit/key.ts'
import { connectVaultRedis, VaultRedis } from '../detect/vault-redis.ts'
import { openVaultStore, type VaultStore } from '../detect/vault-store.ts'
import type { CompiledConfig } from './compile.ts'
import type { Surroundings } from './surroundings.ts'

export type Vaults = { readonly store: VaultStore; readonly tokenKey: Buffer }

type Around = Pick<Surroundings, 'clock' | 'metrics' | 'resolveSecret'>

/** Throws only what `resolveSecret` throws. */
export function openVaults(config: CompiledConfig, auditKey: AuditKey, around: Around): Vaults {
  const { vault } = config
  // A key of its own makes several gateways issue the same tokens.
  const tokenKey =
    vault.key === undefined
      ? auditKey.derive('token')
      : Buffer.from(hkdfSync('sha256', around.resolveSecret(vault.key), '', 'gatewright/token', 32))
  return { tokenKey, store: openVaultStore(vault, around.clock, openRedis(config, tokenKey, around)) }
}

function openRedis(config: CompiledConfig, key: Buffer, around: Around): VaultRedis | undefined {
  const { redis } = config.store
  if (!config.vault.isShared || redis?.url === undefined) return undefined
  const { clock, metrics, resolveSecret } = around
  const { url, username, password, timeoutMs, prefix } = redis
  const client = connectVaultRedis({
    url,
    timeoutMs,
    ...(username === undefined ? undefined : { username }),
    ...(password === undefined ? undefined : { password: resolveSecret(password) }),
  })
  const { ttlMs } = config.vault
  return new VaultRedis(client, { key, prefix, ttlMs, clock, onFault: (what) => metrics.storeError(`vault-${what}`) })
}
