// Loads Ajv when it is first needed: it is only asked why a document is not good.
import { createRequire } from 'node:module'
import type * as Package from 'ajv'

const require = createRequire(import.meta.url)

export function openAjv(options: Package.Options): Package.Ajv {
  const { Ajv } = require('ajv') as typeof Package
  return new Ajv(options)
}
