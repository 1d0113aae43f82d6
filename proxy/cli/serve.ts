// Owns `gatewright serve`: runs the proxy until a signal, and tells a newcomer what to try.
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { pino } from 'pino'
import type { LocatedProblem } from '../config/locate.ts'
import { report } from '../config/report.ts'
import { ConfigRefused, serve, type Gateway } from '../server/serve.ts'
import { LogOutput } from './log-output.ts'
import { collect, styled } from './output.ts'
import { onParentGone } from './parent.ts'
import { version } from './version.ts'
import { boundYoungSpace } from './young-space.ts'

export const quickstartPath = fileURLToPath(new URL('../../policies/quickstart.yaml', import.meta.url))

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the proxy')
    .option(
      '-c, --config <path>',
      'a file or a folder; several merge in order (without one: the quickstart)',
      collect,
      [],
    )
    .action(async ({ config }: { config: readonly string[] }) => {
      const paths = config.length === 0 ? [quickstartPath] : config
      await runUntilSignal(paths, config.length === 0)
    })
}

async function runUntilSignal(paths: readonly string[], isQuickstart: boolean): Promise<void> {
  const output = new LogOutput(1, (lines) => log.warn({ lines }, 'log lines were dropped: they could not be written'))
  const log = pino({ base: null, level: 'info', timestamp: isoTimestamp }, output)
  boundYoungSpace()
  // Before anything is opened: as process 1 of a container a signal without a handler would be lost.
  const starting = serve({ paths, env: process.env, log, version, watch: true })
  wireSignals(starting, log)
  try {
    const gateway = await starting
    // Like the log, so that a proxy whose output nobody takes serves all the same.
    output.write(isQuickstart ? quickstartText(gateway) : addressText(gateway))
    if (!isQuickstart) log.info({ version, ...addresses(gateway), config: gateway.config().hash }, 'serving')
    log.level = gateway.config().document.log.level
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error
    refuse(error.problems)
  }
}

function refuse(problems: readonly LocatedProblem[]): void {
  process.stderr.write(report(problems, 'text'))
  process.exitCode = 1
}

let second = 0
let prefix = ''

/** As pino writes ISO times, but only the milliseconds are formatted anew for each line. */
function isoTimestamp(): string {
  const nowMs = Date.now()
  const thisSecond = Math.floor(nowMs / 1000)
  if (thisSecond !== second) {
    second = thisSecond
    prefix = `,"time":"${new Date(thisSecond * 1000).toISOString().slice(0, 20)}`
  }
  return `${prefix}${String(nowMs % 1000).padStart(3, '0')}Z"`
}

/** The process ends by itself once everything is closed; a second signal does not wait. */
function wireSignals(starting: Promise<Gateway>, log: pino.Logger): void {
  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'shutting down')
    // A start under way is let finish first, so that what it opened is closed.
    void starting
      .then((gateway) => gateway.close())
      .then(
        () => {
          log.info('closed')
          process.exit(0)
        },
        (error: unknown) => {
          log.error({ err: error }, 'shutdown failed')
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // A signal to the whole group (systemd, Ctrl-C) ends the shell at once, which is no second one.
  onParentGone(() => {
    if (!stopping) stop('parent gone')
  })
  process.on('SIGHUP', () => {
    // A start that fails is reported where it is awaited.
    void starting.then((gateway) => gateway.reload()).catch(() => undefined)
  })
  // A limit on file sizes then fails the write, which the audit log answers for, instead of ending the process.
  process.on('SIGXFSZ', () => {})
  // State is unknown after these, so the process must not go on; the log keeps what was durable.
  const crash = (error: unknown): void => {
    log.fatal({ err: error }, 'crashed')
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}

function addressText(gateway: Gateway): string {
  const { data, admin } = addresses(gateway)
  return `gatewright ${version}: data on ${data}, admin on ${admin}\n`
}

function addresses({ data, admin }: Gateway): { readonly data: string; readonly admin: string } {
  return { data: address(data), admin: address(admin) }
}

function address({ address: host, port, family }: Gateway['data']): string {
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`
}

function quickstartText(gateway: Gateway): string {
  const data = address(gateway.data)
  const heading = (text: string): string => styled('bold', text)
  return `${addressText(gateway)}
Point an SDK at it:  OpenAI    ${data}/openai/v1
                     Anthropic ${data}/anthropic

${heading('Four commands to try in another terminal:')}

${heading('1. allowed, and redacted on its way out')} (the demo model repeats what it got; the address is put back for you)
curl -si ${data}/demo/openai/v1/chat/completions -H 'content-type: application/json' -d '{"model":"demo","messages":[{"role":"user","content":"demo: echo write to ada@example.org"}]}'

${heading('2. denied')}
curl -si -X DELETE ${data}/tools/crm/customers/42

${heading('3. rate-limited')} (three a minute; the fourth is refused)
for i in 1 2 3 4; do curl -s -o /dev/null -w '%{http_code}\\n' ${data}/tools/reports/customers/42; done

${heading('4. proof')}: recompute the audit log that all of this left behind
${commandLine} audit verify ${shellWord(gateway.config().document.audit.dir)}

`
}

/** As who runs this would call it: from a checkout by npm, else by the package's bin. */
const commandLine = import.meta.url.endsWith('.ts') ? 'npm run -s gatewright --' : 'npx gatewright'

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
