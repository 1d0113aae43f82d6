import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import t from 'tap'
import { loadConfig } from '../../proxy/config/load.ts'

/** Publishes a generation as the kubelet does, and removes the one before. */
function publish(root: string, generation: number): void {
  const name = `..generation_${generation}`
  mkdirSync(join(root, name))
  writeFileSync(join(root, name, 'a.yaml'), `apiVersion: gatewright/v1\nanonymous: g${generation}\n`)
  writeFileSync(join(root, name, 'b.yaml'), `rules: [{ id: g${generation}, effect: allow }]\n`)
  symlinkSync(name, join(root, '..data_tmp'))
  renameSync(join(root, '..data_tmp'), join(root, '..data'))
  rmSync(join(root, `..generation_${generation - 1}`), { recursive: true, force: true })
}

if (isMainThread) {
  t.test('while generations are swapped under it, loading sees one of them whole', async (t) => {
    const root = t.testdir({})
    publish(root, 1)
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(join('..data', name), join(root, name))
    const worker = new Worker(new URL(import.meta.url), { workerData: root })
    const seen = new Set<string>()
    const mixed: string[] = []
    // Loading is synchronous, so the swaps come from another thread; it ends when enough generations went by.
    for (let loads = 0; loads < 20_000 && seen.size < 50; loads++) {
      const result = loadConfig([root], {})
      if (!result.ok) mixed.push(result.problems[0]?.message ?? '')
      else {
        const [first, second] = [result.document.anonymous, result.document.rules?.[0]?.id]
        if (first !== second) mixed.push(`${first} with ${second}`)
        seen.add(String(first))
      }
    }
    await worker.terminate()
    t.same(mixed, [])
    t.ok(seen.size >= 50, 'enough generations were seen', { seen: seen.size })
  })
} else {
  const root = String(workerData)
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let generation = 2; ; generation++) {
    publish(root, generation)
    Atomics.wait(pause, 0, 0, 1)
  }
}
