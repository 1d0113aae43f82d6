// Runs text cases: one .txt file each, in sections headed `-- name --`. `env` holds NAME=value lines, `error` what must be
// printed, every other section is a file. `UPDATE=1` rewrites the expected part. What is checked is the caller's choice.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

export type Files = {
  /** Files and directories at the top, in the order of the case. */
  readonly paths: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** `check` returns what would be printed; the folder that the files were written to is cut from it. */
export function runTextCases(t: Test, folder: string, check: (files: Files) => string): void {
  for (const name of readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()) {
    const file = join(folder, name)
    t.test(name, (t) => {
      const sections = parse(readFileSync(file, 'utf8'))
      const expected = sections.get('error')
      const env = Object.fromEntries((sections.get('env') ?? '').split('\n').filter(Boolean).map(assignment))
      const files = [...sections].filter(([section]) => section !== 'error' && section !== 'env' && section !== '')
      const root = t.testdir(treeOf(files))
      const tops = new Set(files.map(([path]) => path.split('/')[0] ?? ''))
      const printed = check({ paths: [...tops].map((top) => join(root, top)), env }).replaceAll(`${root}/`, '')
      if (process.env['UPDATE'] === '1') {
        sections.set('error', printed)
        writeFileSync(file, format(sections))
      } else t.equal(printed, expected)
      t.end()
    })
  }
}

function parse(text: string): Map<string, string> {
  const sections = new Map<string, string>()
  let name = ''
  for (const line of text.split(/(?<=\n)/)) {
    const head = /^-- (.+) --\n$/.exec(line)?.[1]
    if (head !== undefined) name = head
    sections.set(name, (sections.get(name) ?? '') + (head === undefined ? line : ''))
  }
  return sections
}

function format(sections: ReadonlyMap<string, string>): string {
  return [...sections].map(([name, text]) => (name === '' ? text : `-- ${name} --\n${text}`)).join('')
}

function assignment(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

type Tree = { [name: string]: string | Tree }

function treeOf(files: readonly (readonly [string, string])[]): Tree {
  const root: Tree = {}
  for (const [path, text] of files) {
    const steps = path.split('/')
    const name = steps.pop() ?? ''
    let folder = root
    for (const step of steps) folder = (folder[step] ??= {}) as Tree
    folder[name] = text
  }
  return root
}
