// What the walk over a document says of a value beside where it stands.
import t from 'tap'
import { scanNamed } from '../../../proxy/detect/named.ts'
import { entityGroups } from '../../../proxy/detect/entities.ts'
import { compileScanner } from '../../../proxy/detect/scanner.ts'
import { readDocument } from '../../../proxy/protocol/http.ts'
import type { Json } from '../../../proxy/lib/json.ts'

const scanner = compileScanner(new Set(entityGroups.keys()))
/** Put together here, so that nothing takes it for a real one. */
const secret = ['let', 'mein'].join('')

function found(document: unknown): string[] {
  const text = JSON.stringify(document)
  const reading = readDocument(JSON.parse(text) as Json, text, 'other')
  if (!reading.ok) throw new Error(reading.message)
  return reading.content.parts.flatMap((part) =>
    scanNamed(scanner, part.text, part.address).map(({ start, end }) => part.text.slice(start, end)),
  )
}

t.test('a value is known by the name that another member gives it', async (t) => {
  const env = [
    { name: 'DB_PASSWORD', value: secret },
    { name: 'MODE', value: 'production1' },
  ]
  t.same(found({ spec: { containers: [{ env }] } }), [secret])
  t.same(found({ value: secret, key: 'db.password' }), [secret])
  t.same(found([{ Key: 'Password', Value: secret }]), [secret])
  t.same(found({ headers: [{ name: 'date-of-birth', value: '1985-02-03' }] }), ['1985-02-03'])
  t.same(found({ body: JSON.stringify({ variables: env }) }), [secret])
})

t.test('and by nothing else', async (t) => {
  t.same(
    found([{ name: 'MODE', value: secret }, { value: secret }, { name: 'password', type: secret, values: secret }]),
    [],
  )
  t.same(found({ name: 'password', value: { text: secret } }), [])
  t.same(found({ name: 'password', value: JSON.stringify({ text: secret }) }), [])
  t.same(found([{ name: 'password', value: '' }, secret, { text: secret }]), [])
  t.same(found({ name: 1, value: secret }), [])
})
