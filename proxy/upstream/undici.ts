// Owns which parts of undici are loaded: the classes that carry requests, and what opens their connections. The package's own
// entry loads its fetch, caches, mocks and proxies besides.
import { createRequire } from 'node:module'
import type * as Package from 'undici'

const require = createRequire(import.meta.url)

export const undici = {
  buildConnector: require('undici/lib/core/connect.js') as typeof Package.buildConnector,
  Client: require('undici/lib/dispatcher/client.js') as typeof Package.Client,
  Pool: require('undici/lib/dispatcher/pool.js') as typeof Package.Pool,
}
