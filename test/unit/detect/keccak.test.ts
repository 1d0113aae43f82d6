import { getHashes, hash } from 'node:crypto'
import t from 'tap'
import { keccak256Of } from '../../../proxy/detect/keccak.ts'

const hex = (text: string): string => Buffer.from(keccak256Of(text)).toString('hex')

t.test('digests that are known', async (t) => {
  // Of no text, which Ethereum calls the hash of empty code; of `abc`; of the first event that everybody meets.
  t.equal(hex(''), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  t.equal(hex('abc'), '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
  t.equal(hex('Transfer(address,address,uint256)'), 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef')
  t.throws(() => keccak256Of('x'.repeat(136)), RangeError)
})

const skip = !getHashes().includes('keccak-256') && 'this OpenSSL has no Keccak'
t.test('it is what OpenSSL says', { skip }, async (t) => {
  for (let length = 0; length < 136; length++) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 37 + length * 11) % 94))).join('')
    t.equal(hex(text), hash('keccak-256', text, 'hex'), `${length} bytes`)
  }
})
