// What is published: the files of the package, and that an installation of it works under plain Node, without the
// checkout, its Node or its development dependencies. npm takes the nearest folder above it that has a package.json for
// its own, so everything here happens outside the checkout, in folders that have one.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import t from 'tap'
import { root, run, type Ran } from './support/command.ts'

type Packed = { readonly filename: string; readonly files: readonly { readonly path: string }[] }
type Entry = { readonly resolved?: string; readonly dev?: true; readonly hasInstallScript?: true; readonly link?: true }
type Lock = { readonly packages: Readonly<Record<string, Entry>> }

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
/** The build needs the checkout's compiler, and npm the checkout's Node. */
const checkoutPath = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter)

t.test('the lock names no registry, and nothing that is installed for production runs a script', async (t) => {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
  t.same(text.match(/https?:[^"]*(registry|\.tgz)[^"]*/gi) ?? [], [])
  const { packages } = JSON.parse(text) as Lock
  for (const [name, entry] of Object.entries(packages)) {
    if (entry.link !== true && entry.resolved !== undefined) t.fail(`${name} is resolved to ${entry.resolved}`)
    if (entry.dev !== true && entry.hasInstallScript === true) t.fail(`${name} runs a script when it is installed`)
  }
  t.ok(Object.keys(packages).length > 100)
})

t.test('a Node that is too old is told so', async (t) => {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
  const least = engines.node.replace('>=', '')
  const [major = 0, minor = 0] = least.split('.').map(Number)
  const under = (node: string): Promise<Ran> => {
    const versions = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${node}'}})`
    return run(process.execPath, ['--import', `data:text/javascript,${versions}`, 'proxy/main.ts', '--version'])
  }
  for (const node of [`${major - 4}.20.2`, `${major}.${minor - 1}.0`])
    t.match(await under(node), {
      code: 2,
      stdout: '',
      stderr: `gatewright: needs Node ${least} or newer, and this is ${node}\n`,
    })
  t.match(await under(`${major}.${minor}.0`), { code: 0, stdout: `${version}\n`, stderr: '' })
})

// A build, an installation over the network and four programs.
t.setTimeout(300_000)

t.test('the package', async (t) => {
  const before = manifests()
  const scratch = mkdtempSync(join(tmpdir(), 'gatewright-package-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const packed = await pack(scratch)

  t.test('holds what was built and the policies, and nothing else', async (t) => {
    const paths = packed.files.map(({ path }) => path)
    const allowed = /^(dist\/.+\.js|policies\/.+\.(yaml|json|md)|README\.md|LICENSE|package\.json)$/
    t.same(
      paths.filter((path) => !allowed.test(path)),
      [],
    )
    const sources = readdirSync(join(root, 'proxy'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    const built = sources.map((name) => `dist/${name.replace(/\.ts$/, '.js')}`)
    t.same(paths.filter((path) => path.startsWith('dist/')).sort(), built.sort())
    for (const path of [
      'README.md',
      'LICENSE',
      'package.json',
      'policies/quickstart.yaml',
      'policies/gatewright.schema.json',
    ]) {
      t.ok(paths.includes(path), path)
    }
  })

  t.test('installs and runs by itself', async (t) => {
    const folder = join(scratch, 'installed')
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const installed = await npm(
      ['install', '--omit=dev', '--no-audit', '--no-fund', '--fetch-retries=0', '--fetch-timeout=20000', packed.file],
      folder,
    )
    if (installed.code === ranTooLong || (installed.code !== 0 && unreachable.test(installed.stderr))) {
      t.pass('installs', { skip: 'the registry of npm cannot be reached' })
      return
    }
    t.equal(installed.code, 0, installed.code === 0 ? 'npm install' : installed.stderr)
    const tree = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as Lock
    t.same(
      Object.entries(tree.packages).filter(([, entry]) => entry.hasInstallScript === true),
      [],
    )
    t.notOk(existsSync(join(folder, 'node_modules', 'typescript')))

    for (const node of await nodes()) {
      const command = (...args: string[]): Promise<Ran> =>
        run(join(folder, 'node_modules', '.bin', 'gatewright'), args, {
          cwd: folder,
          env: { PATH: dirname(node.file), NO_COLOR: '1' },
        })
      t.match(
        await command('--version'),
        { code: 0, stdout: `${version}\n`, stderr: '' },
        `--version under ${node.version}`,
      )
      const policies = join('node_modules', 'gatewright', 'policies')
      t.match(await command('check', '--strict', policies), {
        code: 0,
        stderr: '',
        stdout: /configurations are good\n$/,
      })
      t.match(await command('test', '--require-coverage', policies), {
        code: 0,
        stderr: '',
        stdout: /\d+ passed, 0 failed\n$/,
      })
      t.match(
        await command('demo'),
        { code: 0, stderr: '', stdout: /\n7\. Proof[^]*intact[^]*tampered/ },
        `demo under ${node.version}`,
      )
    }
    t.notOk(existsSync(join(folder, 'data')), 'nothing is left where it ran')
  })

  t.test('the checkout is as it was', async (t) => t.same(manifests(), before))
})

/** npm goes on trying where a certificate is not accepted. */
const ranTooLong = -1
const unreachable =
  /\b(ENOTFOUND|FETCH_ERROR|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/

/** In a copy, so that `dist` of the checkout stays as it is while other tests run. */
async function pack(folder: string): Promise<Packed & { readonly file: string }> {
  const checkout = join(folder, 'checkout')
  mkdirSync(join(folder, 'packed'))
  for (const name of [
    'package.json',
    '.npmrc',
    'tsconfig.json',
    'tsconfig.build.json',
    'proxy',
    'policies',
    'test/runtime',
    'README.md',
    'LICENSE',
  ]) {
    cpSync(join(root, name), join(checkout, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  const { code, stdout, stderr } = await npm(['pack', '--json', '--pack-destination', join(folder, 'packed')], checkout)
  if (code !== 0) throw new Error(`npm pack failed:\n${stdout}${stderr}`)
  const answer = JSON.parse(stdout) as Packed[] | Record<string, Packed>
  const [packed] = Object.values(answer)
  if (packed === undefined) throw new Error(`npm pack packed nothing:\n${stdout}`)
  return { ...packed, file: join(folder, 'packed', packed.filename) }
}

function manifests(): string[] {
  return ['package.json', 'package-lock.json', 'node_modules/.package-lock.json'].map((name) =>
    readFileSync(join(root, name), 'utf8'),
  )
}

function npm(args: readonly string[], cwd: string): Promise<Ran> {
  if (!existsSync(join(cwd, 'package.json'))) throw new Error(`npm would climb out of ${cwd}`)
  // npm's own settings and the way to the registry come from the environment.
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  // The test runner puts its own hooks into every Node that a test starts; tsc does not start with them.
  return run('env', ['-u', 'NODE_OPTIONS', 'npm', ...args], {
    cwd,
    env: { ...env, PATH: checkoutPath },
    timeoutMs: 120_000,
  })
}

/** This Node, and those on the PATH that are new enough. */
async function nodes(): Promise<{ file: string; version: string }[]> {
  const candidates = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((file) => existsSync(file))
  const files = new Set([process.execPath, ...candidates].map((file) => realpathSync(file)))
  const found = await Promise.all(
    [...files].map(async (file) => ({ file, version: (await run(file, ['--version'])).stdout.trim() })),
  )
  return found.filter((node) => {
    const [major = 0, minor = 0] = node.version.slice(1).split('.').map(Number)
    return major > 24 || (major === 24 && minor >= 12)
  })
}
