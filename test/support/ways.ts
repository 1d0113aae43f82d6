// Owns the ways to write a text at length so that a program or a person still reads it, for tests of what streams hold.
import { disguises } from './disguises.ts'

const inUnits = (text: string, write: (hex: string, unit: string, at: number) => string): string =>
  text
    .split('')
    .map((unit, at) => write(unit.charCodeAt(0).toString(16), unit, at))
    .join('')
const lines = (text: string, width: number, lineEnd: string): string =>
  text.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), (line) => line + lineEnd)
const base64 = (text: string, of: BufferEncoding = 'utf8'): string => Buffer.from(text, of).toString('base64')
const hex = (text: string, of: BufferEncoding = 'utf8'): string => Buffer.from(text, of).toString('hex')

/** Beside the disguises those that take many units for each character. */
export const ways: Readonly<Record<string, (text: string) => string>> = {
  ...disguises,
  'long references': (text) => inUnits(text, (hex) => `&#x${hex.padStart(8, '0')};`),
  'longest references': (text) => inUnits(text, (hex) => `&#x${hex.padStart(26, '0')};`),
  'long braces': (text) => inUnits(text, (hex) => `\\u{${hex.padStart(6, '0')}}`),
  'named spaces between': (text) => inUnits(text, (_, unit) => `${unit}&ZeroWidthSpace;`),
  'many named spaces between': (text) => inUnits(text, (_, unit) => unit + '&ZeroWidthSpace;'.repeat(3)),
  'many zero-width between': (text) => inUnits(text, (_, unit) => unit + '\u200b'.repeat(5)),
  'zero-width in one place': (text) => text.slice(0, 8) + '\u200b'.repeat(700) + text.slice(8),
  'every tenth': (text) => inUnits(text, (hex, unit, at) => (at % 10 > 0 ? unit : `\\u${hex.padStart(4, '0')}`)),
  'escaped pairs': (text) => text.replaceAll(/\d/g, (digit) => `\\ud835\\u${(0xdfce + Number(digit)).toString(16)}`),
  'base64 in lines': (text) => lines(base64(text), 76, '\n'),
  'base64 of MIME, indented': (text) => lines(base64(text), 60, `\r\n${' '.repeat(32)}`),
  'hexadecimal in lines': (text) => lines(hex(text), 60, '\n'),
  'hexadecimal of UTF-16': (text) => hex(text, 'utf16le'),
  'hexadecimal of UTF-16 in lines': (text) => lines(hex(text, 'utf16le'), 60, '\n'),
  'JSON in JSON in JSON': (text) => JSON.stringify(JSON.stringify(JSON.stringify({ a: text }))),
  'a form': (text) => `a=${encodeURIComponent(text)}&b=c`,
}
