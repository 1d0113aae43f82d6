// Owns `gatewright schema`: the JSON Schema of the configuration, for editors.
import { Command } from 'commander'
import { configSchema } from '../config/schema.ts'
import { printJson } from './output.ts'

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => printJson(configSchema))
}
