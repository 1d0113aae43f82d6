// A program that makes what outlives collections of young objects, and prints how much room V8 has for those in the end:
// as it is, or bounded.
import { boundYoungSpace, youngBytes } from '../../proxy/cli/young-space.ts'

if (process.argv[2] === 'bounded') boundYoungSpace()
const kept: object[] = []
for (let round = 0; round < 60; round++) {
  for (let n = 0; n < 20_000; n++) kept.push({ n, pair: [n, n], text: `text ${n}` })
  if (kept.length > 200_000) kept.splice(0, 100_000)
  await new Promise((done) => setImmediate(done))
}
process.stdout.write(String(youngBytes()))
