import t from 'tap'
import { compileCatalogue } from '../../../proxy/policy/catalogue.ts'
import { compileExpression } from '../../../proxy/policy/expression.ts'
import { backgroundOf, Facts } from '../../../proxy/policy/facts.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import type { Action, Query } from '../../../proxy/policy/query.ts'
import type { Truth } from '../../../proxy/policy/truth.ts'
import { known, queryOf } from './policies.ts'

const names = { entities: known.entities, headers: new Set(['x-team']) }
const background = backgroundOf(compileCatalogue([{ name: 'send', tags: ['mail'] }]), known.entities)

function ask(source: string, action: Action, more: Partial<Omit<Query, 'action'>> = {}): { truth: Truth; why: string } {
  const expression = compileExpression(source, names)
  if (expression.problems.length > 0) throw new Error(JSON.stringify(expression.problems))
  const facts = new Facts(queryOf(action, more), background)
  return { truth: expression.test(facts), why: facts.because }
}

const withArgs = (source: string, args: Json) =>
  ask(source, { type: 'tool.call', via: 'mcp', tool: 'send', args }).truth

t.test('JSON numbers compare with integers and decimals', async (t) => {
  t.equal(withArgs('args.amount > 100', { amount: 150 }), true)
  t.equal(withArgs('args.amount > 100', { amount: 100 }), false)
  t.equal(withArgs('args.amount >= 99.5', { amount: 99.5 }), true)
  t.equal(withArgs('args.amount == 150', { amount: 150 }), true)
  t.equal(withArgs('args.amount != 150', { amount: 150.5 }), true)
  t.equal(withArgs('args.amount in [1, 150]', { amount: 150 }), true)
  t.equal(withArgs('args.amount < 9007199254740993', { amount: 2 ** 53 }), true)
  t.equal(withArgs('args.id == 1234567890123456789.0', JSON.parse('{"id":1234567890123456789}') as Json), true)
  t.equal(withArgs('args.amount > 100', { amount: '150' }), undefined, 'a string is no number')
  t.equal(withArgs('args.amount > 100', { amount: null }), undefined)
  t.equal(withArgs('args.amount > 100', {}), undefined)
  t.equal(withArgs('size(args.list) == 3 && args.list[2].a == 1', { list: [1, 2, { a: 1 }] }), true)
  t.equal(withArgs('args.list[3] == 1', { list: [1] }), undefined)
})

t.test('has() tells absent from wrong', async (t) => {
  t.equal(withArgs('has(args.a) && args.a == 1', {}), false)
  t.equal(withArgs('!has(args.a) || args.a == 1', {}), true)
  t.equal(withArgs('has(args.a.b)', {}), undefined)
  t.equal(withArgs('has(args.toString)', {}), false)
  t.equal(withArgs('args.toString == 1', {}), undefined)
  t.equal(withArgs('args.__proto__ == 1', JSON.parse('{"__proto__": 1}') as Json), true, 'an own key is data')
  t.equal(
    withArgs('args.x == 1', { constructor: null, x: 1 }),
    undefined,
    'names that the library stumbles over stay unknown',
  )
})

t.test('has() of what can have no fields is unknown', async (t) => {
  for (const args of [[{ role: 'admin' }], [], 'admin', 7, true, null]) {
    t.equal(withArgs('has(args.role)', args), undefined, JSON.stringify(args))
    t.equal(withArgs('has(args.role) && args.role == "admin"', args), undefined, JSON.stringify(args))
    t.equal(withArgs('has(args.who.role)', { who: args }), undefined, JSON.stringify({ who: args }))
    t.equal(withArgs('has(args.who[0].role)', { who: [args] }), undefined, JSON.stringify({ who: [args] }))
    t.equal(withArgs('args.all(k, !has(args[k].role))', { who: args }), undefined, JSON.stringify({ who: args }))
    t.equal(withArgs('size(args.l.filter(x, has(x.role))) == 0', { l: [args] }), undefined, JSON.stringify([args]))
  }
  t.equal(withArgs('!has(args.role) ? false : args.role == "admin"', [{ role: 'admin' }]), undefined)
  t.equal(withArgs('args.exists(x, has(x.role) && x.role == "admin")', [{ role: 'admin' }]), true)
  t.equal(withArgs('args.exists(x, has(x.role) && x.role == "admin")', [{}, { role: 'user' }]), false)
  t.equal(withArgs('args.exists(x, has(x.role))', [null, { role: 'user' }]), true, 'one that decides is enough')
  t.equal(withArgs('args.l.exists(x, x.exists(y, has(y.a.b)))', { l: [[{ a: { b: null } }]] }), true)
  t.equal(withArgs('has(args.list[1].name) && !has(args.list[0].name)', { list: [{}, { name: null }] }), true)
  t.equal(withArgs('has({"a": 1}.a) && !has({"a": 1}.b)', {}), true)
  t.equal(ask('has(args.role)', { type: 'tool.call', args: ['x'] }).why, 'not a map: args')
  t.equal(ask('!has(principal.org)', { type: 'tool.call' }, { principal: { id: 'x', roles: [] } }).truth, true)
  t.equal(
    ask('has(args.force)', { type: 'tool.call', args: { force: 1 }, disputedArgs: ['force'] }).truth,
    undefined,
    'nobody knows whether it is there',
  )
})

t.test('or and and decide where one side is enough', async (t) => {
  t.equal(withArgs('args.a == 1 || args.missing == 1', { a: 1 }), true)
  t.equal(withArgs('args.missing == 1 || args.a == 1', { a: 1 }), true)
  t.equal(withArgs('args.missing == 1 && args.a == 1', { a: 2 }), false)
  t.equal(withArgs('args.missing == 1 && args.a == 1', { a: 1 }), undefined)
  t.equal(withArgs('args.a', { a: 'yes' }), undefined, 'not a bool')
})

t.test('every name of the interface', async (t) => {
  const model: Action = {
    type: 'model.call',
    model: 'gpt-4o',
    operation: 'chat.completions',
    stream: true,
    maxTokens: 100,
    messages: 5,
    tools: ['a', 'b'],
  }
  const yes = (source: string, action: Action = model, more: Partial<Omit<Query, 'action'>> = {}) =>
    t.equal(ask(source, action, { headers: { 'x-team': 'red' }, findings: { email: 2 }, ...more }).truth, true, source)
  yes('model == "gpt-4o" && operation.startsWith("chat") && stream')
  yes('maxTokens <= 100 && messages > 3 && messages == 5')
  yes('"a" in tools && size(tools) == 2 && tools.exists(t, t.endsWith("b"))')
  yes(
    'principal.id == "research-agent" && principal.org == "acme" && principal.team == "growth" && "researcher" in principal.roles',
  )
  yes('route == "openai" && upstream == "openai" && client.ip.startsWith("10.")')
  yes('headers["x-team"] == "red" && "x-team" in headers')
  yes('findings.email == 2 && findings["us-ssn"] == 0 && findings.pii == 2 && findings.secrets == 0')
  yes('time > timestamp("2026-01-01T00:00:00Z") && time.getHours() == 12')
  yes('tool == "send" && via == "model" && tags == ["mail"]', {
    type: 'tool.call',
    via: 'model',
    tool: 'send',
    args: {},
  })
  yes('method == "GET" && path.startsWith("/a")', {
    type: 'tool.call',
    via: 'http',
    tool: 'crm',
    method: 'GET',
    path: '/a/b',
  })
  yes('description.lowerAscii().contains("safe")', { type: 'tool.offer', tool: 'x', description: 'Safe' })
  yes('uri.startsWith("file:") && name == "n"', { type: 'resource.read', uri: 'file:///x', name: 'n' })
})

t.test('what is not known is unknown', async (t) => {
  t.equal(ask('model == "x"', { type: 'model.call' }).truth, undefined)
  t.equal(ask('maxTokens > 5', { type: 'model.call', maxTokens: 1.5 }).truth, undefined)
  t.equal(ask('findings.email > 0', { type: 'model.call' }).truth, undefined)
  t.equal(ask('headers["x-team"] == "red"', { type: 'model.call' }).truth, undefined)
  t.equal(
    ask('principal.org == "acme"', { type: 'model.call' }, { principal: { id: 'x', roles: [] } }).truth,
    undefined,
  )
  t.equal(ask('size(tags) == 0', { type: 'tool.call' }).truth, undefined)
})

t.test('why it is unknown names the expression, never the content', async (t) => {
  const { why } = ask('int(args.s) > 1', { type: 'tool.call', args: { s: 'my-secret-value' } })
  t.equal(why, 'int conversion error: int(args.s)')
  t.equal(
    ask('args[args.s] == 1', { type: 'tool.call', args: { s: 'my-secret-value' } }).why,
    'no such key: args[args.s]',
  )
})

t.test('mistakes are found at load, with their place', async (t) => {
  const bad: [string, string, number, string?][] = [
    ['modle == "x"', 'unknown name "modle"', 0, 'did you mean "model"?'],
    ['args.x == 1 && foo', 'unknown name "foo"', 15],
    ['principal.orgg == "x"', '"principal" has no field "orgg"', 10, 'did you mean "org"?'],
    ['has(principal.rolse)', '"principal" has no field "rolse"', 14, 'did you mean "roles"?'],
    ['principal.roles == "x"', 'no such overload: list<string> == string', 0],
    ['messages + "x" == "y"', 'no such overload: int + string', 0, '`messages` is a number'],
    ['stream || size(messages) > 3', "found no matching overload for 'size(int)'", 10, '`messages` is a number'],
    [
      'tools > maxTokens',
      'no such overload: list<string> > int',
      0,
      '`tools` is a list of texts, `maxTokens` is a number',
    ],
    ['model ==', 'this is not CEL: it ends too early', 8],
    ['size(model)', 'the expression gives int, not bool', 0],
    ['findings.emial > 0', 'there is no entity or group "emial"', 9, 'did you mean "email"?'],
    ['has(findings.email)', 'every entity is in `findings`, so this is always true', 0, 'write findings.email > 0'],
    ['has(args)', 'has() asks for a field, as in has(args.name)', 4],
    ['tools.exists(t, has(args[t]))', 'has() asks for a field, as in has(args.name)', 20],
    ['has(model.name)', "Cannot index type 'string'", 4],
    ['tools.exists(t, has(t.name))', "Cannot index type 'string'", 20],
    ['has(principal.team.x)', "Cannot index type 'string'", 4],
    ['"email" in findings', '`findings` is used by name', 11, 'write for example findings.email > 0'],
    ['headers["x-tem"] == "a"', 'rules may not see the header "x-tem"', 0, 'add "x-tem" to policyHeaders'],
    ['headers["X-Team"] == "a"', 'rules may not see the header "X-Team"', 0, 'header names are lower-case: "x-team"'],
    ['"x-other" in headers', 'rules may not see the header "x-other"', 0, 'add "x-other" to policyHeaders'],
    ['model.startWith("g")', 'there is no function "startWith" with 1 argument here', 0, 'did you mean "startsWith"?'],
    ['model.matches(route)', 'the pattern of matches() must be written out', 14],
    ['model.matches("(a")', 'not a regular expression: missing )', 14],
    ['model.contains(messages)', 'this must be a string, not int', 15],
    ['tools.matches("x")', 'this must be a string, not list<string>', 0],
    ['duration(args.d) > duration("1s")', 'the argument of duration() must be written out', 0],
    ['tools.exists(model, model == "x")', '"model" is already a name here', 13],
    ['tools.exists(x, size(x))', 'the condition gives int, not bool', 16],
    ['cel.bind(x, 1, x == 1)', 'there is no function "bind" with 3 arguments here', 0],
    [
      'time.getHours("Europe/Berln") < 8',
      'there is no time zone "Europe/Berln"; use an IANA name, for example Europe/Berlin',
      14,
    ],
    ['messages.getDayOfYear() == 1', 'this must be a time, not int', 0],
    ['time.getHours(messages) == 1', 'this must be the name of a time zone, not int', 14],
    ['time > timestamp("2026-01-01T00:00:00.000")', '"2026-01-01T00:00:00.000" is no time', 17],
    ['time > timestamp(stream)', 'this must be a string or an int, not bool', 17],
    ['time > timestamp("2026-01-01")', '"2026-01-01" is no time', 17, 'for example 2026-01-31T12:00:00Z'],
    [
      'time - timestamp("2026-01-01T00:00:00Z") > (duration("1d"))',
      '"1d" is no duration',
      53,
      'the units are h, m, s and ms; a day is 24h',
    ],
    ['tools.exists(t, int(args[t]) > int("1,000"))', '"1,000" is no whole number', 35],
    ['args.x == bool("maybe") || double("1,5") < 2.0', '"maybe" is no bool', 15],
    ['1 / 0 == 1', 'the expression can never be evaluated', 0],
    ['dyn("yes")', 'the expression can never be evaluated', 0],
    [
      'args.id == 1234567890123456789',
      'numbers are exact up to 9007199254740991, so nothing is equal to 1234567890123456789',
      11,
      'write 1234567890123456789.0 for whatever is rounded to the same, or `<=` and `>=`',
    ],
    [
      'args.id in [1, -9007199254740992]',
      'numbers are exact up to 9007199254740991, so nothing is equal to 9007199254740992',
      16,
    ],
    ['b"x" == bytes("x")', 'there is no function "bytes" with 1 argument here', 8],
  ]
  for (const [source, message, offset, hint] of bad) {
    const [problem] = compileExpression(source, names).problems
    t.equal(problem?.message, message, source)
    t.equal(problem?.offset, offset, source)
    if (hint !== undefined) t.equal(problem?.hint, hint, source)
  }
  t.equal(compileExpression(`${'('.repeat(200)}true${')'.repeat(200)}`, names).problems.length, 1, 'too deep')
  t.equal(
    compileExpression(Array.from({ length: 400 }, () => 'stream').join(' || '), names).problems.length,
    1,
    'too long',
  )
})

t.test('what an expression looks at', async (t) => {
  const { reads, findings } = compileExpression(
    'has(args.x) && findings.pii > 0 && tools.all(t, t == model) && headers["x-team"] == route',
    names,
  )
  t.same([...reads].sort(), ['args', 'findings', 'headers', 'model', 'route', 'tools'])
  t.same([...findings], ['pii'])
  t.equal(compileExpression('1 > 2', names).constant, false)
  t.equal(compileExpression('true', names).constant, true)
})

t.test('parts of a time are those of its zone, wherever the process runs', async (t) => {
  const before = process.env['TZ']
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  })
  const at = (iso: string, source: string) => ask(source, { type: 'model.call' }, { timeMs: Date.parse(iso) }).truth
  for (const zone of ['UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe']) {
    process.env['TZ'] = zone
    // New York's clocks have no 02:30 on that day, Berlin's none three weeks later.
    t.equal(at('2026-03-08T01:30:00Z', 'time.getHours("Europe/Berlin") == 2'), true, zone)
    t.equal(at('2026-03-29T02:30:00Z', 'time.getHours("UTC") == 2 && time.getMinutes("+05:45") == 15'), true, zone)
    t.equal(
      at('2026-07-01T00:30:00Z', 'time.getDayOfYear() == 181 && time.getDayOfYear("Asia/Tokyo") == 181'),
      true,
      zone,
    )
    t.equal(
      at('2026-01-01T00:30:00Z', 'time.getDayOfYear() == 0 && time.getDayOfYear("America/Lima") == 364'),
      true,
      zone,
    )
    t.equal(
      at(
        '2026-12-31T23:59:58.125Z',
        'time.getFullYear("Asia/Tokyo") == 2027 && time.getMonth("Asia/Tokyo") == 0 && time.getDate("Asia/Tokyo") == 1 && ' +
          'time.getDayOfMonth("Asia/Tokyo") == 0 && time.getDayOfWeek("Asia/Tokyo") == 5 && ' +
          'time.getSeconds("Asia/Tokyo") == 58 && time.getMilliseconds("Asia/Tokyo") == 125',
      ),
      true,
      zone,
    )
    t.equal(withArgs('timestamp(args.t).getFullYear("UTC") == 1', { t: '0001-01-01T00:00:00Z' }), true, zone)
  }
  t.equal(withArgs('time.getHours(args.zone) >= 0', { zone: 'Asia/Tokyo' }), true)
  const moments = ['2026-01-01T00:30:00Z', '2026-01-01t02:30:00+02:00', '2025-12-31T19:00:00.000000000-05:30']
  for (const t1 of moments)
    t.equal(withArgs('timestamp(args.t) == timestamp("2026-01-01T00:30:00Z")', { t: t1 }), true, t1)
  t.equal(
    withArgs('timestamp(0) < time && timestamp(int(args.n)) == timestamp("1970-01-01T00:01:00Z")', { n: 60 }),
    true,
  )
  for (const no of [
    '2026-01-01T00:30:00.000',
    'Thu, 01 Jan 2026 00:00:00',
    '2026-02-31T00:00:00Z',
    '2026-01-01 00:00:00Z',
    '',
    5,
  ])
    t.equal(withArgs('timestamp(args.t) < time', { t: no }), undefined, String(no))
  t.equal(withArgs('timestamp(int(args.n)) < time', { n: 1e15 }), undefined)
  t.equal(withArgs('time.getHours(args.zone) >= 0', { zone: 'Asia/Tokio' }), undefined)
  t.equal(withArgs('time.getHours(args.zone) >= 0', { zone: 9 }), undefined)
  t.equal(withArgs('args.t.getHours("UTC") >= 0', { t: '2026-01-01T00:00:00Z' }), undefined)
  t.equal(withArgs('[time].all(t, t.getDayOfYear() < 366)', {}), true)
})

t.test('loops: elements that cannot be evaluated', async (t) => {
  t.equal(withArgs('args.l.exists(x, x.a == 1)', { l: [{}, { a: 1 }] }), true)
  t.equal(withArgs('args.l.exists(x, x.a == 1)', { l: [{}, { a: 2 }] }), undefined)
  t.equal(withArgs('args.l.all(x, x.a == 1)', { l: [{}, { a: 2 }] }), false)
  t.equal(withArgs('args.l.all(x, x.a == 1)', { l: [{}, { a: 1 }] }), undefined)
  t.equal(withArgs('args.l.all(x, x == 1)', { l: [] }), true)
  t.equal(withArgs('args.l.exists_one(x, x == 1)', { l: [1, 2, 3] }), true)
  t.equal(withArgs('args.l.filter(x, x > 1).size() == 2', { l: [1, 2, 3] }), true)
  t.equal(withArgs('args.l.map(x, x.to) == ["a", "b"]', { l: [{ to: 'a' }, { to: 'b' }] }), true)
  t.equal(withArgs('args.all(k, k in ["a", "b"])', { a: 1, b: 2 }), true, 'a map is gone through by its keys')
  t.equal(withArgs('args.l.exists(x, args.m.exists(y, x == y))', { l: [1, 2], m: [2, 3] }), true)
  t.equal(withArgs('args.l.all(x, true)', { l: 'text' }), undefined)
  t.equal(withArgs('["a@", "b@"].exists(part, args.text.contains(part))', { text: 'to b@x' }), true)
  t.equal(
    withArgs('args.to.all(x, x.endsWith("@acme.example"))', {
      to: Array.from({ length: 3000 }, () => 'someone@acme.example'),
    }),
    true,
  )
})

t.test('texts', async (t) => {
  t.equal(
    withArgs('args.s.contains("b") && args.s.indexOf("b") == 1 && args.s.lastIndexOf("c") == 4', { s: 'abccc' }),
    true,
  )
  t.equal(withArgs('args.s.split(",") == ["a", "b"] && args.s.split(",").size() == 2', { s: 'a,b' }), true)
  t.equal(withArgs('args.s.contains("b")', { s: ['b'] }), undefined)
  t.equal(withArgs('args.s.contains(args.n)', { s: 'b', n: 1 }), undefined)
  t.equal(withArgs('args.s.matches("^/etc/.*pass") && !args.s.matches("(?i)SHADOW")', { s: '/etc/x/passwd' }), true)
  t.equal(withArgs('args.s.matches("x")', { s: 1 }), undefined)
})

t.test('work is bounded: what would take too long is unknown', async (t) => {
  const long = Array.from({ length: 20_000 }, (_, index) => index)
  const answers = (source: string, args: Json) => ask(source, { type: 'tool.call', args })
  const exceeded = /^evaluation budget exceeded/
  t.equal(answers('args.l.exists(x, x == 90)', { l: long.slice(0, 100) }).truth, true)
  t.match(answers('args.l.all(x, args.l.all(y, x != -1 && y != -1))', { l: long }).why, exceeded)
  t.match(answers('args.l.all(x, args.l.all(y, x != -1 && y != -1)) || true', { l: long }).truth, true)
  t.match(
    answers('args.l.exists(x, args.text.contains(x))', { l: long.map(String), text: 'y'.repeat(1_000_000) }).why,
    exceeded,
  )
  t.match(answers('args.l.map(x, args.l + args.l).size() > 1', { l: long }).why, exceeded)
  t.match(answers('args.text.matches("(a+)+$")', { text: `${'a'.repeat(1_000_000)}!` }).why, exceeded)
  t.equal(answers('args.text.matches("(a+)+$")', { text: `${'a'.repeat(5000)}!` }).truth, false)
  const quadratic = { text: 'a'.repeat(1_000_000), part: `${'a'.repeat(250_000)}b${'a'.repeat(250_000)}` }
  for (const call of [
    'contains(args.part)',
    'indexOf(args.part) == 0',
    'lastIndexOf(args.part) == 0',
    'split(args.part).size() == 1',
  ]) {
    t.match(answers(`args.text.${call}`, quadratic).why, exceeded, call)
  }
  t.equal(answers('args.text.contains("needle")', { text: `${'a'.repeat(5_000_000)}needle` }).truth, true)
})
