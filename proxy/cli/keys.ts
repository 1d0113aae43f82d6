// Owns `gatewright keys`: new agent keys. Only the digest belongs in a configuration.
import { Command } from 'commander'
import { generateKey } from '../identity/generate-key.ts'
import { outputOption, type OutputFormat } from './output.ts'

export function keysCommand(): Command {
  const keys = new Command('keys').description('agent keys')
  keys
    .command('generate')
    .description('a new agent key and the line that goes into a principal’s keys')
    .addOption(outputOption())
    .action(({ output }: { output: OutputFormat }) => {
      const { key, sha256 } = generateKey()
      if (output === 'json') {
        process.stdout.write(`${JSON.stringify({ key, sha256 })}\n`)
        return
      }
      process.stdout.write(`key:    ${key}\nsha256: ${sha256}\n\n`)
      process.stdout.write(
        `Give the key to the agent; it is not stored anywhere. Under the principal write:\n\n  keys:\n    - sha256: ${sha256}\n`,
      )
    })
  return keys
}
