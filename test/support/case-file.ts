// Owns the format of text cases: `-- name --` lines begin sections, what stands before the first one says what the case
// is about. Sections may repeat; their order is the order of events.
import { readFileSync, writeFileSync } from 'node:fs'

export type CaseSection = { readonly name: string; text: string }
export type CaseFile = { readonly about: string; readonly sections: CaseSection[] }

export function readCase(path: string): CaseFile {
  const lines = readFileSync(path, 'utf8').split('\n')
  const about: string[] = []
  const sections: CaseSection[] = []
  for (const line of lines) {
    const match = /^-- (.+) --$/.exec(line)
    if (match !== null) sections.push({ name: match[1] ?? '', text: '' })
    else if (sections.length === 0) about.push(line)
    else (sections.at(-1) as CaseSection).text += `${line}\n`
  }
  for (const section of sections) section.text = `${section.text.trimEnd()}\n`
  return { about: about.join('\n').trim(), sections }
}

export function writeCase(path: string, { about, sections }: CaseFile): void {
  const body = sections.map(({ name, text }) => `-- ${name} --\n${text}`).join('\n')
  writeFileSync(path, `${about}\n\n${body}`)
}
