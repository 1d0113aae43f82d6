#!/usr/bin/env node
// Owns nothing but the start: hands the command line to cli/, and sees to standard output, which may close early.
import { runCommand } from './cli/program.ts'

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
await runCommand(process.argv.slice(2))
