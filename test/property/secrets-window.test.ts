// Secrets that stand right of what gives them away, or left of it: whatever the pieces a text arrives in, a window gives the
// redaction of the whole.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, tuple } from 'fast-check'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { cut, inPieces, steps, whole } from '../support/in-pieces.ts'
import { planOf } from '../support/plan-of.ts'
import { runsOf } from '../support/runs.ts'

const vault = openVault(Buffer.alloc(32, 7), 'p')
const random = ['q7Rk2Vw9', 'Lz4Np8Xc', '3Tb6Ym1H'].join('')
const hex = '7f3a9c1e5b8d2046'.repeat(2)

const samples = [
  `password = "hunter2xy!" and password: <none>, DB_PASS=correcthorse ok`,
  `{"api_key": "${random}", "key": "x", "token": null}`,
  `aws_secret_access_key: ${random}${random.slice(0, 16)}. and more`,
  `postgres://app:p@ss1@db.example.org:5432/x https://a.b:80/@c ://`,
  `Server=db;User Id=app;Password=letmein; user = x`,
  `Authorization: Bearer ${random}, Basic YWRhOm9wZW4gc2VzYW1l.`,
  `curl -u ada:pass1word https://x.org machine h login u password pw123456`,
  `c ${random.slice(0, 3)}8Q~${random}${random.slice(0, 10)} and ${random.slice(0, 14)}.atlasv1.${random.repeat(3).slice(0, 64)}`,
  `123456789:AA${random}${random.slice(0, 9)} ${hex}-us12 discord = '${hex}'`,
  `1234-abcdefghijklmnop.apps.googleusercontent.com $1$abcd$${random.slice(0, 21)}/ x`,
  `IDENTIFIED BY 'pass1word' <add key="datadog" value="${hex}"/> dd-api-key ${hex}`,
  `{"password": "hun\\"ter2xyz", "pwd": "\\\\", "x": {\\"api_key\\": \\"${random}\\"}}`,
  `"passwords": ["hunter2xy!", "x", "letmein99"], api_keys = ['${random}',\n  '${random.slice(3)}x9']`,
  `passwords:\n  - hunter2xy!\n  - "letm&in99"\nAPI_KEYS=${random},${random.slice(2)} tokens: [\\"${random}\\"]`,
  `mot de passe : hunter2xy!, Mi contraseña es hunter2xy y la senha é "letm99in" hasło: hunter2xy1 Kennwort ist x9y8z7w6`,
  `mysql -u root -phunter2xy shop; sshpass -p 'hunter2 xy!1' ssh h && redis-cli -a "hunter2xy" docker login -u a -p hunter2xy`,
  `smbclient //s/x -U ada%hunter2xy unzip -P hunter2xy a.zip --password=letmein mysql -p -u x`,
  `Private-Lines: 1\n${random}${random}\nPrivate-MAC: 0`,
  `_${['AIza', random, random.slice(0, 11)].join('')}_ __${['gh', 'p_', random, random].join('')}__ KEY_${['sk-an', 't-', random, random].join('')}_`,
]

// prettier-ignore
const fragments = [
  'password', 'PASSWORD', 'pass', 'secret', 'token', 'key', 'api_key', 'apiKey', 'auth', 'credential', 'bearer ', 'basic ',
  'Authorization', '=', ':', ': ', ' = ', '"', "'", '`', '\\"', '{', '(', ',', ';', ' ', '\n', '--', '-', '.', '/', '@',
  'mot de passe', 'motDePasse', 'contrase', 'ñ', 'ña', 'has', 'ło', 'hasło', 'senha', ' é ', ' est ', 'parola d', "'ordine",
  'mysql', 'mysql ', ' -p', ' -P ', ' -a ', ' -U ', 'a%', 'sshpass', 'docker login', 'redis-cli ', 'zip', ' --proxy-user', '&&',
  'passwords', 'api_keys', 'tokens: ["', '", "', ']', '[', '["', "', '", '\n  - ', '- ', '&', 'password: ["', 'KEYS=',
  '$', '${', '}', '<', '>', '://', 'user', 'user=', 'password=', 'is ', 'value=', 'string ', 'Q~', 'a-~8Q', 'AZDO', '.atlasv1.',
  ':AA', '-us1', '.apps.googleusercontent.com', 'datadog', 'twitter', 'lob', 'heroku', 'machine ', 'login', ' -u ', 'curl',
  'identified by', 'ZXlK', 'LS0tLS1CRUdJTi', 'private-lines: ', 'hunter2xy', random, hex, random.repeat(3), 'x', '1', 'é', '_', '__', 'eyJ', 'AIza', 'sk-ant-',
]
const atoms = [...fragments, ...samples.flatMap((text) => text.split(' '))]
const texts = array(tuple(constantFrom(...atoms), constantFrom('', '', ' ', '\n', ',')), {
  minLength: 1,
  maxLength: 14,
}).map((parts) => parts.map(([atom, separator]) => atom + separator).join(''))

const plans = [planOf('mask', ['secrets']), planOf('mask'), planOf('mask', ['generic-secret', 'email'])]

void t.test('every split in two, and every single unit, gives the whole', async (t) => {
  for (const plan of plans) {
    for (const text of samples) {
      const expected = whole(text, plan, vault)
      let failures = 0
      for (let i = 0; i <= text.length; i++)
        if (inPieces([text.slice(0, i), text.slice(i)], plan, vault) !== expected) failures++
      if (inPieces(text.split(''), plan, vault) !== expected) failures++
      t.equal(failures, 0, text)
    }
  }
})

void t.test('random texts in random pieces', async () => {
  const runs = runsOf(3000)
  assert(
    property(texts, array(nat(3000), { maxLength: 20 }), nat(2), boolean(), (text, cuts, index, single) => {
      const plan = plans[index] as Plan
      return inPieces(single ? text.split('') : cut(text, cuts), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runs },
  )
})

// Windows drop what they released; detectors must not look further back than what is kept.
void t.test('random texts after long released ones', async () => {
  const prose = 'the words that stand before are neither names nor values '.repeat(30)
  const plan = plans[1] as Plan
  assert(
    property(texts, texts, nat(97), (first, second, size) => {
      const text = first + prose + second
      const step = size || 1500
      return inPieces(steps(text, step), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runsOf(3000, 40) },
  )
})
