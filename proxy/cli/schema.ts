// Owns `gatewright schema`: the JSON Schema of the configuration, for editors.
import { Command } from 'commander'
import { configSchema } from '../config/schema.ts'
import { jsonOutputOption, printJson } from './output.ts'

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration')
    .addOption(jsonOutputOption())
    .action(() => printJson(configSchema))
}
