// The READMEs say what is so: links lead somewhere, configurations check, commands and options exist, and the demo's
// output is what the demo prints. `UPDATE=1` writes that output anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { checkPaths } from '../proxy/cli/check.ts'
import { configSchema } from '../proxy/config/schema.ts'
import { report } from '../proxy/config/report.ts'
import { gatewright, root } from './support/command.ts'

const readmes = ['README.md', 'proxy/README.md', 'policies/README.md', 'deploy/README.md']

t.test('links to files lead somewhere', async (t) => {
  for (const readme of readmes) {
    const links = [...read(readme).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target)
    const files = links.filter((target) => !/^[a-z]+:/.test(target))
    const missing = files.filter((target) => !existsSync(join(root, dirname(readme), target)))
    t.same(missing, [], `${readme}: ${files.length} links`)
  }
})

t.test('configurations check without a warning', async (t) => {
  const blocks = readmes.flatMap((readme) => blocksOf(readme, 'yaml')).filter((block) => /^apiVersion:/m.test(block))
  t.ok(blocks.length > 0)
  for (const [index, block] of blocks.entries()) {
    const file = join(t.testdir({ [`block-${index}.yaml`]: block }), `block-${index}.yaml`)
    t.equal(report(checkPaths([file], {}), 'text'), '')
  }
})

t.test('every section of a configuration is spoken of', async (t) => {
  const text = read('README.md')
  for (const key of Object.keys(configSchema.properties)) t.match(text, new RegExp(`\\b${key}\\b`), key)
})

t.test('scripts, commands and options exist', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
  const lines = readmes.flatMap(commandLines)
  t.ok(lines.length > 10)
  for (const line of lines) {
    const script = /\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(start|test)\b)/.exec(line)
    const name = script?.[1] ?? script?.[2]
    if (name !== undefined) t.ok(scripts[name] !== undefined, `npm script ${name}: ${line}`)
  }
  const helps = new Map<string, Promise<string>>()
  const helpOf = (command: string): Promise<string> => {
    const known = helps.get(command) ?? gatewright([...command.split(' '), '--help']).then(({ stdout }) => stdout)
    helps.set(command, known)
    return known
  }
  for (const line of lines) {
    const call = callOf(line)
    if (call === undefined) continue
    const help = await helpOf(call.command)
    t.match(help, new RegExp(`^Usage: gatewright ${call.command}\\b`), `gatewright ${call.command}: ${line}`)
    for (const option of call.options) t.ok(help.includes(option), `${option} of ${call.command}`)
  }
})

t.test('the demo prints what the README shows', async (t) => {
  const { code, stdout, stderr } = await gatewright(['demo'], { NO_COLOR: '1' })
  t.equal(code, 0, 'it ends well')
  t.equal(stderr, '')
  const printed = stdout.trim()
  const [before = '', shown = '', after = ''] = read('README.md').split(/(?<=<!-- demo -->\n)([^]*)(?=<!-- \/demo -->)/)
  t.not(after, '', 'the place in the README is marked')
  if (process.env['UPDATE'] === '1')
    writeFileSync(join(root, 'README.md'), `${before}\n\`\`\`text\n${printed}\n\`\`\`\n\n${after}`)
  else t.equal(normalised(shown.replaceAll('```text', '').replaceAll('```', '').trim()), normalised(printed))
})

function read(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

function blocksOf(readme: string, language: string): string[] {
  return [...read(readme).matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, of, text = '']) =>
    of === language ? [text] : [],
  )
}

/** Lines of shell blocks, and code within sentences that begins like a command. */
function commandLines(readme: string): string[] {
  const shell = blocksOf(readme, 'sh').flatMap((block) => block.split('\n'))
  const inline = [...read(readme).matchAll(/`((?:npm|gatewright) [^`\n]+)`/g)].map(([, text = '']) => text)
  return [...shell, ...inline].map((line) => line.replace(/\s#.*$/, '').trim()).filter((line) => line !== '')
}

/** `npm run -s gatewright -- audit verify DIR --key F` → `audit verify`, `--key`. */
function callOf(line: string): { command: string; options: string[] } | undefined {
  const words = /(?:\bgatewright (?:-- )?|\bdist\/main\.js |\bnpm start -- )(.*)$/.exec(line)?.[1]?.split(/\s+/)
  if (words === undefined) return undefined
  const [first = '', second = ''] = line.includes('npm start') ? ['serve'] : words
  const command = first === 'audit' || first === 'keys' ? `${first} ${second}` : first
  return /^[a-z]/.test(command) ? { command, options: words.filter((word) => word.startsWith('--')) } : undefined
}

/** Without what is different each time: tokens, ids, sizes that hold durations, seconds left. */
function normalised(text: string): string {
  return (
    text
      .replaceAll(/\b([A-Z][A-Z_]*)_[0-9a-z]{10}\b/g, '$1_TOKEN')
      .replaceAll(/req_[0-9a-f]{32}/g, 'req_ID')
      .replaceAll(/\bw-[0-9a-f]{8}\b/g, 'w-ID')
      .replaceAll(/\bbyte \d+/g, 'byte N')
      // A checkpoint more or less, as the second turns.
      .replaceAll(/\b\d+ records\b/g, 'N records')
      .replaceAll(/\brecord \d+/g, 'record N')
      .replaceAll(/(?:500 )+503/g, '500 503')
      .replaceAll(/\bt=\d+/g, 't=N')
      .replaceAll(/(retry-after: +)\d+/g, '$1N')
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
  )
}
