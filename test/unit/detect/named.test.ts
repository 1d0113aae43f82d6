import t from 'tap'
import { builtInCatalogue } from '../../../proxy/detect/catalogue.ts'
import { scanNamed } from '../../../proxy/detect/named.ts'
import { entityGroups } from '../../../proxy/detect/entities.ts'
import { compileScanner } from '../../../proxy/detect/scanner.ts'

const scanner = compileScanner(new Set(entityGroups.keys()))

function found(name: string | number, text: string): string[] {
  return scanNamed(scanner, text, { path: ['body', name] }).map(
    ({ entity, start, end }) => `${entity} ${text.slice(start, end)}`,
  )
}

t.test('a value is a secret where the name of its member says so', async (t) => {
  t.same(found('password', 'Tr0ub4dor3xQ9'), ['generic-secret Tr0ub4dor3xQ9'])
  t.same(found('api_key', 'q8Zk3LmP0xYw7RtB'), ['generic-secret q8Zk3LmP0xYw7RtB'])
  t.same(found('dbPassword', `Tr0"ub4'dor3xQ9`), [`generic-secret Tr0"ub4'dor3xQ9`])
  t.same(found('note', 'Tr0ub4dor3xQ9'), [])
  t.same(found(0, 'Tr0ub4dor3xQ9'), [])
  t.same(found('token_type', 'bearer'), [])
  t.same(found('max_tokens', 'auto'), [])
  t.same(found('next_page_token', 'CAUQAAq8Zk3LmP0xYw7RtB'), [])
  t.same(found('password', ''), [])
})

t.test('so do labels of vendors and of personal data, as they do in text', async (t) => {
  const random = ['kY8bJ3nQ7rT1vW5xZ9', 'aC2dE6fG0hI4jL+mN/oPqR'].join('')
  const personal = compileScanner(builtInCatalogue.entitiesOf(['pii', 'secrets']))
  for (const [name, text, entity] of [
    ['aws_secret_access_key', random, 'aws-secret-access-key'],
    ['secretAccessKey', random, 'aws-secret-access-key'],
    ['session_token', 'q7Rk2Vw9Lz4Np8Xc'.repeat(80), 'aws-session-token'],
    ['datadog', '7f3a9c1e5b8d2046'.repeat(2), 'datadog-key'],
    ['date_of_birth', '1980-02-03', 'date-of-birth'],
    ['passportNumber', '599999999', 'passport'],
    ['account_number', '7999999999', 'bank-account'],
    ['card', '4222222222222', 'payment-card'],
    ['ssn', '378079520', 'us-ssn'],
  ] as const) {
    t.match(scanNamed(personal, text, { path: [name] }), [{ entity, start: 0, end: text.length }], name)
    t.match(personal.scan(`{"${name}": "${text}"}`), [{ entity }], `${name} in text`)
  }
  for (const [name, text] of [
    ['id', '7999999999'],
    ['path', 'src/index.ts'],
    ['user', 'root'],
    ['text', 'call me at 10 or 11'],
    ['key_points', `${'The first thing is that '.repeat(80)} password: no`],
    ['api"key', random],
  ] as const)
    t.same(scanNamed(personal, text, { path: [name] }), [], name)
})

t.test('of the values of a list, too, however it is nested', async (t) => {
  const personal = compileScanner(builtInCatalogue.entitiesOf(['pii', 'secrets']))
  const all = (text: string) => [{ start: 0, end: text.length }]
  for (const [name, text] of [
    ['passwords', 'Tr0ub4dor3xQ9'],
    ['api_keys', 'q8Zk3LmP0xYw7RtB'],
    ['password', 'letmein'],
    ['accountNumbers', '7999999999'],
    ['phoneNumbers', '0341 8387176'],
    ['dateOfBirth', '1980-02-03'],
  ] as const) {
    for (const path of [
      [name, 0],
      [name, 3, 12],
      ['body', 0, name, 1],
    ])
      t.match(scanNamed(personal, text, { path }), all(text), path.join('.'))
  }
  t.same(scanNamed(personal, 'Tr0ub4dor3xQ9', { path: ['passwords', 0, 'note'] }), [])
  t.same(scanNamed(personal, 'Tr0ub4dor3xQ9', { path: [0, 1] }), [])
})

t.test('names say nothing of keys themselves, and wherever the innermost document stands', async (t) => {
  const text = 'Tr0ub4dor3xQ9'
  t.same(scanNamed(scanner, text, undefined), [])
  t.same(scanNamed(scanner, text, { path: ['password'], key: true }), [])
  t.match(scanNamed(scanner, text, { path: ['arguments'], inner: ['password'] }), [{ start: 0, end: text.length }])
})

t.test('what is found without the name stays, unless it is a part of the secret', async (t) => {
  t.same(found('authorization', 'write to ada@example.org'), ['email ada@example.org'])
  const key = 'ghp_q8Zk3LmP0xYw7RtBv5Nc2Hd9Jf4Gs6Ka1TeU'
  t.same(
    found('token', key).map((one) => one.split(' ')[1]),
    [key],
  )
})

t.test('of names that say with brackets what they belong to', async (t) => {
  for (const name of ['user[password]', 'password[]', 'users[0][db_password]', 'passwords[12]', 'a[b][dbPassword]'])
    t.same(found(name, 'Tr0ub4dor3xQ9'), ['generic-secret Tr0ub4dor3xQ9'], name)
  for (const name of ['password[note]', 'user[name]', '[]', ']']) t.same(found(name, 'Tr0ub4dor3xQ9'), [], name)
})
