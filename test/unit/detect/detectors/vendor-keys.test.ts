// Every row of the tables finds a key of its own shape, made here at random, wherever a key may stand.
import t from 'tap'
import { characterClass } from '../../../../proxy/detect/characters.ts'
import { scanText } from '../../../../proxy/detect/scan-text.ts'
import { aiLabelledRows, aiRows } from '../../../../proxy/detect/detectors/secrets/ai.ts'
import { cloudLabelledRows, cloudRows } from '../../../../proxy/detect/detectors/secrets/cloud.ts'
import { codeLabelledRows, codeRows } from '../../../../proxy/detect/detectors/secrets/code.ts'
import type { Row } from '../../../../proxy/detect/detectors/secrets/formats.ts'
import { serviceLabelledRows, serviceRows } from '../../../../proxy/detect/detectors/secrets/services.ts'
import { vendorKeys } from '../../../../proxy/detect/detectors/vendor-keys.ts'
import { tokenLengthMax } from '../../../../proxy/detect/vault-token.ts'
import { found } from './found.ts'

const prefixedRows = [...aiRows, ...cloudRows, ...codeRows, ...serviceRows]
const labelledRows = [...aiLabelledRows, ...cloudLabelledRows, ...codeLabelledRows, ...serviceLabelledRows]

let seed = 7
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
  return (seed >>> 8) % below
}

function randomBody(spec: string, length: number): string {
  const { ascii } = characterClass(spec)
  const characters = Array.from(ascii.keys(), (code) => String.fromCharCode(code)).filter(
    (character, code) => ascii[code] === 1 && /[A-Za-z0-9]/.test(character),
  )
  return Array.from({ length }, () => characters[random(characters.length)]).join('')
}

function randomUuid(): string {
  return [8, 4, 4, 4, 12].map((length) => randomBody('0-9a-f', length)).join('-')
}

/** Undefined where random text does not have the form: those rows have samples below. */
function sampleOf([, , body, lengths, , form]: Row): string | undefined {
  if (form?.source.includes('{8}-(?:') === true) return randomUuid()
  for (let attempt = 0; attempt < 60; attempt++) {
    const value = randomBody(body, lengths[attempt % 2] ?? 0)
    if (form?.test(value) !== false) return value
  }
  return undefined
}

void t.test('a key with a fixed beginning is found by its own row', async (t) => {
  let tried = 0
  for (const row of prefixedRows) {
    for (const prefix of row[1].split(' ')) {
      const sample = sampleOf(row)
      if (sample === undefined) continue
      tried++
      const text = `set x to ${prefix}${sample}, please`
      const entities = scanText(text, ['secrets']).map((f) => f.entity)
      if (!entities.includes(row[0])) t.fail(`${row[0]} ${prefix}: ${entities.join(' ')}`)
    }
  }
  t.ok(tried > 200, `${tried} prefixes`)
})

void t.test('a key without one is found beside its label, and only there', async (t) => {
  let tried = 0
  for (const row of labelledRows) {
    for (const label of row[1].split(' ')) {
      const sample = sampleOf(row)
      if (sample === undefined) continue
      tried++
      const text = `my_${label.replaceAll('~', ' ')}_key: "${sample}",`
      const entities = scanText(text, [row[0]]).map((f) => f.entity)
      if (entities.length === 0) t.fail(`${row[0]} ${label}`)
      t.same(found(`checksum: "${sample}"`, row[0]), [], `${row[0]} without a label`)
    }
  }
  t.ok(tried > 150, `${tried} labels`)
})

void t.test('names of entities fit into tokens, and there are at least 150 formats', async (t) => {
  const names = new Set(vendorKeys.map((detector) => detector.entity))
  for (const name of names) {
    t.match(name, /^[a-z0-9]+(?:-[a-z0-9]+)+$/)
    t.ok(name.length <= tokenLengthMax - 11, name)
  }
  t.ok(names.size >= 150, `${names.size} kinds of keys`)
})

const letters = 'q7Rk2Vw9Lz4Np8Xc3Tb6Ym1Hd5Gs0Jf'.repeat(6)
const hex = '7f3a9c1e5b8d2046'.repeat(12)

/** Forms with parts, put together from parts. */
const structured: readonly (readonly [entity: string, text: string, key: string])[] = [
  ['cloudflare-key', '', `v1.0-${hex.slice(0, 24)}-${hex.slice(0, 146)}`],
  ['infisical-token', '', `st.${hex.slice(0, 24)}.${hex.slice(0, 32)}.${hex.slice(0, 32)}`],
  ['harness-key', '', `pat.${letters.slice(0, 22)}.${letters.slice(0, 24)}.${letters.slice(0, 20)}`],
  ['stackhawk-key', '', `hawk.${letters.slice(0, 20)}.${letters.slice(5, 25)}`],
  ['airtable-token', '', `pat${letters.slice(0, 14)}.${hex.slice(0, 64)}`],
  ['grafana-token', '', `glsa_${letters.slice(0, 32)}_${hex.slice(0, 8)}`],
  ['dynatrace-token', '', `dt0c01.${letters.slice(0, 24)}.${letters.slice(0, 64)}`],
  ['mapbox-token', '', `pk.${letters.slice(0, 60)}.${letters.slice(0, 22)}`],
  ['notion-token', '', `ntn_${'4'.repeat(3)}12345678${letters.slice(0, 35)}`],
  ['salesforce-token', '', `00D${letters.slice(0, 12)}!${letters.slice(0, 90)}`],
  ['azure-client-secret', '', `${letters.slice(0, 3)}8Q~${letters.slice(0, 34)}`],
  ['azure-devops-token', '', `${letters.slice(0, 76)}AZDO${letters.slice(0, 4)}`],
  ['azure-key', 'https://a.example/c?sv=2024-11-04&', `sig=${letters.slice(0, 42)}%2B%3D`],
  ['azure-key', '', `${letters.slice(0, 46)}JQQJ99${letters.slice(0, 32)}`],
  ...['APIM', 'ACDb', '+ABa', '+AMC'].map((sign): readonly [string, string, string] => [
    'azure-key',
    '',
    `${letters.slice(0, 76)}${sign}${letters.slice(0, 5)}Q==`,
  ]),
  ...['AIoT', 'AZEG', '+ASb', '+AEh', '+ARm'].map((sign): readonly [string, string, string] => [
    'azure-key',
    '',
    `${letters.slice(0, 33)}${sign}A${letters.slice(0, 5)}=`,
  ]),
  ['azure-key', 'https://f.example/api/x?code=', `${letters.slice(0, 44)}AzFu${letters.slice(0, 5)}Q==`],
  ['azure-key', '', `${letters.slice(0, 33)}AzCaA${letters.slice(0, 5)}=`],
  ['azure-key', '', `${letters.slice(0, 42)}+ACRA${letters.slice(0, 5)}`],
  [
    'azure-key',
    'https://p.logic.example/workflows/x/triggers/manual/paths/invoke?sv=1.0&',
    `sig=${letters.slice(0, 43)}`,
  ],
  ['google-api-key', '', `AQ.Ab8RN6${letters.slice(0, 44)}`],
  ['laravel-key', 'APP_KEY=', `base64:${letters.slice(0, 43)}=`],
  ['discord-token', 'client.login("', `MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${letters.slice(0, 27)}`],
  ['discord-token', 'Authorization: Bot ', `MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.Gx1y2z.${letters.slice(0, 38)}`],
  ['newrelic-key', '', `eu01xx${hex.slice(0, 30)}NRAL`],
  ['paddle-key', '', `pdl_live_apikey_${letters.slice(0, 26).toLowerCase()}_${letters.slice(0, 22)}_aB3`],
  ['jetbrains-token', '', `perm-${letters.slice(0, 12)}.${letters.slice(0, 8)}==.${letters.slice(0, 30)}`],
  ['clickup-token', '', `pk_12345678_${letters.slice(0, 32).toUpperCase()}`],
  ['mercadopago-token', '', `APP_USR-1234567890123456-112233-${hex.slice(0, 32)}-987654321`],
  ['qianfan-key', '', `bce-v3/ALTAK-${letters.slice(0, 21)}/${hex.slice(0, 40)}`],
  ['terraform-token', '', `${letters.slice(0, 14)}.atlasv1.${letters.slice(0, 67)}`],
  ['mailchimp-key', '', `${hex.slice(0, 32)}-us12`],
  ['telegram-token', '', `123456789:AA${letters.slice(0, 33)}`],
  ['google-oauth-client', '', `123456789012-${letters.slice(0, 32).toLowerCase()}.apps.googleusercontent.com`],
  ['okta-token', 'okta_token = ', `00${letters.slice(0, 40)}`],
  ['telegram-token', 'telegram: ', `12345:A${letters.slice(0, 34)}`],
  ['mailgun-key', 'MAILGUN_KEY=', `${hex.slice(0, 32)}-${hex.slice(0, 8)}-${hex.slice(0, 8)}`],
  ['kubernetes-token', 'kubeadm join --token ', `abc123.${letters.slice(0, 16).toLowerCase()}`],
  ['wireguard-key', 'PrivateKey = ', `${letters.slice(0, 43)}=`],
  ['azure-storage-key', '"accountKey": "', `${letters.slice(0, 86)}==`],
]

void t.test('keys with parts', async (t) => {
  for (const [entity, before, key] of structured) {
    const text = `${before}${key} and on`
    const findings = scanText(text, ['secrets'])
    t.same(
      findings.map((f) => [f.entity, text.slice(f.start, f.end)]),
      [[entity, key]],
      text,
    )
  }
})

void t.test('a key that is a segment of a path, or a word of a query', async (t) => {
  const stripe = ['sk', 'live', letters.slice(0, 24)].join('_')
  const webhook = ['whsec', letters.slice(0, 32)].join('_')
  t.same(
    scanText(`https://h.io/u/${stripe}/edit`, ['secrets']).map(({ start, end }) => [start, end]),
    [[15, 15 + stripe.length]],
  )
  for (const text of [`https://h.io/u/${webhook}`, `https://h.io/?q=my+${stripe}`, `https://h.io/?q=my+${webhook}`])
    t.equal(scanText(text, ['secrets']).length, 1, text)
})

const token = letters.slice(0, 32).toLowerCase()

void t.test('a label and its value in all ways to assign', async (t) => {
  for (const text of [
    `discord = "${token}"`,
    `discordToken="${token}"`,
    `DISCORD_TOKEN=${token}`,
    `discord_token: ${token}`,
    `{"discordToken": "${token}"}`,
    `{\\"discord\\":\\"${token}\\"}`,
    `discord_secret := "${token}"`,
    `"discord" => '${token}',`,
    `$discordToken .= "${token}"`,
    `DISCORD ?= ${token}`,
    `<discordToken>\n  ${token}\n</discordToken>`,
    `<add key="discord" value="${token}"/>`,
    `System.setProperty("DISCORD_TOKEN", "${token}")`,
    `var discordToken string = "${token}"`,
    `#define DISCORD "${token}"`,
    `bot --discord-token ${token}`,
    `discord-client-secret:\n  ${token}\n`,
  ])
    t.same(found(text, 'discord-key'), [token], text)
  for (const text of [
    `discord ${token}`,
    `discord_sha256 = "${token}"`,
    `see discord, ${token} it is not`.replace(', ', ' and '),
    `discord = "${token}x"`,
    `discord = discord`,
    `discord = "${'0'.repeat(32)}"`,
  ])
    t.same(found(text, 'discord-key'), [], text)
  t.same(
    found(`globalKey = "test_${hex.slice(0, 35)}"`, 'lob-key'),
    [`test_${hex.slice(0, 35)}`],
    'known by its beginning',
  )
  t.same(found(`sumOf = "${letters.slice(0, 14)}"`, 'sumologic-key'), [], 'a label that is only letters of other words')
})
