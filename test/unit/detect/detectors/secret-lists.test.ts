// Secrets that stand in a list under one name.
import t from 'tap'
import { openVault } from '../../../../proxy/detect/vault.ts'
import { openWindow, type Window } from '../../../../proxy/detect/window.ts'
import { planOf } from '../../../support/plan-of.ts'
import { found } from './found.ts'

/** Put together here, so that nothing takes them for real ones. */
const first = ['q7Rk2Vw9Lz4N', 'p8Xc3Tb6Ym1H'].join('')
const second = ['z8Bn3Kw9Lz4N', 'p8Xc3Tb6Ym1H'].join('')

type Row = readonly [text: string, ...values: readonly string[]]

void t.test('every value of the list is judged by its name', async (t) => {
  const rows: readonly Row[] = [
    ['"passwords": ["Tr0ub4dor&3", "hunter2xy!", "correct-horse9"]', 'Tr0ub4dor&3', 'hunter2xy!', 'correct-horse9'],
    [`"api_keys":["${first}","${second}"]`, first, second],
    [`apiKeys = [\n    '${first}',\n    '${second}',\n]`, first, second],
    [`{\\"tokens\\": [\\"${first}\\", \\"${second}\\"]}`, first, second],
    ["passwords:\n  - Tr0ub4dor&3\n  - 'hunter2xy!'\nnames:\n  - hunter3xy!", 'Tr0ub4dor&3', 'hunter2xy!'],
    [`API_KEYS=${first},${second} next`, first, second],
    [`access_tokens: [${first}, ${second}] ${first}`, first, second],
    ['passwords: ["abc", null, "hunter2xy!", 12345, "letmein99"], "x9y8z7w6v5"', 'hunter2xy!', 'letmein99'],
    ['"password": ["hunter2xy!", {"name": "hunter3xy!"}]', 'hunter2xy!'],
    ['PASSWORD=hunter2xy,user=bob99999,x=y', 'hunter2xy'],
    [`passwords = hunter2xy`, 'hunter2xy'],
  ]
  for (const [text, ...values] of rows) t.same(found(text, 'generic-secret'), values, text)
})

void t.test('lists of what is no secret', async (t) => {
  for (const text of [
    'passwords: at least 8chars9, and a digit',
    `prompt_tokens: ["${first}"]`,
    `secrets:\n  - name: ${first}\n`,
    'keys: ["user_id_12", "customer_name_13"], "tokens": ["##ing", "<|im_end|>"]',
    'passwords = [user.password1 for user in users1]; tokens = [token.text1 for token in document1]',
    `"passwords": [], "x": ["${first}"]`,
    `passwords:\n\n- ${'word '.repeat(4)}`,
  ])
    t.same(found(text, 'generic-secret'), [], text)
})

void t.test('a list is read as far as a stream may hold it back', async (t) => {
  const values = Array.from({ length: 40 }, (_, n) => `hunter2-${n}-xyz!`)
  const seen = found(`passwords: ["${values.join('", "')}"]`, 'generic-secret')
  t.same(seen, values.slice(0, seen.length))
  t.ok(seen.length > 20 && seen.length < 30, `${seen.length}`)
})

void t.test('a stream holds no more of it, and masks what a whole text does', async (t) => {
  const plan = planOf('mask', ['secrets'])
  const open = (): Window => openWindow({ plan, vault: openVault(Buffer.alloc(32, 7), 'p') })
  for (const text of [
    `passwords: ["${'hunter2-xyz", "'.repeat(90)}"] end`,
    `"tokens": ["${`${first.repeat(12)}", "`.repeat(9)}"] end`,
    `API_KEYS=${`${first},`.repeat(40)} end`,
  ]) {
    const window = open()
    let most = 0
    let masked = ''
    for (const unit of text) {
      masked += window.push(unit)
      most = Math.max(most, window.held)
    }
    t.ok(most <= 512, `${most}`)
    const whole = open()
    t.equal(masked + window.end(), whole.push(text) + whole.end())
  }
})
