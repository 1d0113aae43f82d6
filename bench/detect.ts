// Owns a run of the detectors' bench: what they find in rows that others labelled, where those are there, and how fast
// they are on texts of our own. Everything runs on one core with every entity on that the groups stand for.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { goalLines, hasRows } from './detect/goals.ts'
import { holdLines, hostileLines, speedLines } from './detect/speed.ts'

const absent = 'The labelled rows (`../shared/detection`) were not there, so nothing was compared with them.'

const dir = await mkdtemp(join(tmpdir(), 'gatewright-detect-'))
try {
  const goals = section('What is found', hasRows ? goalLines(dir) : [absent])
  const speed = section('How fast', speedLines())
  const worst = section('Hostile texts', hostileLines())
  const hold = section('Streams', holdLines())
  await writeFile(join(import.meta.dirname, 'DETECT.md'), [heading(), goals, speed, worst, hold].join('\n'))
  process.stdout.write('written to bench/DETECT.md\n')
} finally {
  await rm(dir, { recursive: true, force: true })
}

/** Shown as soon as it is known. */
function section(title: string, lines: readonly string[]): string {
  const text = `## ${title}\n\n${lines.join('\n')}\n`
  process.stdout.write(`${text}\n`)
  return text
}

function heading(): string {
  return `# Detectors

Written by \`npm run bench:detect\` on ${new Date().toISOString().slice(0, 10)}; every figure below is from that one run, on one core.
Node ${process.version} on ${cpus()[0]?.model.trim()}.

*Recall* is of the values that a finding of their class touches, *covered* of those hidden to the last character,
*precision* of the findings of a class that touch such a value. Texts for the timing are made from a seed and scanned in
rounds until those get no quicker, never one that is still remembered; a time is the mean of the quickest round. Every
entity of the groups pii and secrets is on.
`
}
