import { EventEmitter, once } from 'node:events'
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fingerprint, watchConfig } from '../../proxy/config/watch.ts'
import { ManualClock } from '../support/clock.ts'

/** How long an event may take before the test fails. Generous: it only bounds a failure. */
const patienceMs = 10_000

type Watched = { changed: () => Promise<void>; count: () => number }

/** Watches with a short debounce; every change must be awaited by `changed` before the next one is made. */
function watched(t: Test, paths: readonly string[]): Watched {
  const emitter = new EventEmitter()
  let count = 0
  let taken = 0
  const watcher = watchConfig(paths, {
    debounceMs: 20,
    onChange() {
      count += 1
      emitter.emit('change')
    },
  })
  t.teardown(() => watcher.close())
  return {
    count: () => count,
    async changed() {
      if (count === taken) await once(emitter, 'change', { signal: AbortSignal.timeout(patienceMs) })
      taken = count
    },
  }
}

// The watcher does not keep a process alive, and neither does the signal of a timeout.
const alive = setInterval(() => undefined, 1000)
t.teardown(() => clearInterval(alive))

/** A directory as the kubelet makes it: files link into `..data`, which links to a generation. */
function configMap(root: string, generation: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, generation))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, generation, name), text)
  symlinkSync(generation, join(root, '..data_tmp'))
  renameSync(join(root, '..data_tmp'), join(root, '..data'))
}

t.test('a ConfigMap that is swapped twice, and then once more, is seen each time', async (t) => {
  const root = t.testdir({})
  configMap(root, '..2026_1', { 'a.yaml': 'a: 1\n' })
  symlinkSync('..data/a.yaml', join(root, 'a.yaml'))
  for (const paths of [[root], [join(root, 'a.yaml')]]) {
    const watch = watched(t, paths)
    for (const n of [2, 3, 4]) {
      const name = `${paths[0] === root ? 'd' : 'f'}_${n}`
      configMap(root, `..2026_${name}`, { 'a.yaml': `a: ${name}\n` })
      await watch.changed()
    }
    t.equal(watch.count(), 3)
  }
})

t.test('an editor that writes beside and renames over, twice', async (t) => {
  const root = t.testdir({ 'a.yaml': 'a: 1\n' })
  const file = join(root, 'a.yaml')
  const watch = watched(t, [file])
  for (const n of [2, 3]) {
    writeFileSync(join(root, '.a.yaml.swp'), `a: ${n}\n`)
    renameSync(join(root, '.a.yaml.swp'), file)
    await watch.changed()
  }
  t.equal(watch.count(), 2)
})

t.test('a file that is removed and written again', async (t) => {
  const root = t.testdir({ 'a.yaml': 'a: 1\n' })
  const watch = watched(t, [root])
  rmSync(join(root, 'a.yaml'))
  await watch.changed()
  writeFileSync(join(root, 'a.yaml'), 'a: 2\n')
  await watch.changed()
  writeFileSync(join(root, 'b.yaml'), 'b: 1\n')
  await watch.changed()
  t.pass('removed, written, joined by another')
})

t.test('touching, and files that are not configuration, are no change', async (t) => {
  const root = t.testdir({ 'a.yaml': 'a: 1\n' })
  const watch = watched(t, [root])
  utimesSync(join(root, 'a.yaml'), 1, 1)
  writeFileSync(join(root, 'a.yaml'), 'a: 1\n')
  writeFileSync(join(root, 'a.test.yaml'), 'policy: a.yaml\n')
  writeFileSync(join(root, 'notes.txt'), 'x')
  t.equal(watch.count(), 0)
  writeFileSync(join(root, 'a.yaml'), 'a: 2\n')
  await watch.changed()
  t.equal(watch.count(), 1, 'what came before was not counted')
})

t.test('a secret file beside the configuration is watched, also before it exists', async (t) => {
  const root = t.testdir({ conf: { 'a.yaml': 'a: 1\n' }, secrets: {} })
  const watch = watched(t, [join(root, 'conf'), join(root, 'secrets', 'key')])
  writeFileSync(join(root, 'secrets', 'key'), 'one')
  await watch.changed()
  writeFileSync(join(root, 'secrets', 'key'), 'two')
  await watch.changed()
  t.equal(watch.count(), 2)
})

t.test('a directory that is replaced whole is watched again', async (t) => {
  const root = t.testdir({ conf: { 'a.yaml': 'a: 1\n' } })
  const conf = join(root, 'conf')
  const watch = watched(t, [conf])
  rmSync(conf, { recursive: true })
  mkdirSync(conf)
  writeFileSync(join(conf, 'a.yaml'), 'a: 2\n')
  await watch.changed()
  writeFileSync(join(conf, 'a.yaml'), 'a: 3\n')
  await watch.changed()
  t.ok(watch.count() >= 2)
})

t.test('the poll sees what no notification tells: a link further up', async (t) => {
  const root = t.testdir({ v1: { 'a.yaml': 'a: 1\n' }, v2: { 'a.yaml': 'a: 2\n' } })
  symlinkSync('v1', join(root, 'current'))
  const clock = new ManualClock()
  let count = 0
  const watcher = watchConfig([join(root, 'current', 'a.yaml')], {
    clock,
    pollMs: 30_000,
    onChange: () => (count += 1),
  })
  symlinkSync('v2', join(root, 'next'))
  renameSync(join(root, 'next'), join(root, 'current'))
  clock.advance(29_999)
  t.equal(count, 0)
  clock.advance(1)
  t.equal(count, 1)
  clock.advance(60_000)
  t.equal(count, 1)
  watcher.close()
  t.equal(clock.waiting, 0, 'no timer is left')
})

t.test('notifications are answered once it is quiet', async (t) => {
  const root = t.testdir({ 'a.yaml': 'a: 1\n' })
  const clock = new ManualClock()
  let count = 0
  const paths = [root]
  const baseline = fingerprint(paths)
  writeFileSync(join(root, 'a.yaml'), 'a: 2\n')
  const watcher = watchConfig(paths, { clock, debounceMs: 200, baseline, onChange: () => (count += 1) })
  clock.advance(199)
  t.equal(count, 0)
  clock.advance(1)
  t.equal(count, 1, 'a change between loading and watching is seen')
  watcher.close()
  writeFileSync(join(root, 'a.yaml'), 'a: 3\n')
  clock.advance(60_000)
  t.equal(count, 1, 'closed is closed')
})

t.test('what cannot be read has a fingerprint too', async (t) => {
  const root = t.testdir({ 'a.yaml': 'a: 1\n' })
  const there = fingerprint([root])
  t.equal(fingerprint([root]), there)
  rmSync(root, { recursive: true })
  t.not(fingerprint([root]), there)
  t.equal(fingerprint([root]), fingerprint([root]))
})
