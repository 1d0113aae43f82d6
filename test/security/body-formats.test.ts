// Tokens through bodies that are no JSON: a tool that may have the value gets it in its own format, and an answer has it back.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'

const email = 'ada+x@example.org'
const secret = 'Tr0ub4dor<3&xQ9'
const types = {
  form: 'application/x-www-form-urlencoded',
  lines: 'application/x-ndjson',
  xml: 'application/xml',
} as const

t.test('forms, JSON lines and XML', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams:
  notes: { protocol: http, url: "${upstream.url}" }
  crm: { protocol: http, url: "${upstream.url}" }
routes:
  - { id: notes, path: /notes, upstream: notes }
  - { id: crm, path: /crm, upstream: crm }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
rules:
  - { id: not-to-eve, effect: deny, methods: [PUT], when: 'has(args.to) && args.to == "eve@example.org"' }
redaction:
  - { id: out, direction: request, upstreams: [notes], detect: [email, generic-secret], action: token, restore: [response.text], restoreTo: [crm] }`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const post = async (path: string, type: string, body: string, said: string): Promise<string> => {
    upstream.next(answer(200, said, { 'content-type': type }))
    const reply = await fetch(gateway.url + path, { method: 'POST', headers: { 'content-type': type }, body })
    t.equal(reply.status, 200, await reply.clone().text())
    return reply.text()
  }
  const seen = (): string => upstream.requests.at(-1)?.body.toString() ?? ''

  await post('/notes', types.form, `x=%20&to=${encodeURIComponent(email)}`, '')
  const token = /^x=%20&to=(EMAIL_\w+)$/.exec(seen())?.[1] ?? ''
  t.match(token, /^EMAIL_/)

  t.equal(
    await post('/notes', types.form, `a=${encodeURIComponent(email)}`, `b=${token}&c=+`),
    'b=ada%2Bx%40example.org&c=+',
  )
  t.equal(await post('/notes', types.lines, `{"a":"${email}"}\n`, `{"b":"${token}"}\n`), `{"b":"${email}"}\n`)
  t.equal(seen(), `{"a":"${token}"}\n`)
  t.equal(await post('/notes', types.xml, `<a>${email}</a>`, `<b>${token}</b>`), `<b>${email}</b>`)
  t.equal(seen(), `<a>${token}</a>`)

  const secretToken = /GENERIC_SECRET_\w+/
  await post('/notes', types.form, `password=${encodeURIComponent(secret)}`, '')
  const kept = secretToken.exec(seen())?.[0] ?? ''
  t.equal(
    await post('/notes', types.xml, '<a/>', `<b x='${kept}'><![CDATA[${kept}]]></b>`),
    `<b x='Tr0ub4dor&lt;3&amp;xQ9'><![CDATA[Tr0ub4dor<3&xQ9]]></b>`,
  )
  t.equal(
    await post('/notes', 'text/html', 'x', `<p>${kept}<script>x="${kept}"</script>`),
    '<p>Tr0ub4dor&lt;3&amp;xQ9<script>x="Tr0ub4dor\\u003c3&xQ9"</script>',
  )
  const script = `<p title='${token}'>${token}</p><script>x='${token}'</script>`
  t.equal(await post('/notes', 'text/html', email, script), script.replaceAll(token, email))
  t.equal(
    await post('/notes', types.xml, `<a>${email}<![CDATA[ ${email}]]></a>`, `<b><![CDATA[${token}]]></b>`),
    `<b><![CDATA[${email}]]></b>`,
  )

  await post('/crm', types.form, `x=%20&to=${token}&y`, '')
  t.equal(seen(), 'x=%20&to=ada%2Bx%40example.org&y')
  await post('/crm', types.lines, `{"x": 1}\n{"to": "${token}"}`, '')
  t.equal(seen(), `{"x": 1}\n{"to": "${email}"}`)
  await post('/crm', types.xml, `<a to="${token}"/>`, '')
  t.equal(seen(), `<a to="${email}"/>`)

  const denied = { method: 'PUT', headers: { 'content-type': types.form }, body: 'to=eve%40example.org' }
  t.equal((await fetch(`${gateway.url}/crm`, denied)).status, 403, 'rules see members')
})
