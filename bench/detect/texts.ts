// Owns the texts that the detectors are timed on, made from a seed, so that every run meets the same ones and no two of
// one run are alike. It knows nothing of detectors.

export type Random = {
  /** From 0 up to but without `below`. */
  readonly below: (below: number) => number
  readonly pick: <One>(from: readonly [One, ...One[]]) => One
  /** `x` becomes a hexadecimal digit, `9` a digit, `a` a letter, `b` either; everything else stays. */
  readonly fill: (shape: string) => string
}

/** A linear congruential generator (Knuth's MMIX constants), of which the upper bits are used. */
export function seeded(seed: number): Random {
  let state = BigInt(seed)
  const below = (bound: number): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 33n) % bound
  }
  const of = (alphabet: string): string => alphabet.charAt(below(alphabet.length))
  const alphabets: Readonly<Record<string, string>> = {
    x: '0123456789abcdef',
    '9': '0123456789',
    a: 'abcdefghijklmnopqrstuvwxyz',
    b: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  }
  return {
    below,
    pick: (from) => from[below(from.length)] ?? from[0],
    fill: (shape) => shape.replaceAll(/[x9ab]/g, (kind) => of(alphabets[kind] ?? kind)),
  }
}

// prettier-ignore
const words = [
  'the', 'of', 'and', 'to', 'in', 'is', 'that', 'for', 'it', 'was', 'on', 'with', 'be', 'by', 'this', 'are', 'from',
  'at', 'which', 'invoice', 'customer', 'please', 'table', 'order', 'shipment', 'number', 'account', 'server', 'error',
  'request', 'token', 'file', 'function', 'returns', 'report', 'office', 'between', 'before', 'review', 'address',
  'payment', 'version', 'release', 'because', 'delivered', 'password', 'manager', 'quarterly', 'summary', 'key',
] as const

export function sentence(random: Random): string {
  const length = 6 + random.below(12)
  const said = Array.from({ length }, () => random.pick(words)).join(' ')
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}${random.pick(['.', '.', '.', '?', ';', ':'])} `
}

/** What looks like a number of somebody and is none. */
function lookAlike(random: Random): string {
  const shape = random.pick([
    '2026-11-99T12:34:56.999Z ',
    'order 9999999999 of 99999999, ',
    'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx ',
    '1799999999999 ',
    'v9.99.9-rc.9 ',
    '$9,999.99 ',
    'sku-9999-999-99 ',
    'commit xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ',
    'took 999.999ms rows=9999999 pid=99999 ',
    '99:99:99 ',
    '9999 9999 9999 9998 ',
    '(999) 99, 99.9 % ',
  ])
  return random.fill(shape)
}

function personal(random: Random): string {
  const kind = random.below(7)
  if (kind === 0) return `${random.fill('aaaaaa.aaaa@aaaaaaa')}.org `
  if (kind === 1) return `+44 20 7946 0${random.fill('999')} `
  if (kind === 2) return `${card(random)} `
  if (kind === 3) return `${iban(random)} `
  if (kind === 4) return `378-07-${1000 + random.below(8999)} `
  if (kind === 5) return `10.${random.below(256)}.${random.below(256)}.${random.below(256)} `
  return `ghp_${random.fill('b'.repeat(36))} `
}

export function card(random: Random): string {
  const digits = `4${random.fill('9'.repeat(14))}`
  const doubled = Array.from(digits).map((digit, at) =>
    at % 2 === 0 ? [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)] : digit,
  )
  const sum = doubled.reduce<number>((total, digit) => total + Number(digit), 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

export function iban(random: Random): string {
  const account = random.fill('9'.repeat(18))
  // DE is 13 14 in numbers; the check digits stand as 00 while they are worked out.
  const check = 98n - (BigInt(`${account}131400`) % 97n)
  return `DE${String(check).padStart(2, '0')}${account}`
}

const parts = { prose: sentence, lookAlike, personal } as const

/** `shares` are of the characters; what is left of one is prose. */
export function textOf(
  random: Random,
  length: number,
  shares: { readonly lookAlike: number; readonly personal: number },
): string {
  const written = { prose: 0, lookAlike: 0, personal: 0 }
  const pieces: string[] = []
  for (let total = 0; total < length;) {
    const kind = written.personal < shares.personal * total ? 'personal' : other(written.lookAlike, total)
    const piece = parts[kind](random)
    pieces.push(piece)
    written[kind] += piece.length
    total += piece.length
  }
  return pieces.join('').slice(0, length)

  function other(lookAlikes: number, total: number): 'lookAlike' | 'prose' {
    return lookAlikes < shares.lookAlike * total ? 'lookAlike' : 'prose'
  }
}

/** What somebody would send to keep the scanner busy: a unit that is repeated, or made anew each time. */
export const hostile: readonly (readonly [name: string, unit: (random: Random) => string])[] = [
  ['`a`', () => 'a'],
  ['`a.`', () => 'a.'],
  ['digits', ({ fill }) => fill('9999999999')],
  ['`1`', () => '1'],
  ['`1 `', () => '1 '],
  ['`12-`', () => '12-'],
  ['`1.1.1.`', () => '1.1.1.'],
  ['cards that fail', ({ fill }) => fill('4999 9999 9999 9999 ')],
  ['`@`', () => '@'],
  ['`a@`', () => 'a@'],
  ['`a@b.`', () => 'a@b.'],
  ['`key=`', () => 'key='],
  ['`password: `', () => 'password: '],
  ['`secret=x9 `', ({ fill }) => fill('secret=b9b9 ')],
  ['`sk-`', () => 'sk-'],
  ['`eyJ`', () => 'eyJ'],
  ['`https://`', () => 'https://'],
  ['`://a:b`', () => '://a:b'],
  ['`:`', () => ':'],
  ['`GB82 `', () => 'GB82 '],
  ['`PL11 1 1`', () => 'PL11 1 1'],
  ['`-----BEGIN `', () => '-----BEGIN '],
  ['private keys without end', () => '-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAy8Dbv8prpJ\n'],
  ['base64', ({ fill }) => fill('b'.repeat(76))],
  ['base64 words', ({ fill }) => `${fill('b'.repeat(32))} `],
  ['base64 of text', ({ fill }) => `${Buffer.from(fill('aaaa 99 aaa 9999-99')).toString('base64')} `],
  ['hexadecimal', ({ fill }) => fill('x'.repeat(64))],
  ['`%25`', () => '%25'],
  ['`%34%31`', () => '%34%31'],
  ['`&#x41;`', () => '&#x41;'],
  ['`&`', () => '&'],
  ['`&amp;`', () => '&amp;'],
  ['`\\u0041`', () => '\\u0041'],
  ['`\\`', () => '\\'],
  ['`\\x4`', () => '\\x4'],
  ['zero-width', () => '\u200b'],
  ['digits with zero-width', () => '4\u200b'],
  ['full-width digits', ({ below }) => String.fromCharCode(0xff10 + below(10))],
  ['ligatures', () => '\ufdfa'],
  ['combining marks', () => '\u0301'],
  ['Cyrillic', ({ below }) => String.fromCharCode(0x430 + below(32))],
  ['look-alikes', ({ below }) => 'аеорсху'.charAt(below(7))],
  ['homoglyphs in words', ({ fill }) => fill('aаbеcо')],
  ['full-width words', ({ fill }) => wide(fill('aaaa '))],
  ['mathematical digits', ({ below }) => String.fromCodePoint(0x1d7ce + below(10))],
  ['no-break spaces in digits', ({ fill }) => fill('9999\u00a0')],
  ['ideographic stops', () => 'a\u3002'],
  ['zero-width in cards', (random) => `${Array.from(card(random)).join('\u200b')} `],
  ['cards in percent', (random) => `${percent(card(random))} `],
  ['text in references', ({ fill }) => Array.from(fill('aaa99 aa'), (one) => `&#${one.charCodeAt(0)};`).join('')],
  ['`\\u0031`', ({ below }) => `\\u003${below(10)}`],
  ['escaped pairs', () => '\\ud835\\udfd8'],
  ['`\\n1`', () => '\\n1'],
  ['hexadecimal of text', ({ fill }) => `${Buffer.from(fill('aaaa 99 aaa 9999-99')).toString('hex')} `],
  ['hashes', ({ fill }) => `${fill('x'.repeat(40))} `],
  ['base64 in base64', ({ fill }) => `${base64(`${base64(fill('aaaa 99 aaa 9999'))} `)} `],
  ['base64 of secrets', ({ fill }) => `${base64(fill('secret=b9b9 '))} `],
  ['base64 of cards', (random) => `${base64(`${card(random)} `)} `],
  ['base64 in lines', ({ fill }) => `${fill('b'.repeat(76))}\n`],
  ['a word of base64 in each line', ({ fill }) => `${base64(fill('aaaaaaa9'))}\n`],
  [
    'long words, few of them encoded',
    ({ below, fill }) => `${seldom(below) ? base64(fill('aaaa 99 aaa 9999')) : fill('a'.repeat(61))} `,
  ],
  [
    'long lines, few of them encoded',
    ({ below, fill }) => `${seldom(below) ? base64(fill('aaaa 99 aaa 9999')) : fill('a'.repeat(100))}\n`,
  ],
  ['`=ZXlK`', () => '=ZXlK'],
  ['`=LS0tLS1CRUdJTi`', () => '=LS0tLS1CRUdJTi'],
  ['headers of tokens that are none', () => 'eyJhbGciO.,'],
  ['`$6$`', () => '$6$'],
  ['`$krb5asrep$`', () => '$krb5asrep$'],
  ['private keys that break off', () => '-----BEGIN PRIVATE KEY-----AAAAAAAAAAAAAAAA&'],
  ['`00 `', () => '00 '],
  ['a table of digits', ({ fill }) => fill('99 99 99 99 ')],
  ['telephones that fail', ({ fill }) => fill('+99 99 99 99 99 ')],
  ['`DE99 `', ({ fill }) => fill('DE99 ')],
  ['`password="`', () => 'password="'],
  ['passwords of signs', () => `password="${'a-_/'.repeat(29)}" `],
  ['passwords in JSON', ({ fill }) => `{"password":"${fill('bbbb9')}"},`],
  ['passwords in JSON in JSON', ({ fill }) => `{\\"password\\":\\"${fill('bbbb9')}\\"},`],
  ['long tokens', ({ fill }) => `token=${fill('b'.repeat(300))} `],
  ['nested JSON', () => '{\\"a\\":\\"'],
  ['cards', (random) => `${card(random)} `],
  ['addresses of networks', ({ fill }) => fill('10.9.9.9 ')],
  ['`aws_secret_access_key=`', () => 'aws_secret_access_key='],
  ['`sessiontoken=`', () => 'sessiontoken='],
  ['`glwt--`', () => 'glwt--'],
  ['`t1.=`', () => 't1.='],
  ['`haslo=`', () => 'haslo='],
  ['`pwd=b`', () => 'pwd=b'],
  ['`token=a1your`', () => 'token=a1your'],
  ['letters and digits behind a capital', () => `G${'a1'.repeat(210)}`],
  ['hexadecimal letters', () => 'ceab'],
  ['zeros in base64', () => `${'A'.repeat(40)}@`],
  ['digits where letters are asked for', () => `API-${'1'.repeat(32)} `],
  ['passwords of commands', ({ fill }) => `mysql -p${fill('bbb9bbb')}\n`],
  ['passwords after `:`', ({ fill }) => `password: ${fill('bbbb9')}\n`],
  ['names in percent', ({ fill }) => `_authToken%3D${fill('b9b9b9b9')} `],
  ['passwords in base64', ({ fill }) => `${base64(`pwd=${fill('bbbb9bbbb')}`)} `],
  ['keys of vendors', ({ fill }) => `ghp_${fill('b'.repeat(36))} `],
  ['keys after a name', ({ fill }) => `plaidToken=${fill('b'.repeat(24))}\n`],
  ['keys in lists', ({ fill }) => `"tokens":["${fill('bbb9bbb9bbb9')}","${fill('bbb9bbb9bbb9')}"],`],
  ['credentials in headers', ({ fill }) => `x-api-key: ${fill('b9b9b9b9b9b9')}\n`],
  ['credentials in URLs', ({ fill }) => `https://a:${fill('bbbb9')}@b.c/ `],
  ['addresses of Ethereum', () => '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed '],
  ['addresses of Bitcoin Cash', () => 'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a '],
  ['addresses of Litecoin', () => 'LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz '],
  ['accounts', (random) => `${iban(random)} `],
  ['numbers of persons', () => '378-07-1234 '],
  ['dates of birth', () => 'date of birth: 1985-03-08\n'],
  ['telephones in lists', ({ fill }) => `phones: ${fill('030 999999, ').repeat(20)}\n`],
  ['addresses of networks in hexadecimal', () => '::ffff:192.0.2.1 '],
  ['mail behind ideographic stops', () => 'ada@mail。example｡org '],
]

function wide(text: string): string {
  return Array.from(text, (one) => (one === ' ' ? one : String.fromCharCode(one.charCodeAt(0) + 0xfee0))).join('')
}

function percent(text: string): string {
  return Array.from(text, (one) => `%${one.charCodeAt(0).toString(16)}`).join('')
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function seldom(below: Random['below']): boolean {
  return below(400) === 0
}
