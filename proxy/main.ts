#!/usr/bin/env node
// Owns nothing but the start: whether this Node will do, and standard output, which may close early. It hands the command
// line to cli/.

// EX_IOERR of sysexits.h: no command says anything else by it.
const exitUnwritten = 74

// A reader that has seen enough (`| head`) is no error, and changes no verdict: commands set theirs before they print.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`gatewright: standard output cannot be written: ${error.message}\n`)
  process.exit(exitUnwritten)
})
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 24 || (major === 24 && minor >= 12)) {
  // Only now, because an older Node does not have all that these files import.
  const { runCommand } = await import('./cli/program.ts')
  await runCommand(process.argv.slice(2))
} else {
  process.stderr.write(`gatewright: needs Node 24.12 or newer, and this is ${process.versions.node}\n`)
  process.exitCode = 2
}
