import t from 'tap'
import { openVault } from '../../../proxy/detect/vault.ts'
import { VaultMemory, type Kept } from '../../../proxy/detect/vault-memory.ts'
import { ManualClock } from '../../support/clock.ts'

function kept(value: string): Kept {
  return { entity: 'email', value, restore: ['response.text'], restoreTo: [] }
}

void t.test('what is kept of one caller is nothing to another', async (t) => {
  const memory = new VaultMemory(new ManualClock(), 1000, 10)
  memory.of('a').keep('x', 'word', kept('ada'))
  t.equal(memory.of('a').get('x')?.value, 'ada')
  t.equal(memory.of('b').get('x'), undefined)
})

void t.test('it ends after its time, counted from when it was last given out', async (t) => {
  const clock = new ManualClock()
  const memory = new VaultMemory(clock, 60_000, 10)
  const caller = memory.of('a')
  caller.keep('x', 'word', kept('ada'))
  clock.advance(50_000)
  caller.keep('x', 'word', kept('ada'))
  clock.advance(50_000)
  t.ok(caller.get('x'))
  clock.advance(10_000)
  t.equal(caller.get('x'), undefined)
  clock.advance(60_000)
  t.equal(memory.size, 0, 'and the value is not kept either')
  t.same([caller.size, caller.entities.size, caller.forms.size], [0, 0, 0])
})

void t.test('the oldest make room, and long values for more of them', async (t) => {
  const memory = new VaultMemory(new ManualClock(), 60_000, 3)
  const caller = memory.of('a')
  for (const token of ['#1', '#2', '#3', '#4']) caller.keep(token, 'number', kept(token))
  t.same([memory.size, caller.size], [3, 3])
  t.equal(caller.get('#1'), undefined)
  caller.keep('long', 'word', kept('x'.repeat(700)))
  t.same([memory.size, caller.get('long')?.value.length], [3, 700])
  caller.keep('longer', 'word', kept('x'.repeat(400)))
  t.equal(caller.get('long'), undefined)
})

void t.test('a vault restores what another exchange gave out where its route allows', async (t) => {
  const key = Buffer.alloc(32, 1)
  const memory = new VaultMemory(new ManualClock(), 60_000, 10)
  const open = (isAllowed: boolean) => openVault(key, 'a', { kept: memory.of('a'), allows: () => isAllowed })
  const token = open(true).tokenFor('email', 'ada', { restore: ['response.text'], restoreTo: ['crm'] })
  t.equal(open(true).restore(token), 'ada')
  t.equal(open(true).restore(token, 'tool.args'), token)
  t.equal(open(false).restore(token), token)
  t.equal(open(false).restoreTo(token, 'crm'), 'ada')
  t.equal(open(true).restoreTo(token, 'other'), token)
  t.same(open(true).restorePart(`to ${token.slice(0, 8)}`), { text: 'to ', heldFrom: 3 })
  t.equal(openVault(key, 'a').restore(token), token, 'without a memory nothing is known')
})

void t.test('what is kept again is forgotten after what was not', async (t) => {
  const memory = new VaultMemory(new ManualClock(), 60_000, 2)
  const caller = memory.of('a')
  caller.keep('x', 'word', kept('ada'))
  caller.keep('y', 'word', kept('bob'))
  caller.keep('x', 'word', kept('ada'))
  caller.keep('z', 'word', kept('eve'))
  t.same([memory.size, caller.size], [2, 2])
  memory.close()
  t.same([memory.size, caller.size], [0, 0])
  caller.keep('x', 'word', kept('ada'))
  t.equal(memory.size, 1)
})
