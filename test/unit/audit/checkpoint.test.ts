import t from 'tap'
import {
  checkSignature,
  decodeBase64,
  formatCheckpoint,
  formatNote,
  formatVkey,
  openCheckpoint,
  parseVkey,
} from '../../../proxy/audit/checkpoint.ts'
import { rootOf } from '../../../proxy/audit/proof.ts'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { absent, jsonLines, testKey, vector } from './support.ts'

const name = 'gatewright/w'
const vkey = { name, publicKey: testKey.publicKey }
const text = formatCheckpoint({ origin: name, size: 3, root: Buffer.alloc(32, 1) })
const note = formatNote(text, name, testKey.publicKey, await testKey.sign(Buffer.from(text)))

t.test('a checkpoint is what was signed', async (t) => {
  t.equal(text, `gatewright/w\n3\n${Buffer.alloc(32, 1).toString('base64')}\n`)
  t.same(openCheckpoint(note, vkey), { checkpoint: { origin: name, size: 3, root: Buffer.alloc(32, 1) } })
})

t.test('no bit of a note can be changed', async (t) => {
  const bytes = Buffer.from(note)
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if ('checkpoint' in openCheckpoint(changed.toString('utf8'), vkey)) t.fail(`bit ${bit}`)
  }
})

t.test('signatures of others are ignored, and do not count', async (t) => {
  const other = Buffer.alloc(32, 9)
  const cosigned = `${note}— witness.example ${Buffer.alloc(76).toString('base64')}\n`
  t.hasProp(openCheckpoint(cosigned, vkey), 'checkpoint')
  t.match(openCheckpoint(note, { name, publicKey: other }), { problem: /not signed by the key/ })
  t.match(openCheckpoint(note, { ...vkey, name: 'gatewright/x' }), { problem: /not signed by the key/ })
  t.match(openCheckpoint(`${text}\n— ${name} AAAA\n`, vkey), { problem: /not signed/ })
  t.match(openCheckpoint(`${text}\n— ${name}\n`, vkey), { problem: /malformed/ })
  t.match(openCheckpoint(text, vkey), { problem: /not a signed note/ })
})

t.test('a signed text that is no checkpoint is none', async (t) => {
  const root = Buffer.alloc(32).toString('base64')
  for (const bad of [
    `${name}\n03\n${root}\n`,
    `${name}\n-1\n${root}\n`,
    `${name}\n3\nAAAA\n`,
    `${name}\n9999999999999999\n${root}\n`,
    'x\n',
  ]) {
    const signed = formatNote(bad, name, testKey.publicKey, await testKey.sign(Buffer.from(bad)))
    t.hasProp(openCheckpoint(signed, vkey), 'problem', bad)
  }
})

t.test('vkeys', async (t) => {
  const formatted = formatVkey(name, testKey.publicKey)
  t.match(formatted, /^gatewright\/w\+[0-9a-f]{8}\+A[A-Za-z0-9+/]{43}$/)
  t.same(parseVkey(`${formatted}\n`), vkey)
  for (const bad of [
    '',
    name,
    formatted.replace('/w+', '/v+'),
    formatted.slice(0, -1),
    `${formatted}A`,
    formatted.replace('+A', '+B'),
  ]) {
    t.equal(parseVkey(bad), undefined, bad)
  }
})

t.test('base64 has one text for one byte string', async (t) => {
  t.same(decodeBase64('AAE='), Buffer.of(0, 1))
  for (const bad of ['AAF=', 'AAE', 'AAE=\n', 'AA-_', 'A AE=']) t.equal(decodeBase64(bad), undefined, bad)
})

const logText = vector('merkle/tessera-tlog-tiles-log.jsonl')
t.test('the published log of Tessera', { skip: logText === undefined && absent }, async (t) => {
  const files = new Map(
    jsonLines<{ path: string; b64: string }>(logText ?? '').map(({ path, b64 }) => [path, Buffer.from(b64, 'base64')]),
  )
  const key = parseVkey('example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx')
  if (key === undefined) throw new Error('no vkey')
  const bundle = files.get('tile/entries/000.p/15') ?? Buffer.alloc(0)
  const leaves: Buffer[] = []
  for (let at = 0; at < bundle.length;) {
    const bytes = bundle.readUInt16BE(at)
    leaves.push(leafHash(bundle.subarray(at + 2, at + 2 + bytes)))
    at += 2 + bytes
  }
  for (let size = 0; size <= 15; size += 1) {
    const opened = openCheckpoint(String(files.get(`checkpoint.${size}`)), key)
    t.same(opened, { checkpoint: { origin: key.name, size, root: rootOf(leaves.slice(0, size)) } })
  }
})

type Wycheproof = {
  testGroups: { publicKey: { pk: string }; tests: { tcId: number; msg: string; sig: string; result: string }[] }[]
}

const ed25519 = vector('crypto/wycheproof-ed25519_test.json')
t.test('published signatures of Ed25519', { skip: ed25519 === undefined && absent }, async (t) => {
  const { testGroups } = JSON.parse(ed25519 ?? '') as Wycheproof
  let count = 0
  for (const { publicKey, tests } of testGroups) {
    for (const { tcId, msg, sig, result } of tests) {
      const [message, signature] = [Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex')]
      if (checkSignature(message, signature, Buffer.from(publicKey.pk, 'hex')) !== (result === 'valid'))
        t.fail(`case ${tcId}`)
      count += 1
    }
  }
  t.equal(count, 151)
})
