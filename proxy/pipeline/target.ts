// Owns what stands in the target of a plain HTTP tool call: values in the query and segments of the path are content
// like any other. It finds them decoded and writes them back encoded; whatever holds nothing stays byte for byte.
import type { Finding } from '../detect/finding.ts'
import type { Operation } from '../protocol/protocol.ts'

/** A piece of the target: `raw` as it was sent, `text` as it is meant. */
type Piece = { readonly raw: string; readonly text: string }

export type Target = { readonly path: string; readonly query: string }

/** Every text of the target, path segments first. */
export function targetTexts(target: Target): string[] {
  return pieces(target).map(({ text }) => text)
}

/** `replaceIn` gives the text to write for a piece; `keep` leaves it as it was sent. */
export function rewriteTarget({ path, query }: Target, replaceIn: (text: string) => string): Target {
  return {
    path: path
      .split('/')
      .map((raw) => rewritten({ raw, text: decoded(raw) }, replaceIn))
      .join('/'),
    query: query
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=')
        const raw = pair.slice(equals + 1)
        return pair.slice(0, equals + 1) + rewritten({ raw, text: decoded(raw.replaceAll('+', ' ')) }, replaceIn)
      })
      .join('&'),
  }
}

/** Of a message to a tool server the query goes along, and nobody knows what it means there. */
export function hasTarget({ action, opaque }: Operation): boolean {
  return action === 'tool.call' || action === 'asked' || opaque === true
}

export function hasFindings(findings: readonly (readonly Finding[])[]): boolean {
  return findings.some((inPiece) => inPiece.length > 0)
}

function rewritten({ raw, text }: Piece, replaceIn: (text: string) => string): string {
  const result = replaceIn(text)
  return result === text ? raw : encodeURIComponent(result)
}

function pieces({ path, query }: Target): Piece[] {
  const segments = path.split('/').filter((raw) => raw !== '')
  const values = query === '' ? [] : query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1))
  return [
    ...segments.map((raw) => ({ raw, text: decoded(raw) })),
    ...values.map((raw) => ({ raw, text: decoded(raw.replaceAll('+', ' ')) })),
  ]
}

/** The envelope has refused broken escapes; escapes of broken UTF-8 in a query are looked at as they stand. */
function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw
  }
}
