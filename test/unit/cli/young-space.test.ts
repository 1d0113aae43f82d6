import { join } from 'node:path'
import t from 'tap'
import { youngBytesMax } from '../../../proxy/cli/young-space.ts'
import { root, run } from '../../support/command.ts'

const program = join(root, 'test', 'support', 'young-objects.ts')

async function youngBytes(flags: readonly string[], ...args: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await run(process.execPath, [...flags, program, ...args])
  if (code !== 0) throw new Error(stderr)
  return Number(stdout)
}

t.test('room for young objects stops growing', async (t) => {
  const asItIs = await youngBytes([])
  const bounded = await youngBytes([], 'bounded')
  t.ok(bounded <= youngBytesMax)
  const skip = asItIs > youngBytesMax ? false : 'V8 takes no more than that on this machine'
  t.test('at the bound, and no sooner', { skip }, async (t) => {
    t.ok(bounded > youngBytesMax / 2)
  })
})

t.test('what the operator has chosen stands', async (t) => {
  t.ok((await youngBytes(['--max-semi-space-size=32'], 'bounded')) > youngBytesMax)
})
