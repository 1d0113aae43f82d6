import t from 'tap'
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
