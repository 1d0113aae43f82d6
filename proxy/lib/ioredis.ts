// Loads the Redis client when it is first needed: most configurations name no Redis.
import { createRequire } from 'node:module'
import type * as Package from 'ioredis'

const require = createRequire(import.meta.url)

export function loadRedis(): typeof Package {
  return require('ioredis') as typeof Package
}
