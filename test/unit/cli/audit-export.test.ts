// `gatewright audit export` and `audit prove`: what leaves the folder is what stands in it, and a proof can be checked
// with nothing but the public key.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openCheckpoint, parseVkey } from '../../../proxy/audit/checkpoint.ts'
import { parseKey } from '../../../proxy/audit/key.ts'
import { openLog } from '../../../proxy/audit/log.ts'
import { checkInclusion } from '../../../proxy/audit/proof.ts'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { ManualClock } from '../../support/clock.ts'
import { runHere, type RanHere } from '../../support/run-here.ts'

const dir = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
t.teardown(() => rmSync(dir, { recursive: true, force: true }))
const segment = (writer: string): string => join(dir, writer, '00000000000000000000.jsonl')

const run = (...args: readonly string[]): Promise<RanHere> => runHere(['audit', ...args])

t.before(async () => {
  for (const writer of ['a', 'b']) {
    const key = parseKey(Buffer.alloc(32, 7).toString('base64'), 'test')
    const clock = new ManualClock()
    const log = await openLog({ dir, writer, key, durability: 'strict', onFault: () => t.fail('a fault'), clock })
    for (let n = 1; n <= 5; n += 1) {
      const request = `req_${writer}${n}`
      await log.commit('intent', { request, principal: 'agent' })
      await log.commit('outcome', {
        request,
        principal: 'agent',
        model: '=cmd,"x"',
        tools: ['crm', 'web'],
        decisions: [{ effect: 'allow', rule: 'models' }, { effect: 'deny' }],
        redactions: [{ entity: 'email', count: 2, direction: 'request' }],
        usage: { input: 3, output: 4 },
        costNanos: 1_500_000,
        durationUs: 2_500,
      })
    }
    await log.close()
  }
})

t.test('export: the lines themselves', async (t) => {
  const whole = readFileSync(segment('a'), 'utf8') + readFileSync(segment('b'), 'utf8')
  t.same(await run('export', dir), { code: 0, out: whole, err: '' })
  t.equal((await run('export', dir, '-o', 'json')).out, whole)
  t.equal((await run('export', join(dir, 'b'))).out, readFileSync(segment('b'), 'utf8'), 'or of one log')
})

t.test('export: a table', async (t) => {
  const { out } = await run('export', dir, '--format', 'csv')
  const rows = out.trimEnd().split('\n')
  t.match(rows[0], /^log,i,t,kind,request,/)
  t.equal(rows.length, 1 + readFileSync(segment('a'), 'utf8').split('\n').length * 2 - 2)
  const row = rows.find((one) => one.includes('req_b2') && one.includes('outcome')) ?? ''
  t.match(row, /^b,[0-9]+,[^,]+,outcome,req_b2,,,agent,/)
  t.match(row, ',"\'=cmd,""x""",crm web,', 'nothing that a spreadsheet would run')
  t.match(row, /,models default,.*,email=2,3,4,0\.0015,2\.5$/)
})

t.test('prove: by request and by index, checked with the public key alone', async (t) => {
  const vkey = parseVkey(readFileSync(join(dir, 'b', 'vkey'), 'utf8'))
  if (vkey === undefined) throw new Error('no key')
  const { line, ...json } = JSON.parse((await run('prove', dir, 'req_b4', '-o', 'json')).out) as {
    line: string
    index: number
  }
  t.match(JSON.parse(line), { request: 'req_b4', kind: 'outcome', i: json.index })
  const text = (await run('prove', join(dir, 'b'), String(json.index))).out
  t.equal(text, (await run('prove', dir, 'req_b4')).out)
  const split = text.indexOf('\n\n')
  const [format, index, ...hashes] = text.slice(0, split).split('\n')
  t.same([format, index], ['c2sp.org/tlog-proof@v1', `index ${json.index}`])
  const opened = openCheckpoint(text.slice(split + 2), vkey)
  if ('problem' in opened) throw new Error(opened.problem)
  const claim = { leaf: leafHash(Buffer.from(line)), index: json.index, ...opened.checkpoint }
  const proof = hashes.map((hash) => Buffer.from(hash, 'base64'))
  t.ok(checkInclusion(claim, proof))
  t.notOk(checkInclusion({ ...claim, leaf: leafHash(Buffer.from(line.replace('b4', 'b5'))) }, proof))
})

t.test('what cannot be proven or read is said', async (t) => {
  t.match(await run('prove', dir, '3'), { code: 3, out: '', err: /several logs: name the folder of one/ })
  t.match(await run('prove', join(dir, 'a'), '999'), {
    code: 3,
    err: /covered by no checkpoint yet: the newest covers/,
  })
  t.match(await run('prove', dir, 'req_none'), { code: 3, err: /no record of .* is of request req_none/ })
  t.match(await run('export', join(dir, 'none')), { code: 3, err: /does not exist/ })
  writeFileSync(segment('a'), readFileSync(segment('a'), 'utf8').replace('"input":3', '"input":5'))
  t.match(await run('prove', dir, 'req_a3'), {
    code: 3,
    out: '',
    err: /are not those that its checkpoint was signed for/,
  })
})
