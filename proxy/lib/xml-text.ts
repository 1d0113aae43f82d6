// Owns what has to be known of XML to inspect it as text: whether another reader would see another text, and how a value is
// written in it. It does not parse documents.

/**
 * Why the text must not be taken for what the document says; undefined: nothing. Entities of a document's own (XML 1.0 §4.2)
 * may stand for anything, and a declared encoding (§4.3.3) may differ from that of the bytes.
 */
export function xmlFlaw(text: string): string | undefined {
  if (/<!ENTITY/i.test(text)) return 'The document declares entities, which are not read.'
  const [, encoding] = /^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"']*)/i.exec(text) ?? []
  if (encoding === undefined || /^(?:utf-8|us-ascii)$/i.test(encoding)) return undefined
  return 'The document declares another encoding than UTF-8.'
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
