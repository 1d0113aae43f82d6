// Owns `gatewright usage`: what was used, by whom and for how much, from the audit log.
import { Command, Option } from 'commander'
import { listLogs } from '../audit/layout.ts'
import { openPrices } from '../limits/prices.ts'
import { parseUsageQuery, usageCsv, usageJson, usageTable } from '../pipeline/usage-format.ts'
import { UsageLog, usageKeys } from '../pipeline/usage-log.ts'
import { CommandError } from './command-error.ts'
import { collect, joinNames } from './output.ts'
import { compileOrFail } from './judging.ts'
import { whyUnreadable } from './files.ts'

type Options = {
  readonly by?: string
  readonly from?: string
  readonly to?: string
  readonly config: readonly string[]
  readonly output: 'text' | 'json' | 'csv'
}

export function usageCommand(): Command {
  return new Command('usage')
    .description('tokens and costs by day, org, team, principal and model, from the audit log')
    .argument('[dir]', 'the audit folder', './data/audit')
    .option('--by <names>', `what to list by, of ${usageKeys.join(',')}`, joinNames)
    .option('--from <day>', 'first day, as 2026-11-01 (UTC)')
    .option('--to <day>', 'last day')
    .option('--config <path>', 'the configuration whose prices hold where a record names no cost', collect, [])
    .addOption(
      new Option('-o, --output <format>', 'text, json or csv').choices(['text', 'json', 'csv']).default('text'),
    )
    .action(async (dir: string, { config, output, ...asked }: Options) => {
      const query = parseUsageQuery(asked)
      if ('error' in query) throw new CommandError(query.error, 2)
      await findLogs(dir)
      const prices = config.length === 0 ? openPrices([]) : compileOrFail(config).prices
      const rows = await new UsageLog(dir, prices).rows(query)
      process.stdout.write(
        output === 'json' ? usageJson(rows) : output === 'csv' ? usageCsv(rows, query.by) : usageTable(rows, query.by),
      )
    })
}

/** A wrong folder must not pass for one in which nothing was used. */
async function findLogs(dir: string): Promise<void> {
  const found = await listLogs(dir).catch((error: unknown) => {
    throw new CommandError(`${dir} cannot be read: ${whyUnreadable(error)}`, 2)
  })
  if (found.length === 0) throw new CommandError(`${dir} holds no audit log`, 2)
}
