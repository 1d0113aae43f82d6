// The rules of the house that a machine can check: which folder may import which, how long files and functions may be,
// and what may not be in the repository at all.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '..')
const proxy = join(root, 'proxy')

const fileLinesMax = 400
const functionLinesMax = 70

/** Lower layers first. A folder imports its own files and those of lower layers; folders of one layer are strangers. */
const layers: readonly (readonly string[])[] = [
  ['lib', 'errors'],
  ['audit', 'detect', 'identity', 'limits', 'policy', 'protocol', 'upstream', 'demo'],
  ['pipeline'],
  ['config'],
  ['admin'],
  ['server'],
  ['cli'],
  ['main'],
]

const files = sourceFiles(proxy)

t.test('imports point downwards', async (t) => {
  for (const file of files) {
    const from = folderOf(file)
    t.ok(layerOf(from) >= 0, `${relative(root, file)} is in a folder that has a layer`)
    for (const target of importsOf(file)) {
      const to = folderOf(target)
      const allowed = from === to || layerOf(to) < layerOf(from) || (layerOf(from) === 0 && to === 'errors')
      if (!allowed) t.fail(`${relative(root, file)} imports ${relative(root, target)}`)
    }
  }
})

t.test('files own one thing, functions fit a screen', async (t) => {
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n')
    if (lines.length > fileLinesMax)
      t.fail(`${relative(root, file)} has ${lines.length} lines, ${fileLinesMax} are allowed`)
    t.match(lines[0], /^(\/\/|#!)/, `${relative(root, file)} says what it owns`)
    for (const { name, length } of functionsOf(lines)) {
      if (length > functionLinesMax)
        t.fail(`${relative(root, file)}: ${name} has ${length} lines, ${functionLinesMax} are allowed`)
    }
  }
})

t.test('the source has no soft spots', async (t) => {
  const banned: readonly [RegExp, string][] = [
    [/\bexport default\b/, 'default export'],
    [/\bexport \* from\b/, 'barrel'],
    [/: any\b(?! [a-z])|<any\b|\bas any\b/, 'any'],
    [/@ts-(ignore|nocheck|expect-error)/, 'a silenced type error'],
    [/\b(TODO|FIXME|XXX)\b/, 'an open end'],
    [/\bconsole\.(log|error|warn)\(/, 'console'],
  ]
  for (const file of files) {
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*$|'[^'\n]*'/gm, '')
    for (const [pattern, what] of banned) if (pattern.test(text)) t.fail(`${relative(root, file)} has ${what}`)
  }
  for (const file of files)
    t.notMatch(file, /(utils?|helpers?|common|misc|manager|service|base|impl)\.ts$/, relative(root, file))
})

t.test('what is large is loaded in parts', async (t) => {
  const whole = /^import (?!type\b).*'(node:http|undici)'$/m
  for (const file of files) t.notMatch(readFileSync(file, 'utf8'), whole, relative(root, file))
})

t.test('the repository names no registry and no path of a developer’s machine', async (t) => {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  // Written so that this file does not name what it looks for.
  const hosts = /registry[.](npm|yarn)|npm[j]s[.](org|com)|deb[.]debian|pypi[.]org/
  for (const name of tracked.split('\0').filter((name) => name !== '')) {
    const file = join(root, name)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue
    const text = readFileSync(file, 'latin1')
    if (hosts.test(text)) t.fail(`${name} names a package registry`)
    if (/(^|[ "'(=])\/(work|farm|root)\//m.test(text)) t.fail(`${name} has a path of this machine`)
  }
})

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

function folderOf(file: string): string {
  const [first = ''] = relative(proxy, file).split(sep)
  return first.replace(/\.ts$/, '')
}

function layerOf(folder: string): number {
  return layers.findIndex((layer) => layer.includes(folder))
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) => resolve(dirname(file), match[1] ?? ''))
}

/** By indentation: a line that opens a function, to the line that closes it at the same depth. */
function functionsOf(lines: readonly string[]): { name: string; length: number }[] {
  const opening =
    /^(\s*)(?:export )?(?:static |async |private |get |set )*(?:function\*? )?[#*]*([\w#]+)(?:<[^>]*>)?\(.*\{$/
  const found: { name: string; length: number }[] = []
  for (const [index, line] of lines.entries()) {
    const match = opening.exec(line)
    if (match === null || /^\s*(if|for|while|switch|catch|return|else|do)\b/.test(line)) continue
    const close = lines.findIndex((candidate, at) => at > index && candidate.startsWith(`${match[1] ?? ''}}`))
    if (close !== -1) found.push({ name: match[2] ?? '', length: close - index + 1 })
  }
  return found
}
