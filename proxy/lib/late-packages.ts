// Loads packages when they are first needed: most configurations name no Redis, and Ajv is only asked why a document is not
// good.
import { createRequire } from 'node:module'
import type * as AjvPackage from 'ajv'
import type * as RedisPackage from 'ioredis'

const require = createRequire(import.meta.url)

export function openAjv(options: AjvPackage.Options): AjvPackage.Ajv {
  const { Ajv } = require('ajv') as typeof AjvPackage
  return new Ajv(options)
}

export function loadRedis(): typeof RedisPackage {
  return require('ioredis') as typeof RedisPackage
}
