// R08, A06 and the published cases of Autobahn: what a hostile client can do with frames, against a conversation that is
// read and a tunnel that is not.
import { once } from 'node:events'
import { deflateRawSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { agentKey, openSocketWorld, type SocketWorld } from '../support/socket-world.ts'
import { closeCodeIn, closeFrame, frame, framesIn, openRaw, type RawSocket } from '../support/raw-socket.ts'
import { skip, vectorLines } from './vectors.ts'

const realtime = '/models/v1/realtime?model=gpt-realtime'
const authorized = { authorization: `Bearer ${agentKey}` }
const clientEvent = JSON.stringify({ type: 'response.cancel' })

async function attack(t: Test): Promise<{ world: SocketWorld; raw: RawSocket }> {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  return { world, raw: await openRaw(world.port, realtime, authorized) }
}

/** The conversation before it, and others, are as well as before. */
async function stillServes(t: Test, world: SocketWorld): Promise<void> {
  const socket = world.open('/tunnel/room')
  await once(socket, 'open')
  socket.send('hello')
  const [data] = (await once(socket, 'message')) as [Buffer]
  t.equal(data.toString(), 'hello')
}

t.test('R08: a message in fragments of one byte is one message, and not too many of them', async (t) => {
  const { world, raw } = await attack(t)
  const arrived = new Promise<string>((resolve) => {
    world.upstream.sockets[0]?.once('message', (data: Buffer) => resolve(data.toString()))
  })
  const bytes = [...Buffer.from(clientEvent)]
  const last = bytes.length - 1
  for (const [at, byte] of bytes.entries()) raw.send(frame(at === 0 ? 1 : 0, Buffer.from([byte]), { fin: at === last }))
  t.equal(await arrived, clientEvent)
  const many = Array.from({ length: 20_000 }, (_, at) => frame(at === 0 ? 1 : 0, ' ', { fin: false }))
  raw.send(Buffer.concat(many))
  t.equal(closeCodeIn(framesIn(await raw.rest)), 1008)
  await stillServes(t, world)
})

t.test('R08: pings without end are not answered without end', async (t) => {
  const { world, raw } = await attack(t)
  const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame(9, 'are you there?')))
  raw.send(flood)
  const frames = framesIn(await raw.rest)
  t.equal(closeCodeIn(frames), 1008)
  t.ok(frames.length < 2_000, `${frames.length} answers`)
  t.match((await world.outcomes(1))[0], { fault: 'request-malformed' })
  await stillServes(t, world)
})

t.test('R08: compression is never agreed on, so there is nothing to inflate', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  for (const offer of [
    'permessage-deflate',
    'permessage-deflate; server_max_window_bits=99',
    'permessage-deflate; ,;;"',
  ]) {
    const raw = await openRaw(world.port, realtime, { ...authorized, 'sec-websocket-extensions': offer })
    t.match(raw.head, /^HTTP\/1\.1 101 /)
    t.notMatch(raw.head, /sec-websocket-extensions/i)
    raw.send(frame(1, deflateRawSync(Buffer.alloc(64 * 1024 * 1024, 'a')).subarray(0, 60_000), { rsv: 4 }))
    t.equal(closeCodeIn(framesIn(await raw.rest)), 1002)
  }
  t.equal(world.upstream.asked.filter(({ headers }) => headers['sec-websocket-extensions'] !== undefined).length, 0)
})

t.test('R08: an unmasked frame', async (t) => {
  const { raw, world } = await attack(t)
  raw.send(frame(1, clientEvent, { masked: false }))
  t.equal(closeCodeIn(framesIn(await raw.rest)), 1002)
  t.match((await world.outcomes(1))[0], { fault: 'request-malformed', messages: { up: 0 } })
})

t.test('R08: a close that says 1006, which no frame may', async (t) => {
  const { raw } = await attack(t)
  raw.send(closeFrame(1006))
  t.equal(closeCodeIn(framesIn(await raw.rest)), 1002)
})

t.test('R08: a message that is too large, announced or not', async (t) => {
  const { raw, world } = await attack(t)
  raw.send(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]))
  t.equal(closeCodeIn(framesIn(await raw.rest)), 1009)
  const piecewise = await openRaw(world.port, realtime, authorized)
  const piece = Buffer.alloc(256 * 1024, ' ')
  for (let at = 0; at < 8; at += 1) piecewise.send(frame(at === 0 ? 1 : 0, piece, { fin: false }))
  t.equal(closeCodeIn(framesIn(await piecewise.rest)), 1009)
  await stillServes(t, world)
})

t.test('R08: heads that ask for an upgrade otherwise than the RFC says', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const wrong: readonly Record<string, string>[] = [
    { 'sec-websocket-version': '12' },
    { 'sec-websocket-version': '13, 13' },
    { 'sec-websocket-key': '' },
    { 'sec-websocket-key': 'c2hvcnQ=' },
    { 'sec-websocket-protocol': 'chat, chat' },
    { 'sec-websocket-protocol': 'two words' },
    { 'sec-websocket-protocol': '' },
    { 'content-length': '5' },
    { 'transfer-encoding': 'chunked' },
    { upgrade: 'websocket, h2c' },
  ]
  for (const headers of wrong) {
    const raw = await openRaw(world.port, '/tunnel/room', { ...authorized, ...headers })
    t.match(raw.head, /^HTTP\/1\.1 400 /, JSON.stringify(headers))
    raw.destroy()
  }
  t.equal(world.upstream.asked.length, 0)
})

type Op = {
  readonly op: string
  readonly opcode?: number
  readonly rsv?: number
  readonly fin?: boolean
  readonly payload_b64?: string | null
  readonly payload_fill_b64?: string | null
  readonly payload_len?: number
  readonly binary?: boolean
  readonly code?: number | null
  readonly reason?: string | null
  readonly reason_b64?: string | null
}
type Case = {
  readonly id: string
  readonly description: string
  readonly ops: readonly Op[] | null
  readonly expectedClose: { readonly closeCode: readonly number[]; readonly closedByMe: boolean }
}

t.test('the cases of Autobahn, read and unread', { skip }, async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const upstreamPort = Number(new URL(world.upstream.url).port)
  const cases = vectorLines<Case>('ws/autobahn-cases.jsonl').flatMap((one) => {
    const sent = one.ops === null ? undefined : bytesOf(one.ops)
    return sent === undefined ? [] : [{ ...one, sent }]
  })
  t.ok(cases.length > 200, `${cases.length} cases`)
  for (let at = 0; at < cases.length; at += 20) {
    await Promise.all(
      cases.slice(at, at + 20).map(async ({ id, description, ops, sent, expectedClose }) => {
        const name = `${id} ${description.slice(0, 60)}`
        const [direct, tunnelled, read] = await Promise.all([
          play(upstreamPort, '/', sent),
          play(world.port, '/tunnel/room', sent),
          play(world.port, realtime, sent),
        ])
        t.equal(tunnelled.toString('hex'), direct.toString('hex'), `${name}: a tunnel changes nothing`)
        const code = closeCodeIn(framesIn(read))
        const binary = ops?.some((op) => op.opcode === 2 || op.binary === true) === true
        const accepted = [...expectedClose.closeCode, ...(binary ? [1003] : [])]
        t.ok(
          (code === undefined && expectedClose.closedByMe) || accepted.includes(code ?? 0),
          `${name}: ${code} of ${accepted.join(', ')}`,
        )
      }),
    )
  }
  await stillServes(t, world)
})

/** Sends it all at once, then says goodbye, as far as that still can be said. */
async function play(port: number, path: string, sent: Buffer): Promise<Buffer> {
  const raw = await openRaw(port, path, authorized)
  raw.send(Buffer.concat([sent, closeFrame(1000)]))
  return raw.rest
}

/** Undefined: the case lives on something else than what is sent. */
function bytesOf(ops: readonly Op[]): Buffer | undefined {
  const sent: Buffer[] = []
  for (const op of ops) {
    if (op.op === 'frame') sent.push(frame(op.opcode ?? 0, payloadOf(op), { fin: op.fin ?? true, rsv: op.rsv ?? 0 }))
    else if (op.op === 'message') sent.push(frame(op.binary === true ? 2 : 1, payloadOf(op)))
    else if (op.op === 'sendClose') sent.push(closeFrame(op.code ?? undefined, op.reason ?? ''))
    else if (op.op === 'closeFrame') sent.push(frame(8, closePayload(op)))
    else if (!/^(killAfter|closeAfter|wait)$/.test(op.op)) return undefined
  }
  return Buffer.concat(sent)
}

function payloadOf({ payload_b64: exact, payload_fill_b64: fill, payload_len: length = 0 }: Op): Buffer {
  return typeof exact === 'string'
    ? Buffer.from(exact, 'base64')
    : Buffer.alloc(length, fill ?? '*', fill === undefined || fill === null ? 'latin1' : 'base64')
}

/** The code may be missing, and the reason no text. */
function closePayload({ code, reason_b64: reason }: Op): Buffer {
  const head = typeof code === 'number' ? [code >> 8, code & 255] : []
  return Buffer.concat([Buffer.from(head), Buffer.from(reason ?? '', 'base64')])
}
