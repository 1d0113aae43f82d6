// Preloaded into a proxy process (`node --import`): loads the whole program, then waits for a message before it lets
// main.ts run. So the next process can load while the one before it still holds the audit log.
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import '../../proxy/cli/program.ts'

// It is written at the end of a process, which a killed one does not come to.
flushCompileCache?.()
await once(process, 'message')
process.disconnect?.()
