// Owns the command line: which commands there are and how a wrong call is answered. Each command is a file of its own.
import { Command, CommanderError } from 'commander'
import { Fault } from '../errors.ts'
import { auditCommand } from './audit.ts'
import { checkCommand } from './check.ts'
import { CommandError } from './command-error.ts'
import { demoCommand } from './demo.ts'
import { explainCommand } from './explain.ts'
import { keysCommand } from './keys.ts'
import { scanCommand } from './scan.ts'
import { schemaCommand } from './schema.ts'
import { serveCommand } from './serve.ts'
import { testCommand } from './test.ts'
import { toolsCommand } from './tools.ts'
import { usageCommand } from './usage.ts'
import { version } from './version.ts'

const exitUsage = 2
/** `audit verify` says 2 for a torn tail, so its wrong calls are 3. */
const exitUsageAudit = 3

/** Sets the exit code of the process; a command that serves keeps running. */
export async function runCommand(args: readonly string[]): Promise<void> {
  const program = new Command('gatewright')
    .description('Policy-enforcement proxy for AI agents')
    .version(version)
    .showHelpAfterError()
    .exitOverride()
  for (const command of [
    serveCommand(),
    checkCommand(),
    testCommand(),
    explainCommand(),
    auditCommand(),
    scanCommand(),
    keysCommand(),
    toolsCommand(),
    usageCommand(),
    schemaCommand(),
    demoCommand(),
  ]) {
    program.addCommand(overrideExit(command))
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    process.exitCode = exitCodeOf(error, args)
  }
}

function overrideExit(command: Command): Command {
  command.exitOverride().showHelpAfterError()
  for (const child of command.commands) overrideExit(child)
  return command
}

function exitCodeOf(error: unknown, args: readonly string[]): number {
  const usage = args[0] === 'audit' ? exitUsageAudit : exitUsage
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage
  if (error instanceof CommandError) {
    process.stderr.write(`gatewright: ${error.message}\n`)
    return error.exitCode
  }
  process.stderr.write(`gatewright: ${plainly(error)}\n`)
  return 1
}

/** What happened, for people: a fault's public message hides the cause that an operator needs. */
function plainly(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof Fault && error.cause instanceof Error) return error.cause.message
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const reason = syscall === 'listen' ? listenReasons[code ?? ''] : undefined
  return reason === undefined ? error.message : `${address}:${port} ${reason} (${listenKeys})`
}

const listenReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: another program listens there. Stop it, or choose another address',
  EADDRNOTAVAIL: 'is no address of this machine: choose one that is',
  EACCES: 'may not be listened on: ports below 1024 are kept for root. Choose another address',
}
const listenKeys =
  'server.listen, server.admin, demo.listen; for the quickstart GATEWRIGHT_LISTEN, GATEWRIGHT_ADMIN, GATEWRIGHT_DEMO'
