// Owns what has to be known of XML to inspect it as text: whether another reader would see another text, and how a value is
// written in it. It does not parse documents.

/**
 * Why the text must not be taken for what the document says; undefined: nothing. Entities of a document's own (XML 1.0 §4.2),
 * or of a DTD elsewhere, may stand for anything, and a declared encoding (§4.3.3) may differ from that of the bytes. No
 * character is NUL (§2.2): where there is one, readers take the document for UTF-16 (appendix F).
 */
export function xmlFlaw(text: string): string | undefined {
  if (text.includes('\0')) return 'The document is in another encoding than UTF-8.'
  if (/<!ENTITY/i.test(text)) return 'The document declares entities, which are not read.'
  if (/<!DOCTYPE/i.test(text) && namedElsewhere.test(text))
    return 'The document has entities of elsewhere, which are not read.'
  if (/&#x?0{24}/i.test(text)) return 'The document has references with more zeros than are read.'
  const encoding = encodingOf(text)
  if (encoding === undefined || /^(?:utf-8|us-ascii)$/i.test(encoding)) return undefined
  return 'The document declares another encoding than UTF-8.'
}

/** All but those of XML itself (§4.6). */
const namedElsewhere = /[&%](?!(?:amp|lt|gt|quot|apos);)[\p{L}_:][\p{L}\p{N}_:.-]*;/u

/** What the declaration says, however it is spaced; undefined where it says nothing. */
function encodingOf(text: string): string | undefined {
  const [declaration = ''] = /^\s*<\?xml\s.*?(?:\?>|$)/s.exec(text) ?? []
  const at = declaration.search(/\bencoding\b/i)
  return at === -1 ? undefined : (/^encoding\s*=\s*["']([^"']*)["']/i.exec(declaration.slice(at))?.[1] ?? '')
}

/** What has been written as a reference stays one. */
export function inXml(value: string): string {
  return value
    .replaceAll(/&(?!(?:#[0-9]+|#x[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
}
