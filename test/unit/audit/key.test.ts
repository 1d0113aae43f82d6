import { generateKeyPairSync, verify, createPublicKey } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { parseVkey } from '../../../proxy/audit/checkpoint.ts'
import { openKeyFile, parseKey } from '../../../proxy/audit/key.ts'
import { temporaryFolder, testKey } from './support.ts'

async function whyNot(opening: Promise<unknown>): Promise<string> {
  try {
    await opening
    return 'opened'
  } catch (error) {
    return error instanceof Fault ? (error.details.cause as Error).message : String(error)
  }
}

t.test('the first start creates the key, later ones read it', async (t) => {
  const path = join(temporaryFolder(t), 'below', 'audit.key')
  const key = await openKeyFile(path)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(readFileSync(path, 'utf8'), /^-----BEGIN PRIVATE KEY-----/)
  t.same(parseVkey(readFileSync(`${path}.pub`, 'utf8'))?.publicKey, key.publicKey)
  t.same((await openKeyFile(path)).publicKey, key.publicKey)
  t.same(readdirSync(join(path, '..')).sort(), ['audit.key', 'audit.key.pub'], 'nothing is left behind')
})

t.test('starts at the same time agree on one key', async (t) => {
  const path = join(temporaryFolder(t), 'audit.key')
  const keys = await Promise.all([1, 2, 3, 4].map(() => openKeyFile(path)))
  for (const key of keys) t.same(key.publicKey, keys[0]?.publicKey)
})

t.test('a public key that does not belong to the key stops the start and is left as it is', async (t) => {
  const path = join(temporaryFolder(t), 'audit.key')
  await openKeyFile(path)
  const kept = readFileSync(`${path}.pub`, 'utf8')
  const own = readFileSync(path)
  rmSync(path)
  const both = new RegExp(`${path}\\.pub is not the public half of the audit key ${path}:`)
  t.match(await whyNot(openKeyFile(path)), both, 'a new key beside the old public one')
  t.match(await whyNot(openKeyFile(path)), both, 'and again')
  t.equal(readFileSync(`${path}.pub`, 'utf8'), kept)
  writeFileSync(path, own)
  t.equal(await whyNot(openKeyFile(path)), 'opened', 'the old key was put back')
  writeFileSync(`${path}.pub`, 'anything')
  t.match(await whyNot(openKeyFile(path)), both)
  rmSync(`${path}.pub`)
  t.equal(await whyNot(openKeyFile(path)), 'opened', 'the public one was moved away')
  t.equal(readFileSync(`${path}.pub`, 'utf8'), kept)
})

t.test('a key that others can read is refused', { skip: process.platform === 'win32' && 'no modes' }, async (t) => {
  const path = join(temporaryFolder(t), 'audit.key')
  await openKeyFile(path)
  for (const mode of [0o640, 0o604, 0o644, 0o660]) {
    chmodSync(path, mode)
    t.match(await whyNot(openKeyFile(path)), /can be read by others.*chmod 600/, mode.toString(8))
  }
  chmodSync(path, 0o400)
  t.equal(await whyNot(openKeyFile(path)), 'opened')
})

t.test('what is no key is refused, without showing it', async (t) => {
  const path = join(temporaryFolder(t), 'audit.key')
  for (const text of ['', 'c2VjcmV0', '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n']) {
    writeFileSync(path, text, { mode: 0o600 })
    const why = await whyNot(openKeyFile(path))
    t.match(why, /does not hold an Ed25519 private key/)
    t.notMatch(why, /secret|c2VjcmV0/)
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(path, rsa)
  t.match(await whyNot(openKeyFile(path)), /it is a rsa key/)
})

t.test('a folder for a key is not a key', async (t) => {
  const path = join(temporaryFolder(t), 'audit.key')
  mkdirSync(path, { mode: 0o700 })
  t.not(await whyNot(openKeyFile(path)), 'opened')
  t.notOk(existsSync(`${path}.pub`))
})

t.test('it signs with Ed25519 and derives other secrets', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = parseKey(privateKey.export({ type: 'pkcs8', format: 'pem' }), 'test')
  const message = Buffer.from('message')
  t.ok(verify(null, message, createPublicKey(privateKey), await key.sign(message)))
  t.equal(key.derive('digest').length, 32)
  t.same(key.derive('digest'), key.derive('digest'))
  t.notSame(key.derive('digest'), key.derive('token'))
  // HKDF-SHA-256 of 32 bytes 07, no salt, info "gatewright/digest", computed with another implementation.
  t.equal(testKey.derive('digest').toString('hex'), '0a97a14abbfe2804454fbca5c530082352dd0ecb4cff819af8e5daa184fb1a61')
})
