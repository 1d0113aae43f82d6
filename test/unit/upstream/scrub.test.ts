import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { gather, type Gatherable } from '../../../proxy/lib/gather.ts'
import { Body } from '../../../proxy/upstream/body.ts'
import { openCredential } from '../../../proxy/upstream/credential.ts'
import { scrubBody } from '../../../proxy/upstream/scrub.ts'
import { answer, chunk, chunkedHead, jsonAnswer, lastChunk } from '../../support/scripted-upstream.ts'
import { exchange, never, post, secret, stage, text } from './harness.ts'

const credential = openCredential('x', { bearer: { fromEnv: 'KEY' } }, () => secret)
const stars = '*'.repeat(secret.length)
const bearer = { credential: { bearer: { fromEnv: 'KEY' } } }

function body(): { queue: Body; scrubbed: AsyncIterableIterator<Uint8Array, undefined>; calls: string[] } {
  const calls: string[] = []
  const queue = new Body({ resume: () => calls.push('resume'), abandon: () => calls.push('abandon') })
  return { queue, scrubbed: scrubBody(queue, credential), calls }
}

async function pulled(chunks: AsyncIterableIterator<Uint8Array, undefined>): Promise<string | undefined> {
  const { value } = await chunks.next()
  return value === undefined ? undefined : Buffer.from(value).toString()
}

t.test('an upstream that echoes the credential shows stars, in JSON of the same length', async (t) => {
  const staged = await stage(t, [jsonAnswer(401, { error: { got: credential.value, again: secret } })], bearer)
  const received = await staged.upstream.send(post, never())
  const echoed = await text(received.body)
  received.settle('complete')
  t.equal((await staged.server.seen(1)).header('authorization'), credential.value)
  t.strictSame(JSON.parse(echoed), { error: { got: `Bearer ${stars}`, again: stars } })
  t.equal(Buffer.byteLength(echoed), received.contentLength)
})

t.test('so does one that writes it otherwise, as JSON and URLs may', async (t) => {
  const key = 'q&A/b+c"d\\e=='
  const spelt = [
    key,
    JSON.stringify(key).slice(1, -1),
    'q&A\\/b+c\\"d\\\\e==',
    'q\\u0026A/b\\u002Bc\\u0022d\\\\e==',
    'q\\u0026A/b\\u002bc\\u0022d\\\\e==',
    encodeURIComponent(key),
    'q%26A/b%2bc%22d%5ce%3d%3d',
  ]
  const staged = await stage(
    t,
    [answer(200, spelt.join(' '), { location: `/?k=${encodeURIComponent(key)}` })],
    bearer,
    {
      resolve: () => key,
    },
  )
  const received = await staged.upstream.send(post, never())
  t.equal(await text(received.body), spelt.map(({ length }) => '*'.repeat(length)).join(' '))
  t.notOk(received.headers.includes('location'))
  received.settle('complete')
})

t.test('the token behind a scheme is the secret, wherever it stands', async (t) => {
  for (const [scheme, token] of [
    ['token', 'ghp_0123456789'],
    ['Basic', 'Ym90OmNhc3RsZS1rZXk='],
  ] as const) {
    const credential = { header: 'Authorization', value: { fromEnv: 'KEY' } }
    const told = answer(200, `${scheme} ${token}, ${token}`, { 'x-token': token })
    const staged = await stage(t, [told], { credential }, { resolve: () => `${scheme} ${token}` })
    const received = await staged.upstream.send(post, never())
    const hidden = '*'.repeat(token.length)
    t.equal(await text(received.body), `${scheme} ${hidden}, ${hidden}`)
    t.notOk(received.headers.includes('x-token'))
    received.settle('complete')
    t.equal((await staged.server.seen(1)).header('authorization'), `${scheme} ${token}`)
  }
})

t.test('so does one that streams it in pieces', async (t) => {
  const pieces = [`data: {"a":"${secret.slice(0, 5)}`, secret.slice(5, 20), `${secret.slice(20)}"}\n\n`]
  const staged = await stage(t, [chunkedHead() + pieces.map(chunk).join('') + lastChunk], bearer)
  t.equal((await exchange(staged)).body, `data: {"a":"${stars}"}\n\n`)
})

t.test('without a credential, or with one that is found by chance, the body is left alone', async (t) => {
  const { queue } = body()
  t.equal(scrubBody(queue, undefined), queue)
  const held = (key: string) => openCredential('x', { bearer: { fromEnv: 'KEY' } }, () => key)
  t.equal(scrubBody(queue, held('seven77')), queue)
  t.equal(scrubBody(queue, held('seven/7')), queue)
  t.not(scrubBody(queue, held('eight888')), queue)
  const staged = await stage(t, [answer(200, secret)])
  t.equal((await exchange(staged)).body, secret)
})

t.test('only what may be the beginning of the secret waits', async (t) => {
  const { queue, scrubbed } = body()
  queue.push(Buffer.from('data: x\n\n'))
  t.equal(await pulled(scrubbed), 'data: x\n\n')
  queue.push(Buffer.from('the task'))
  t.equal(await pulled(scrubbed), 'the ta', 'sk')
  queue.push(Buffer.from('s-'))
  t.equal(await pulled(scrubbed), 'sks-', 'and then no longer')
  queue.push(Buffer.from('sk'))
  queue.push(Buffer.from('-up'))
  queue.end()
  t.equal(await pulled(scrubbed), 'sk-up', 'the end frees it')
  t.equal(await pulled(scrubbed), undefined)
})

t.test('the bytes that came are not written to', async (t) => {
  const { queue, scrubbed } = body()
  const chunk = Buffer.from(secret)
  queue.push(chunk)
  t.equal(await pulled(scrubbed), stars)
  t.equal(chunk.toString(), secret)
})

t.test('what waits is not given out when the body breaks off', async (t) => {
  const { queue, scrubbed } = body()
  queue.push(Buffer.from(`x${secret.slice(0, -1)}`))
  queue.fail(new Fault('upstream-truncated'))
  t.equal(await pulled(scrubbed), 'x')
  await t.rejects(scrubbed.next(), { code: 'upstream-truncated' })
  t.equal(await pulled(scrubbed), undefined)
})

t.test('letting go reaches a body that a reader waits for', async (t) => {
  const { queue, scrubbed, calls } = body()
  queue.push(Buffer.from(secret.slice(0, 3)))
  const waiting = scrubbed.next()
  await scrubbed.return?.()
  t.equal((await waiting).done, true)
  t.strictSame(calls, ['abandon'])
})

t.test('what arrived at once is scrubbed over its pieces, and the end is not kept back', (t) => {
  const { queue, scrubbed } = body()
  for (const piece of ['a ', secret.slice(0, 7), `${secret.slice(7)} b `, secret.slice(0, 3)])
    queue.push(Buffer.from(piece))
  t.equal((scrubbed as Gatherable).arrived?.(), undefined, 'not all of it is there')
  queue.end()
  t.equal((gather(scrubbed, 1024) as Buffer).toString(), `a ${stars} b ${secret.slice(0, 3)}`)
  t.end()
})
