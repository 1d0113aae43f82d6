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
export function encodingOf(text: string): string | undefined {
  const [declaration = ''] = /^\s*<\?xml\s.*?(?:\?>|$)/s.exec(text) ?? []
  const at = declaration.search(/\bencoding\b/i)
  return at === -1 ? undefined : (/^encoding\s*=\s*["']([^"']*)["']/i.exec(declaration.slice(at))?.[1] ?? '')
}

export type Markup = 'xml' | 'html'

/**
 * How a value is written where it stands in the text: with references, but not in sections that have none (CDATA, scripts),
 * and so that it ends none. To be called in the order of the text.
 */
export function markupWriter(text: string, markup: Markup): (value: string, at: number) => string {
  const openings = markup === 'xml' ? xmlOpenings : htmlOpenings
  let open: Section = 'text'
  let next = boundAfter(text, openings, 0)
  return (value, at) => {
    while (next.end <= at) {
      open = open === 'text' ? sectionOf(next.mark) : 'text'
      next = boundAfter(text, open === 'text' ? openings : closings[open], next.end)
    }
    return written[open](value)
  }
}

/** Where the next section begins, or this one ends. `pattern` is global. */
function boundAfter(text: string, pattern: RegExp, from: number): { readonly mark: string; readonly end: number } {
  pattern.lastIndex = from
  const match = pattern.exec(text)
  return match === null ? { mark: '', end: Infinity } : { mark: match[0], end: match.index + match[0].length }
}

type Section = 'text' | 'cdata' | 'comment' | 'instruction' | 'script' | 'style'

const xmlOpenings = /<!\[CDATA\[|<!--|<\?/g
const htmlOpenings = /<!--|<(?:script|style)(?=[\s/>])/gi
const closings = {
  cdata: /\]\]>/g,
  comment: /-->/g,
  instruction: /\?>/g,
  script: /<\/script/gi,
  style: /<\/style/gi,
} as const

function sectionOf(opening: string): Section {
  if (opening.startsWith('<!')) return opening === '<!--' ? 'comment' : 'cdata'
  if (opening === '<?') return 'instruction'
  return opening.toLowerCase() === '<script' ? 'script' : 'style'
}

const written: Readonly<Record<Section, (value: string) => string>> = {
  text: inXml,
  cdata: (value) => value.replaceAll(']]>', ']]]]><![CDATA[>'),
  // Two hyphens must not stand in one (XML 1.0 §2.5).
  comment: (value) => inXml(value).replaceAll('--', '-&#45;'),
  instruction: inXml,
  // A script has the value in quotes, and no references.
  script: (value) => JSON.stringify(value).slice(1, -1).replaceAll("'", "\\'").replaceAll('<', '\\u003c'),
  style: (value) => value.replaceAll('<', '\\3c '),
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
