import t from 'tap'
import { compileAllow } from '../../../proxy/detect/allow.ts'
import { compileDetectors } from '../../../proxy/detect/custom.ts'
import type { DetectorOptions } from '../../../proxy/detect/detector-options.ts'
import { compilePattern } from '../../../proxy/detect/pattern.ts'
import { compileScanner } from '../../../proxy/detect/scanner.ts'
import { validators } from '../../../proxy/detect/validators.ts'

function found(options: DetectorOptions, text: string): string[] {
  const { catalogue, problems } = compileDetectors([options], ['detectors'])
  t.same(problems, [])
  const findings = compileScanner(new Set([options.id]), catalogue.detectors).scan(text)
  return findings.map(({ entity, start, end }) => `${entity}=${text.slice(start, end)}`)
}

function problem(...options: DetectorOptions[]): string {
  const { problems } = compileDetectors(options, ['detectors'])
  const [first] = problems
  return first === undefined
    ? ''
    : `${first.path.join('.')}${first.offset === undefined ? '' : `+${first.offset}`}: ${first.message}`
}

t.test('words are found whole, in any case, across line breaks', async (t) => {
  const words = { id: 'project', words: ['Falcon', 'Blue  Heron', 'C++', 'Übermut', '山田太郎'] }
  t.same(found(words, 'falcon FALCON falcons prefalcon Falcon_x falcon.'), [
    'project=falcon',
    'project=FALCON',
    'project=falcon',
  ])
  t.same(found(words, 'blue\r\nheron, Blue Heron; BlueHeron'), ['project=blue\r\nheron', 'project=Blue Heron'])
  t.same(found(words, 'in C++ and c++11, c+'), ['project=C++', 'project=c++'])
  t.same(found(words, 'ÜBERMUT übermut übermutig'), ['project=ÜBERMUT', 'project=übermut'])
  t.same(found(words, '「山田太郎」'), ['project=山田太郎'])
  t.same(found({ id: 'x', words: ['Falcon'], caseSensitive: true }, 'falcon Falcon'), ['x=Falcon'])
  t.same(found({ id: 'x', words: ['blue', 'blue heron'] }, 'a blue heron'), ['x=blue heron'], 'the longest')
  t.same(found({ id: 'x', words: ['blue', 'blue heron'] }, 'a blue herons'), ['x=blue'], 'that stands there whole')
  const people = Array.from({ length: 300 }, (_, i) => `john smith${i}`)
  t.same(found({ id: 'x', words: people }, `${'john smith '.repeat(1000)} john smith77.`), ['x=john smith77'])
})

t.test('a space in a word is any white space, in reason', async (t) => {
  const words = { id: 'project', words: ['Blue Heron', 'Über Mut'] }
  const spaces = [
    '\t\t',
    '\n      ',
    '\r\n\r\n\r\n',
    '\u0085',
    '\u2003',
    '\u2009\u202f',
    '\u2028',
    '\u3000',
    ' '.repeat(64),
  ]
  for (const space of spaces) {
    t.same(found(words, `see Blue${space}Heron.`), [`project=Blue${space}Heron`], encodeURIComponent(space))
    t.same(found(words, `see Über${space}Mut.`), [`project=Über${space}Mut`], encodeURIComponent(space))
  }
  t.same(found(words, `see Blue${' '.repeat(65)}Heron, Über${' '.repeat(65)}Mut`), [])
})

t.test('a word is found as it is written, whatever its alphabet has for capitals and for signs', async (t) => {
  const words = { id: 'project', words: ['Proje İzmir', 'Project ΟΔΟΣ', 'İstanbul', 'Falcon', 'Übermut', '.NET'] }
  t.same(found(words, 'Proje İzmir, proje izmir'), ['project=Proje İzmir', 'project=proje izmir'])
  t.same(found(words, 'Project ΟΔΟΣ, project οδος'), ['project=Project ΟΔΟΣ', 'project=project οδος'])
  t.same(found(words, 'İSTANBUL istanbul'), ['project=İSTANBUL', 'project=istanbul'])
  t.same(found(words, 'Falcon، Falcon・Falconé'), ['project=Falcon', 'project=Falcon'])
  t.same(found(words, String.raw`"a\nÜbermut", "a\nFalcon", anÜbermut, _Übermut`), [
    'project=Übermut',
    'project=Falcon',
  ])
  t.same(found(words, 'ASP.NET'), ['project=.NET'])
})

t.test('patterns, with context and check digits', async (t) => {
  const employee = { id: 'employee-id', pattern: 'EMP-\\d{6}' }
  t.same(found(employee, 'EMP-123456, emp-123456 xEMP-000000EMP-1'), [
    'employee-id=EMP-123456',
    'employee-id=EMP-000000',
  ])
  t.same(found({ ...employee, pattern: '(?i)\\bemp-\\d{6}\\b' }, 'emp-123456 xEMP-123456 EMP-1234567'), [
    'employee-id=emp-123456',
  ])
  const inContext = { id: 'staff', pattern: '\\b\\d{5}\\b', context: ['employee', 'Staff'], contextBefore: 20 }
  t.same(found(inContext, 'staff no. 12345, zip 54321'), ['staff=12345'], 'the second is too far away')
  t.same(found(inContext, `staff ${'.'.repeat(30)} 12345`), [])
  t.same(found(inContext, 'distaff 12345'), [], 'a part of a word is no context')
  t.same(found(inContext, 'staffNo: 12345 theEmployee=12346'), ['staff=12345', 'staff=12346'], 'identifiers have words')
  t.same(found(inContext, 'İ distaff 12345, İ staff 12346'), ['staff=12346'])
  t.same(found({ id: 'member', pattern: '\\b\\d{4}-\\d{4}\\b', validator: 'luhn' }, '1234-5674 1234-5675'), [
    'member=1234-5674',
  ])
  t.same(found({ id: 'tag', pattern: '[A-Z]{2}\\d{2}(?:-[a-z]+)?' }, 'x AB12-foo, CD34 E5'), [
    'tag=AB12-foo',
    'tag=CD34',
  ])
  t.same(found({ id: 'emoji', pattern: '😀{2}\\d' }, 'a😀😀1 😀2'), ['emoji=😀😀1'])
})

t.test('what is let be', async (t) => {
  t.same(found({ id: 'e', pattern: 'EMP-\\d{3}', allow: ['emp-000', 'EMP-9*'] }, 'EMP-000 EMP-123 EMP-987'), [
    'e=EMP-123',
  ])
  const allowed = compileAllow(['4111111111111111', '@example.com', 'test-*-?', 'Ada'])
  for (const value of ['4111 1111 1111 1111', '4111-1111-1111-1111', 'ada@example.com', 'ADA', 'test-abc-1'])
    t.ok(allowed(value), value)
  for (const value of ['4111 1111 1111 1112', 'ada@example.community', 'ada@mail.example.com', 'Adam', 'test-abc-12'])
    t.notOk(allowed(value), value)
  t.notOk(compileAllow(['*'])('x'.repeat(2000)), 'too long to be test data')
})

t.test('check digits', async (t) => {
  t.ok(validators.mod97('GB82 WEST 1234 5698 7654 32'))
  t.notOk(validators.mod97('GB83 WEST 1234 5698 7654 32'))
  t.ok(validators['mod11-10']('86 095 742 719'))
  t.ok(validators.verhoeff('2363'))
  t.notOk(validators.luhn('no digits'))
})

t.test('what is wrong is said with its place', async (t) => {
  t.match(problem({ id: 'x' }), /^detectors\.0: a detector needs words, a pattern or a url/)
  t.match(problem({ id: 'x', words: ['a'], pattern: 'b' }), /^detectors\.0\.pattern: .* not both/)
  t.match(problem({ id: 'x', words: ['ab'], validator: 'luhn' }), /^detectors\.0\.validator: "validator" belongs to/)
  t.match(problem({ id: 'email', words: ['ab'] }), /^detectors\.0\.id: "email" is the name of something else/)
  t.match(problem({ id: 'pii', words: ['ab'] }), /^detectors\.0\.id/)
  t.match(problem({ id: 'x', words: ['ab'] }, { id: 'x', words: ['cd'] }), /^detectors\.1\.id/)
  t.match(problem({ id: 'x', pattern: 'ab(?=c)' }), /^detectors\.0\.pattern\+3: look-around/)
  t.match(problem({ id: 'x', pattern: 'a*' }), /matches the empty text/)
  t.match(problem({ id: 'x', pattern: '^|\\b' }), /matches the empty text/)
  t.match(problem({ id: 'x', pattern: '(a+b+)+' }), /can be 32768 long, 512 is the most/)
  t.match(problem({ id: 'x', pattern: '[z-a]' }), /bad range/)
  t.match(problem({ id: 'p', url: 'http://x', protocol: 'presidio' }), /needs the entities/)
  t.match(
    problem({ id: 'p', url: 'http://x', protocol: 'presidio', entities: ['IP_ADDRESS'] }),
    /^detectors\.0\.entities\.0: "ip-address" is the name of something else/,
  )
  t.equal(problem({ id: 'p', url: 'http://x', protocol: 'presidio', entities: { IP_ADDRESS: 'p-ip' } }), '')
  const long = Array.from({ length: 200 }, (_, i) => `${'w'.repeat(90)}${i}`)
  t.match(problem({ id: 'x', words: long }), /^detectors: the words of all detectors have/)
})

t.test('names and groups', async (t) => {
  const { catalogue } = compileDetectors(
    [
      { id: 'employee-id', pattern: 'EMP-\\d{6}' },
      { id: 'project', group: 'secrets', words: ['Falcon'] },
      { id: 'presidio', url: 'http://127.0.0.1:1', protocol: 'presidio', entities: ['PERSON', 'US_DRIVER_LICENSE'] },
    ],
    ['detectors'],
  )
  t.ok(catalogue.entitiesOf(['pii']).has('employee-id'))
  t.ok(catalogue.entitiesOf(['pii']).has('person'))
  t.notOk(catalogue.entitiesOf(['pii']).has('project'))
  t.ok(catalogue.entitiesOf(['secrets']).has('project'))
  t.same([...catalogue.entitiesOf(['presidio'])], ['person', 'us-driver-license'])
  t.same([...catalogue.entitiesOf(['nothing'])], [])
  t.match(catalogue.hint('employe-id'), /employee-id/)
})

t.test('what matches begin with wakes a detector; hostile texts cost no more', async (t) => {
  const prefixes = (source: string) => {
    const pattern = compilePattern(source)
    return 'error' in pattern ? pattern.error : pattern.prefixes
  }
  t.same(prefixes('EMP-\\d{6}'), ['emp-'])
  t.same(prefixes('\\b(?:STAFF|EMPL)-\\d+'), ['staff-', 'empl-'])
  t.same(prefixes('(?i)emp[- ]\\d'), ['emp'])
  t.same(prefixes('AB\\d{6}'), undefined, 'too short')
  t.same(prefixes('[A-Z]{3}\\d'), undefined)
  const many = found({ id: 'n', pattern: '\\d{8}$' }, '7'.repeat(100_000))
  t.same(many, ['n=77777777'])
})
