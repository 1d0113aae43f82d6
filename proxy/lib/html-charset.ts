// Owns whether an HTML document says of itself that it is in an encoding in which another reader sees another text. Bytes
// that are valid UTF-8 are inspected as that; it does not decode them in any other way.
import { encodingOf } from './xml-text.ts'

/** Why the text must not be taken for what the document says; undefined: nothing. */
export function htmlFlaw(text: string): string | undefined {
  if (text.includes('\0')) return 'The document is in another encoding than UTF-8.'
  const isAscii = (name: string): boolean => inAscii.test(name) && !beyondAscii.test(text)
  const isAlike = (name: string): boolean => name === '' || alike.test(name) || isAscii(name)
  // Browsers believe a declaration of XML, too (HTML §13.2.3.2).
  if (isAlike(encodingOf(text) ?? '') && namedIn(text).every(isAlike)) return undefined
  return 'The document declares another encoding than UTF-8.'
}

/** One byte is one character in most, and what is ASCII there is ASCII here: no value hides in the rest. */
const alike = /^(?:utf-?8|(?:us-)?ascii|iso-?8859-?\d{1,2}|latin-?\d|windows-(?:125\d|874)|koi8-[ru]|macintosh)$/i
/** In these, two bytes may stand for a letter of full width. UTF-7, ISO 2022 and EBCDIC write other things in ASCII. */
const inAscii = /^(?:gb2312|gbk|gb18030|big5|euc-(?:jp|kr)|shift[-_]jis)$/i
const beyondAscii = /[^\0-\x7f]/

/** What elements of metadata say, wherever they stand: not every reader looks at the first 1024 bytes alone. */
function namedIn(text: string): string[] {
  const names: string[] = []
  const element = /<meta[\s/]/gi
  for (let match = element.exec(text); match !== null; match = element.exec(text)) {
    const end = endOfTag(text, element.lastIndex)
    const attributes = text.slice(element.lastIndex, end)
    for (const [, name = ''] of attributes.matchAll(/(?<![-\w])charset\s*=\s*["']?\s*([^\s"'>;/]*)/gi)) names.push(name)
    element.lastIndex = end
  }
  return names
}

/** A `>` in quotes ends nothing. */
function endOfTag(text: string, from: number): number {
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at)
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '>') return at
  }
  return text.length
}
