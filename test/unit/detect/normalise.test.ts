import t from 'tap'
import { normalise } from '../../../proxy/detect/normalise.ts'
import { folds, readingOf } from '../../../proxy/detect/normalise-fold.ts'
import { Respelling } from '../../../proxy/detect/respelling.ts'
import { unitsOf } from '../../../proxy/detect/units.ts'

/** How a whole text is read; undefined: as it is written. */
function read(text: string): string | undefined {
  const into = new Respelling()
  into.open(text, 0, '')
  t.equal(normalise(text, unitsOf(text), 0, true, false, into), text.length)
  return into.isChanged ? into.finish(text.length) : undefined
}

void t.test('what stands for something else is read as that', async (t) => {
  for (const [written, reading] of [
    ['１２３ ａｂ＠ｃ．ｄ', '123 ab@c.d'],
    ['٤١١١ ४१ 𝟒𝟏', '4111 41 41'],
    ['a\u200bb\u00adc\ufeffd\u202ee', 'abcde'],
    ['pаypаl 4О11 1\u2011234 1\u00a0234', 'paypal 4011 1-234 1 234'],
    ['%34%31 %C3%A9 %EF%BC%91', '41 é 1'],
    ['&#52;&#x31;&commat;&amp;&#52', '41@&4'],
    ['&#00000000000000052;&#x0000000000000031;', '41'],
    ['ada@mail\u3002example\uff61org ａ＠ｂ\u3002ｃｄ', 'ada@mail.example.org a@b.cd'],
    ['(202)\u00a0555 a\u{e0100}b\ufff9c', '(202) 555 abc'],
    ['\\u0034\\x31\\u{32} \\ud83d\\ude00', '412 😀'],
    ['x NDExMSAxMTEx y', 'x 4111 1111 y'],
    ['MS4yLjMuNA== and MS4yLjMuNA', '1.2.3.4 and 1.2.3.4'],
    ['(3131312d31312d31313131)', '(111-11-1111)'],
    // What would be text but for a capital, or a digit, does not hide the text behind it.
    [`GOOG=${'1a'.repeat(150)}/NDExMSAxMTEx`, `GOOG=${'1a'.repeat(150)}/4111 1111`],
    [`(${'ceab'.repeat(80)}c3131312d31312d31313131)`, `(${'ceab'.repeat(80)}c111-11-1111)`],
    ['0x3131312d31312d31313131 0X3131312d31312d31313131', '111-11-1111 111-11-1111'],
    [`${'NDExMSAx'.repeat(9)}NDEx\r\nMSA0MTEx`, `${'4111 1'.repeat(9)}4111 4111`],
    [`a: |\n    ${'MzEz'.repeat(16)}\n    MzEzMzEz\nnext`, `a: |\n    ${'313'.repeat(18)}\nnext`],
    [`${'3131'.repeat(15)}\n31313131\n`, `${'11'.repeat(15)}1111\n`],
    // Not lines of one run: of another length, or of something else.
    ['NDExMSAxMTEx\nNDExMSAxMTEx', '4111 1111\n4111 1111'],
    [`${'NDEx'.repeat(18)}\n\nNDExMSAxMTEx`, `${'411'.repeat(18)}\n\n4111 1111`],
  ] as const)
    t.equal(read(written), reading, written)
})

void t.test('encoded text is found wherever in a run it begins', async (t) => {
  for (let before = 0; before < 150; before++) {
    const digits = '8'.repeat(before)
    t.match(read(`(${digits}NDExMSAxMTEx)`), /4111 1111\)$/, `base64 behind ${before}`)
    if (before % 2 === 0)
      t.match(read(`(${digits}3131312d31312d31313131)`), /111-11-1111\)$/, `base16 behind ${before}`)
    t.match(read(`(${digits}_0x3131312d31312d31313131)`), /111-11-1111\)$/, `base16 with its mark behind ${before}`)
  }
})

void t.test('ordinary text is read as it is written', async (t) => {
  for (const text of [
    'The café is open – 100 % of the time… said “she” & he.',
    'Сервер 5 работает, по-русски; ελληνικά; 電話',
    'ada@example.org\u3002Thanks @name\u3002then \u5f20\u4e09@b\u3002\u8c22 a@b\u3002 5\u30025 a@b\u3002',
    'C:\\new\\table \\n a=b&c=d %zz &nothing; &#; \\uzzzz \\x',
    'internationalisation/of/the/paths_and-names INTERNATIONALISATION',
    '7f3a9c1e5b8d20467f3a9c1e5b8d2046 01234567-89ab-4cde-8f01-23456789abcd',
  ])
    t.equal(read(text), undefined, text)
})

void t.test('each unit that is read is told where it is written', async (t) => {
  const text = 'a%34&#x31;b\u200bc NDExMSAxMTEx'
  const into = new Respelling()
  into.open(text, 0, '')
  normalise(text, unitsOf(text), 0, true, false, into)
  const reading = into.finish(text.length)
  t.equal(reading, 'a41bc 4111 1111')
  const written = Array.from(reading, (_, at) => text.slice(into.startOf(at), into.endOf(at + 1)))
  t.same(written.slice(0, 6), ['a', '%34', '&#x31;', 'b', 'c', ' '])
  // A byte has some of two digits.
  t.same(written.slice(6), ['ND', 'DE', 'Ex', 'MS', 'SA', 'Ax', 'MT', 'TE', 'Ex'])
  t.equal(text.slice(into.startOf(3), into.endOf(5)), 'b\u200bc')
  t.equal(into.wholeBefore(3), 1, 'in the middle of %34')
  t.equal(into.wholeBefore(4), 4)
  t.equal(into.wholeBefore(text.length - 2), text.length - 12, 'in the middle of what is encoded')
})

void t.test('of what is encoded the digits are told that have some of a byte, and no others', async (t) => {
  const bytes = 'the number of the card is 4111 1111 1111 1111, and the address is ada@example.org'
  for (const [name, written, perByte] of [
    ['base64', Buffer.from(bytes).toString('base64'), 4 / 3],
    ['base16', Buffer.from(bytes).toString('hex'), 2],
    ['base64 of UTF-16', Buffer.from(bytes, 'utf16le').toString('base64'), 8 / 3],
    ['base16 of UTF-16', Buffer.from(bytes, 'utf16le').toString('hex'), 4],
  ] as const) {
    const into = new Respelling()
    const text = `${written} 1`
    into.open(text, 0, '')
    normalise(text, unitsOf(text), 0, true, false, into)
    t.equal(into.finish(text.length), `${bytes} 1`, name)
    for (let at = 0; at + 1 < bytes.length; at++) {
      t.equal(into.startOf(at), Math.floor(at * perByte), name)
      t.equal(into.endOf(at + 1), Math.ceil((at + 1) * perByte), name)
    }
    t.equal(into.endOf(bytes.length), written.length, name)
  }
})

void t.test('what is cut is not decided, and never more than the cap', async (t) => {
  for (const [text, known] of [
    ['ab %3', 3],
    ['ab &#x3', 3],
    ['ab \\u00', 3],
    ['ab \ud835', 3],
    ['ab NDEx', 3],
    [`${'NDExMSAx'.repeat(30)}NDEx`, 192],
    ['ab 0x4', 3],
    [`ab ${'NDEx'.repeat(16)}\r`, 3],
    [`ab ${'NDEx'.repeat(16)}\n  `, 3],
  ] as const) {
    const into = new Respelling()
    into.open(text, 0, '')
    t.equal(normalise(text, unitsOf(text), 0, false, false, into), known, text)
  }
})

void t.test('every decimal digit of Unicode is read as one of ASCII', async (t) => {
  let digits = 0
  for (let codePoint = 0x80; codePoint < 0x20000; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    if (!/\p{Nd}/u.test(character)) continue
    digits++
    if (!/^\d$/.test(readingOf(codePoint) ?? '') || folds[character.charCodeAt(0)] === 0) t.fail(codePoint.toString(16))
  }
  t.ok(digits > 600)
})
