// Owns asking an external detector about texts: in pieces of a bounded length, a bounded number at a time, each piece
// once as long as it is remembered. It does not know what becomes of an exchange when there is no answer.
import type { External } from '../detect/external.ts'
import type { Finding } from '../detect/finding.ts'
import { presidioFindings, presidioPath, presidioQuestion } from '../detect/presidio.ts'
import { Fault } from '../errors.ts'
import { gather } from '../lib/gather.ts'
import { Recent } from '../lib/recent.ts'
import type { Upstream } from '../upstream/upstream.ts'

export type Inquirer = {
  readonly external: External
  /** What it finds in each text. Throws a Fault of any code when it does not answer, or not as it should. */
  readonly ask: (texts: readonly string[]) => Promise<readonly (readonly Finding[])[]>
}

/** UTF-16 units. Longer texts are cut between sentences, lines or words; what goes over the cut is not found. */
const pieceLengthMax = 10_000
/** Of all texts of one message. */
const textLengthMax = 1024 * 1024
const answerBytesMax = 1024 * 1024
const questionsAtOnceMax = 8
/** Of texts whose findings are remembered. */
const seenCharactersMax = 1024 * 1024

export function openInquirer(external: External, upstream: Upstream): Inquirer {
  const seen = new Recent<readonly Finding[]>(seenCharactersMax)
  return {
    external,
    async ask(texts) {
      const length = texts.reduce((sum, text) => sum + text.length, 0)
      if (length > textLengthMax)
        throw new Fault('body-too-large', 'There is more text than a detector is asked about.')
      const cut = texts.map(piecesOf)
      const known = await findingsOf(cut.flat(), { external, upstream, seen })
      return cut.map((pieces) => {
        let offset = 0
        return pieces.flatMap((piece) => {
          const moved = (known.get(piece) ?? []).map((one) => movedBy(one, offset))
          offset += piece.length
          return moved
        })
      })
    },
  }
}

function movedBy(finding: Finding, offset: number): Finding {
  return offset === 0 ? finding : { ...finding, start: finding.start + offset, end: finding.end + offset }
}

function piecesOf(text: string): string[] {
  const pieces: string[] = []
  let from = 0
  while (text.length - from > pieceLengthMax) {
    const end = cutIn(text.slice(from, from + pieceLengthMax))
    pieces.push(text.slice(from, from + end))
    from += end
  }
  return [...pieces, text.slice(from)]
}

/** After the last line, sentence or word that is whole; in the middle only where there is none of them. */
function cutIn(text: string): number {
  const half = text.length / 2
  for (const ending of ['\n', '. ', ' ']) {
    const at = text.lastIndexOf(ending)
    if (at > half) return at + ending.length
  }
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length
}

type Means = { readonly external: External; readonly upstream: Upstream; readonly seen: Recent<readonly Finding[]> }

async function findingsOf(pieces: readonly string[], means: Means): Promise<Map<string, readonly Finding[]>> {
  const known = new Map<string, readonly Finding[]>()
  const unknown = new Set<string>()
  for (const piece of pieces) {
    const before = means.seen.get(piece)
    if (before !== undefined) known.set(piece, before)
    // Names have letters; and an empty text is an error to analyzers.
    else if (/\p{L}/u.test(piece)) unknown.add(piece)
  }
  const batches = batchesOf([...unknown], means.external.batch)
  const answer = async (): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const found = await put(batch, means)
      for (const [index, piece] of batch.entries()) {
        known.set(piece, found[index] ?? [])
        means.seen.set(piece, found[index] ?? [])
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(questionsAtOnceMax, batches.length) }, answer))
  return known
}

function batchesOf(pieces: readonly string[], size: number): string[][] {
  const batches: string[][] = []
  for (let at = 0; at < pieces.length; at += size) batches.push(pieces.slice(at, at + size))
  return batches
}

const neverCancelled = new AbortController().signal

async function put(texts: readonly string[], { external, upstream }: Means): Promise<readonly (readonly Finding[])[]> {
  const answer = await upstream.send(
    {
      method: 'POST',
      path: upstream.basePath + presidioPath,
      headers: ['content-type', 'application/json', 'accept', 'application/json'],
      body: presidioQuestion(texts, external),
      idempotent: true,
    },
    neverCancelled,
  )
  let outcome: 'complete' | 'broken' = 'broken'
  try {
    const bytes = await gather(answer.body, answerBytesMax)
    if (bytes === undefined) throw new Fault('answer-too-large')
    if (answer.status !== 200) throw new Fault('upstream-invalid', `The detector answered ${answer.status}.`)
    const found = presidioFindings(parsed(bytes), texts, external)
    if (found === undefined) throw new Fault('upstream-invalid', 'The detector answered something else.')
    outcome = 'complete'
    return found
  } finally {
    answer.settle(outcome)
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
