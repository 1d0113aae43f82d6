// Where Node keeps what it has compiled, for all processes of the tests: the types of a source are stripped once, and
// starting the program takes half as long.
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const compileCache = process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'gatewright-test-compiled')
