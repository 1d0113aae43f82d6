// Stands for a Presidio analyzer: finds the names it is told, and counts offsets as Python does, in code points.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Question = {
  readonly text: string | readonly string[]
  readonly language: string
  readonly entities: readonly string[]
  readonly score_threshold: number
}

export type Analyzer = {
  readonly url: string
  readonly questions: readonly Question[]
  /** What it does instead of answering; undefined: it answers. */
  instead: ((response: ServerResponse) => void) | undefined
  close(): Promise<void>
}

/** `names`: what it finds → its type. */
export async function openAnalyzer(names: Readonly<Record<string, string>>): Promise<Analyzer> {
  const questions: Question[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const question = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Question
      questions.push(question)
      if (analyzer.instead !== undefined) return analyzer.instead(response)
      const texts = typeof question.text === 'string' ? [question.text] : question.text
      const found = texts.map((text) => findingsIn(text, names, question))
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(typeof question.text === 'string' ? found[0] : found))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const analyzer: Analyzer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    questions,
    instead: undefined,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return analyzer
}

function findingsIn(text: string, names: Readonly<Record<string, string>>, { entities }: Question): unknown[] {
  const found: unknown[] = []
  for (const [name, type] of Object.entries(names)) {
    if (!entities.includes(type)) continue
    for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
      const start = Array.from(text.slice(0, at)).length
      found.push({
        entity_type: type,
        start,
        end: start + Array.from(name).length,
        score: 0.85,
        analysis_explanation: null,
      })
    }
  }
  return found
}
