// Loads packages when they are first needed: most configurations name no Redis, and Ajv is only asked why a document is not
// good.
import { createRequire } from 'node:module'
import type * as AjvPackage from 'ajv'
import type * as ProxyPackage from 'http-proxy-3'
import type * as RedisPackage from 'ioredis'
import type * as SocketPackage from 'ws'

const require = createRequire(import.meta.url)

export function openAjv(options: AjvPackage.Options): AjvPackage.Ajv {
  const { Ajv } = require('ajv') as typeof AjvPackage
  return new Ajv(options)
}

export function loadRedis(): typeof RedisPackage {
  return require('ioredis') as typeof RedisPackage
}

/** The first tunnel waits 20 ms for it, and everybody else with it. */
export function loadProxy(): typeof ProxyPackage {
  return require('http-proxy-3') as typeof ProxyPackage
}

/** As the first tunnel, so the first conversation. */
export function loadSockets(): typeof SocketPackage {
  return require('ws') as typeof SocketPackage
}
