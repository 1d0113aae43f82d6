// Owns `gatewright tools`: looking at what a tool server offers, and signing for it.
import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { openKeyFile } from '../audit/key.ts'
import type { CompiledConfig } from '../config/compile.ts'
import { secretResolver } from '../config/secrets.ts'
import { systemClock } from '../lib/clock.ts'
import type { JsonObject } from '../lib/json.ts'
import { signManifest } from '../pipeline/tool-manifest.ts'
import { digestOf } from '../pipeline/tool-pins.ts'
import { openUpstream } from '../upstream/open-upstream.ts'
import { CommandError } from './command-error.ts'
import { compileOrFail } from './judging.ts'
import { listTools } from './list-tools.ts'
import { collect, outputOption, printJson, type OutputFormat } from './output.ts'

type Options = {
  readonly config: readonly string[]
  readonly upstream: string
  readonly manifest?: string
  readonly output: OutputFormat
}

export function toolsCommand(): Command {
  const tools = new Command('tools').description('tools of MCP servers')
  tools
    .command('pin')
    .description('list the tools of an upstream and write a manifest of them, signed with the audit key')
    .requiredOption('-c, --config <path>', 'the configuration; several merge in order', collect)
    .requiredOption('-u, --upstream <id>', 'the upstream whose tools are pinned')
    .option('-m, --manifest <file>', 'where to write; the file that pinTools.manifest names when absent')
    .addOption(outputOption())
    .action(async (options: Options) => {
      const config = compileOrFail(options.config)
      const file = options.manifest ?? manifestOf(config, options.upstream)
      const tools = await fetchTools(config, options.upstream)
      const key = await openKeyFile(config.audit.keyFile)
      writeFileSync(file, await signManifest({ upstream: options.upstream, tools }, key))
      const listed = [...tools].map(([name, sha256]) => ({ name, sha256 }))
      if (options.output === 'json') printJson({ manifest: file, upstream: options.upstream, tools: listed })
      else {
        for (const { name, sha256 } of listed) process.stdout.write(`${sha256.slice(0, 16)}  ${name}\n`)
        process.stdout.write(`${listed.length} tools of ${options.upstream} are pinned in ${file}\n`)
      }
    })
  return tools
}

function manifestOf(config: CompiledConfig, id: string): string {
  const pinTools = upstreamOf(config, id).pinTools
  if (typeof pinTools === 'object') return pinTools.manifest
  throw new CommandError(`upstreams.${id}.pinTools names no manifest; say where to write with --manifest`, 2)
}

function upstreamOf(config: CompiledConfig, id: string) {
  const options = config.document.upstreams[id]
  if (options === undefined) throw new CommandError(`there is no upstream ${id}`, 2)
  if (options.protocol !== 'mcp') throw new CommandError(`upstream ${id} does not speak mcp, so it lists no tools`, 2)
  return options
}

/** Name → digest. Two tools of one name would be one pin for both. */
async function fetchTools(config: CompiledConfig, id: string): Promise<Map<string, string>> {
  const upstream = openUpstream(id, upstreamOf(config, id), {
    clock: systemClock,
    random: Math.random,
    resolve: secretResolver(process.env, process.cwd()),
    onEvent: () => undefined,
  })
  try {
    const digests = new Map<string, string>()
    for (const tool of await listTools(upstream)) {
      const name = nameOf(tool)
      if (digests.has(name)) throw new CommandError(`the server lists ${name} twice`, 1)
      digests.set(name, digestOf(tool))
    }
    return digests
  } finally {
    await upstream.close()
  }
}

function nameOf({ name }: JsonObject): string {
  if (typeof name !== 'string' || name === '') throw new CommandError('the server lists a tool without a name', 1)
  return name
}
