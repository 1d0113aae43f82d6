// Keys are put together here, so that no scanner of this repository takes them for real ones.
import t from 'tap'
import { detectors } from '../../../../proxy/detect/detectors.ts'
import { scanText } from '../../../../proxy/detect/scan-text.ts'
import { CountingProbe } from '../counting-probe.ts'
import { found } from './found.ts'

const alphanumeric = 'q7Rk2Vw9Lz4Np8Xc3Tb6Ym1Hd5Gs0Jf'.repeat(12)
const hexadecimal = '7f3a9c1e5b8d2046'.repeat(6)

const keys: readonly (readonly [entity: string, key: string])[] = [
  ['aws-access-key-id', ['AKIA', 'QYLPMN5HHHFPZAM2'].join('')],
  ['github-token', `ghp_${alphanumeric.slice(0, 36)}`],
  ['github-token', `github_pat_${alphanumeric.slice(0, 22)}_${alphanumeric.slice(0, 59)}`],
  ['gitlab-token', `glpat-${alphanumeric.slice(0, 20)}`],
  ['openai-key', `sk-proj-${alphanumeric.slice(0, 100)}`],
  ['openai-key', `sk-${alphanumeric.slice(0, 20)}T3BlbkFJ${alphanumeric.slice(20, 40)}`],
  ['anthropic-key', `sk-ant-api03-${alphanumeric.slice(0, 93)}AA`],
  ['google-api-key', `AIza${alphanumeric.slice(0, 34)}-`],
  ['slack-token', `xoxb-123456789012-${alphanumeric.slice(0, 24)}`],
  ['slack-webhook', `https://hooks.slack.com/services/T${alphanumeric.slice(0, 8)}/B0/${alphanumeric.slice(0, 24)}`],
  ['stripe-key', `sk_live_${alphanumeric.slice(0, 24)}`],
  ['twilio-key', `SK${hexadecimal.slice(0, 32)}`],
  ['sendgrid-key', `SG.${alphanumeric.slice(0, 22)}.${alphanumeric.slice(0, 43)}`],
  ['npm-token', `npm_${alphanumeric.slice(0, 36)}`],
  ['pypi-token', `pypi-AgEIcHlwaS5vcmc${alphanumeric.slice(0, 80)}`],
  ['huggingface-token', `hf_${alphanumeric.slice(0, 34)}`],
  ['databricks-token', `dapi${hexadecimal.slice(0, 32)}`],
  ['digitalocean-token', `dop_v1_${hexadecimal.slice(0, 64)}`],
  ['doppler-token', `dp.pt.${alphanumeric.slice(0, 43)}`],
  ['vault-token', `hvs.${alphanumeric.slice(0, 90)}`],
]

void t.test('each vendor has its own entity, wherever the key stands', async (t) => {
  for (const [entity, key] of keys) {
    for (const text of [
      key,
      `key="${key}"`,
      `x\\n${key}\\n`,
      `Authorization: Bearer ${key}, then`,
      `token%3D${key}`,
      `${key}.`,
    ]) {
      const findings = scanText(text, ['secrets'])
      t.same(
        findings.map((f) => [f.entity, f.group, text.slice(f.start, f.end)]),
        [[entity, 'secrets', key]],
        text,
      )
    }
    t.same(found(`a${key}`, 'secrets'), [], 'in the middle of a word')
    t.same(found(key.slice(0, 8), 'secrets'), [], 'only its beginning')
  }
})

void t.test('what stands in documentation in place of a key is not one', async (t) => {
  t.same(found(`AKIAIOSFODNN7EXAMPLE`, 'secrets'), [])
  t.same(found(`ghp_${'x'.repeat(36)} sk-ant-${'your-key-here-'.repeat(4)}`, 'secrets'), [])
})

void t.test('keys that only their label gives away', async (t) => {
  const secret = `${alphanumeric.slice(0, 30)}/+${alphanumeric.slice(0, 8)}`
  t.same(found(`aws_secret_access_key = ${secret}`, 'secrets'), [secret])
  t.same(found(`"SecretAccessKey": "${secret}"`, 'secrets'), [secret])
  t.same(found(`AWS_SECRET_KEY: '${secret}'`, 'secrets'), [secret])
  t.same(found(`checksum = ${secret}`, 'secrets'), [])
  t.same(found(`aws_secret_access_key = ${secret}x`, 'aws-secret-access-key'), [])
  const storage = `${alphanumeric.slice(0, 86)}==`
  t.same(found(`AccountName=a;AccountKey=${storage};EndpointSuffix=x`, 'secrets'), [storage])
})

const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
const payload = Buffer.from('{"sub":"1"}').toString('base64url')

void t.test('a JWT has a header that decodes', async (t) => {
  t.same(found(`Bearer ${header}.${payload}.c2ln, then`, 'jwt'), [`${header}.${payload}.c2ln`])
  t.same(found(`${header}.${payload}.`, 'jwt'), [`${header}.${payload}.`])
  const encrypted = `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}..aXY.Y3Q.dGFn`
  t.same(found(`${encrypted}.`, 'jwt'), [encrypted])
  t.same(found('eyJub3QiOiJvbmUifQ.eyJhIjoxfQ.c2ln', 'jwt'), [], 'no algorithm')
  t.same(found(`eyJ.eyJ.eyJ ${header}`, 'jwt'), [])
})

const body = `${alphanumeric.slice(0, 64)}\n${alphanumeric.slice(5, 60)}==`
const armour = (label: string, text: string): string => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----`

void t.test('a private key is its whole block', async (t) => {
  for (const label of [
    'PRIVATE KEY',
    'RSA PRIVATE KEY',
    'EC PRIVATE KEY',
    'OPENSSH PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
  ]) {
    const key = armour(label, body)
    t.same(found(`a\n${key}\nb`, 'private-key'), [key], label)
    const escaped = key.replaceAll('\n', '\\n')
    t.same(found(`{"key":"${escaped}\\n"}`, 'private-key'), [escaped], `${label} escaped`)
  }
  const encrypted = armour('RSA PRIVATE KEY', `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,7F3A\n\n${body}`)
  t.same(found(encrypted, 'private-key'), [encrypted])
  const pgp = armour('PGP PRIVATE KEY BLOCK', `Version: GnuPG v2\n\n${body}`)
  t.same(found(pgp, 'private-key'), [pgp])
})

void t.test('without its end, a private key reaches as far as its text', async (t) => {
  const cut = `-----BEGIN PRIVATE KEY-----\n${body}`
  t.same(found(`${cut}\n{"a":1}`, 'private-key'), [cut])
  const endless = `-----BEGIN PRIVATE KEY-----\n${'A1b2'.repeat(10_000)} {and the rest`
  t.same(found(`x ${endless}`, 'private-key'), [endless], 'longer than any real key: everything after it')
})

void t.test('public keys, certificates and talk about keys are not secret', async (t) => {
  t.same(found(armour('PUBLIC KEY', body), 'private-key'), [])
  t.same(found(armour('CERTIFICATE', body), 'private-key'), [])
  t.same(found('A file that begins with -----BEGIN PRIVATE KEY----- is a key.', 'private-key'), [])
})

void t.test('a run with many beginnings of keys is read once', async (t) => {
  for (const [beginning, trigger] of [
    ['-eyJ', 'eyJ'],
    ['.glsoat-', 'glsoat-'],
    ['sk-admin--', 'sk-admin-'],
    ['dp.scim.-', 'dp.scim.'],
    ['-dp.scim.', 'dp.scim.'],
    ['.glsoat-a-', 'glsoat-'],
  ] as const) {
    const text = beginning.repeat(500)
    const probe = new CountingProbe()
    probe.open(text, true)
    for (const detector of detectors.filter((d) => d.triggers?.includes(trigger)))
      for (let at = text.indexOf(trigger); at >= 0; at = text.indexOf(trigger, at + 1))
        detector.find(probe, at, at + trigger.length)
    const { reads } = probe
    t.ok(reads > 0 && reads < 3 * text.length, `${beginning}: ${reads} reads of ${text.length} units`)
  }
})

void t.test('punctuation alone before a key does not hide it', async (t) => {
  const token = `eyJ${Buffer.from('{"alg":"HS256"}').toString('base64url').slice(3)}.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN`
  for (const before of ['-', '--', 'session-', 'a--']) t.same(found(before + token, 'jwt'), [token], before)
  const key = `glsoat-${alphanumeric.slice(0, 20)}`
  for (const before of ['-', '--', 'a--']) t.same(found(before + key, 'gitlab-token'), [key], before)
})
