// Owns the ways to write a value so that a program or a person still reads it, as tests try them on the detectors.

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8')
const eachUnit = (text: string, write: (hex: string, unit: string) => string): string =>
  text
    .split('')
    .map((unit) => write(unit.charCodeAt(0).toString(16).padStart(2, '0'), unit))
    .join('')

/** U+FF01 to U+FF5E stand for `!` to `~`. */
const fullWidth = (text: string): string =>
  text.replaceAll(/[!-~]/g, (unit) => String.fromCharCode(unit.charCodeAt(0) + 0xfee0))

/** As MIME has it: the value is on two lines, or on the second, and so are other words. */
export const inLines = (value: string, lineEnd: string): string =>
  utf8(`${'\u00fc'.repeat(22)} re: ${value}`)
    .toString('base64')
    .replaceAll(/.{76}(?=.)/g, (line) => line + lineEnd)

/** For ASCII text. */
export const disguises: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  'full-width': fullWidth,
  'ideographic stops': (value) => value.replaceAll(/(?<=@[a-z0-9.-]*)\./g, '\u3002'),
  'zero-width': (value) => value.split('').join('\u200b'),
  'soft hyphens': (value) => value.split('').join('\u00ad'),
  'bidi marks': (value) => value.split('').join('\u2066'),
  'percent-encoded': (value) => eachUnit(value, (hex) => `%${hex.toUpperCase()}`),
  'decimal references': (value) => eachUnit(value, (hex) => `&#${Number.parseInt(hex, 16)};`),
  'hexadecimal references': (value) => eachUnit(value, (hex) => `&#x${hex};`),
  'unicode escapes': (value) => eachUnit(value, (hex) => `\\u00${hex}`),
  'byte escapes': (value) => eachUnit(value, (hex) => `\\x${hex}`),
  base64: (value) => utf8(value).toString('base64'),
  base64url: (value) => utf8(value).toString('base64url'),
  'base64 of UTF-16': (value) => Buffer.from(value, 'utf16le').toString('base64'),
  hexadecimal: (value) => utf8(value).toString('hex'),
  'hexadecimal with a mark': (value) => `0x${utf8(value).toString('hex')}`,
  'mathematical digits': (value) => value.replaceAll(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
  'Arabic digits': (value) => value.replaceAll(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit))),
  'Devanagari digits': (value) => value.replaceAll(/\d/g, (digit) => String.fromCharCode(0x966 + Number(digit))),
}
