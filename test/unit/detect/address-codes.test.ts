import { hash } from 'node:crypto'
import t from 'tap'
import { base58Check, isChecksummedHex } from '../../../proxy/detect/address-codes.ts'

void t.test('ERC-55: each letter has the case that the digest says', async (t) => {
  // Of the examples in ERC-55.
  for (const hex of [
    '5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    'fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '52908400098527886E0F7030069857D2E4169EE7',
    'de709f2102306220921060314715629080e2fb77',
  ]) {
    t.ok(isChecksummedHex(hex), hex)
    for (let at = 0; at < hex.length; at++) {
      const one = hex.charAt(at)
      const other = one === one.toUpperCase() ? one.toLowerCase() : one.toUpperCase()
      if (other !== one) t.notOk(isChecksummedHex(hex.slice(0, at) + other + hex.slice(at + 1)), `${hex}, ${at}`)
    }
  }
})

void t.test('base 58: the checksum is the head of the digest of the digest', async (t) => {
  const text = 'LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz'
  const payload = base58Check(text, { length: 21, versions: [0x30] })
  t.ok(payload)
  const twice = hash('sha256', hash('sha256', payload ?? '', 'buffer'), 'hex')
  t.equal(encoded(`${Buffer.from(payload ?? '').toString('hex')}${twice.slice(0, 8)}`), text)
  t.equal(base58Check(text, { length: 21, versions: [0x00] }), undefined)
  for (let at = 1; at < text.length; at++) {
    const other = text.charAt(at) === '2' ? '3' : '2'
    t.equal(base58Check(text.slice(0, at) + other + text.slice(at + 1), { length: 21 }), undefined, `${at}`)
  }
})

function encoded(hex: string): string {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let text = ''
  for (let rest = BigInt(`0x${hex}`); rest > 0n; rest /= 58n) text = digits.charAt(Number(rest % 58n)) + text
  return text
}
