// Owns the version that is shown: the package's own, from the file beside the code.
import { readFileSync } from 'node:fs'

const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

export const version = (manifest as { version: string }).version
