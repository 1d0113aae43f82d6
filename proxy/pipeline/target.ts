// Owns what stands in the target of a plain HTTP tool call: the query and segments of the path are content like any other. It finds them decoded and writes them back encoded; whatever holds nothing stays byte for byte.
import type { Finding } from '../detect/finding.ts'
import { scanNamed } from '../detect/named.ts'
import type { Scanner } from '../detect/scanner.ts'
import type { Operation } from '../protocol/protocol.ts'

/** A piece of the target: `raw` as it was sent, `text` as it is meant, and the parameter whose value it is. */
type Piece = { readonly raw: string; readonly text: string; readonly name?: string }

export type Target = { readonly path: string; readonly query: string }

/** Every text of the target, path segments first. */
export function targetTexts(target: Target): string[] {
  return pieces(target).map(({ text }) => text)
}

/** What is found in each of them; the name of a parameter counts as that of a member does. */
export function scanTarget(target: Target, scanner: Scanner): (readonly Finding[])[] {
  return pieces(target).map(({ text, name }) => scanPiece(scanner, text, name))
}

export function scanPiece(scanner: Scanner, text: string, name: string | undefined): readonly Finding[] {
  return scanNamed(scanner, text, name === undefined ? undefined : { path: [name] })
}

/** The log holds no content, so a path with data in it is shown without. */
export function maskedPath(path: string, scanner: Scanner): string {
  const mask = (text: string): string => (scanner.scan(text).length === 0 ? text : '[REDACTED]')
  return rewriteTarget({ path, query: '' }, mask).path
}

/** `replaceIn` gives the text to write for a piece. */
export function rewriteTarget(
  { path, query }: Target,
  replaceIn: (text: string, name: string | undefined) => string,
): Target {
  return {
    path: path
      .split('/')
      .map((raw) => rewritten({ raw, text: decoded(raw) }, replaceIn))
      .join('/'),
    query: query
      .split('&')
      .map((pair) =>
        piecesOf(pair)
          .map((piece) => rewritten(piece, replaceIn))
          .join('='),
      )
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

function rewritten({ raw, text, name }: Piece, replaceIn: Parameters<typeof rewriteTarget>[1]): string {
  const result = replaceIn(text, name)
  return result === text ? raw : encodeURIComponent(result)
}

function pieces({ path, query }: Target): Piece[] {
  const segments = path.split('/').filter((raw) => raw !== '')
  const parameters = query === '' ? [] : query.split('&').flatMap(piecesOf)
  return [...segments.map((raw) => ({ raw, text: decoded(raw) })), ...parameters]
}

/** Name and value, or what stands without a name. */
function piecesOf(pair: string): Piece[] {
  const equals = pair.indexOf('=')
  const value = pair.slice(equals + 1)
  const text = decoded(value.replaceAll('+', ' '))
  if (equals === -1) return [{ raw: value, text }]
  const raw = pair.slice(0, equals)
  const name = decoded(raw.replaceAll('+', ' '))
  return [
    { raw, text: name },
    { raw: value, text, name },
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
