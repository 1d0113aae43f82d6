// What the container and the deploy files promise: not root, nothing to write to but /data, no secret where it does not
// belong, and a program that really runs like that. No daemon and no cluster are needed.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { compileCache } from './support/compile-cache.ts'

const root = resolve(import.meta.dirname, '..')
const uid = 65532
const agentKeySha256 = '0'.repeat(64)
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

type Instruction = { readonly name: string; readonly rest: string }

/** One list for each stage; what stands before the first FROM is left out. */
function stagesOf(dockerfile: string): Instruction[][] {
  const lines = dockerfile
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
  const stages: Instruction[][] = []
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    if (name === undefined || rest === undefined) continue
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, rest })
  }
  return stages
}

const dockerfile = text('Dockerfile')
const stages = stagesOf(dockerfile)
const runtime = stages.at(-1) ?? []
const only = (name: string): string => runtime.filter((instruction) => instruction.name === name).at(-1)?.rest ?? ''
const healthcheck = JSON.parse(only('HEALTHCHECK').replace(/^.*?CMD\s+/, '')) as string[]

t.test('the image is small, not root, and has no shell to need', async (t) => {
  t.equal(only('USER'), '65532:65532')
  t.same(JSON.parse(only('ENTRYPOINT')), ['/nodejs/bin/node', '/app/dist/main.js'])
  t.same(JSON.parse(only('CMD')), ['serve', '--config', '/etc/gatewright'])
  t.equal(only('STOPSIGNAL'), 'SIGTERM')
  t.equal(only('EXPOSE'), '8080 9901')
  t.same(JSON.parse(only('VOLUME')), ['/data'])
  t.notOk(
    runtime.some(({ name }) => name === 'RUN'),
    'nothing runs in the last stage: it has no shell',
  )
  t.same(healthcheck.slice(0, 2), ['/nodejs/bin/node', '-e'])
  for (const { rest } of runtime.filter(({ name }) => name === 'COPY')) {
    const owned = rest.includes('--chown')
    t.equal(owned, rest.endsWith(' /data'), `${rest}: only /data belongs to the process`)
  }
})

t.test('images have tags that say what they are', async (t) => {
  const defaults = [...dockerfile.matchAll(/^ARG \w+_IMAGE=(.*)$/gm)].map((match) => match[1] ?? '')
  t.equal(defaults.length, 2)
  const compose = Object.values(composeFile().services).map(({ image }) => image)
  const pods = [sidecar().image, ...(agentPod().containers?.map(({ image }) => image ?? '') ?? [])]
  for (const image of [...defaults, ...compose, ...pods]) t.match(image, /:(?!latest)[\w.-]+$/, image)
})

t.test('only what the image needs goes to the builder', async (t) => {
  const [first, ...kept] = text('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(first, '*')
  const names = kept.map((line) => line.replace(/^!/, ''))
  const copied = stages.flat().filter(({ name, rest }) => name === 'COPY' && !rest.includes('--from='))
  const sources = copied.flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1)).map((path) => path.replace('./', ''))
  t.same([...new Set(sources)].sort(), [...names].sort())
  for (const name of names) t.ok(existsSync(join(root, name)), name)
})

t.test('only production packages are installed', async (t) => {
  const installs = stages.flat().filter(({ rest }) => rest.includes('npm ci'))
  for (const { rest } of installs) t.match(rest, /npm ci --workspaces=false/, 'not the Node of checkouts')
  t.match(stages[2]?.find(({ name }) => name === 'RUN')?.rest, /--omit=dev/)
  t.ok(runtime.some(({ rest }) => rest.startsWith('--from=dependencies /app/node_modules')))
  const names = productionPackages()
  const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) t.ok(names.includes(`node_modules/${name}`), name)
  for (const name of names) t.notMatch(name, /\/(typescript|tap|oxlint|prettier|openai|node-[a-z]+-|node-bin-)/)
})

type Service = {
  readonly image: string
  readonly user: string
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly healthcheck: { readonly test: readonly string[] }
  readonly networks: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly secrets: readonly string[]
  readonly stop_grace_period?: string
}
type Compose = {
  readonly services: Readonly<Record<string, Service>> & { readonly gatewright: Service; readonly redis: Service }
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly secrets: Readonly<Record<string, { readonly file?: string }>>
}

function composeFile(): Compose {
  return parse(text('deploy/compose.yaml')) as Compose
}

t.test('compose: every service is locked down and answers for its health', async (t) => {
  const { services, networks, secrets } = composeFile()
  for (const [name, service] of Object.entries(services)) {
    t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, name)
    t.match(service.user, /^[1-9]\d*:[1-9]\d*$/, `${name} is not root`)
    t.ok(service.healthcheck.test.length > 1, `${name} has a healthcheck`)
    for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${port} is published on the loopback only`)
    for (const secret of service.secrets)
      t.ok(secrets[secret]?.file, `${secret} is a file, which a read-only service needs`)
  }
  const { gatewright, redis } = services
  t.same(gatewright.ports, ['127.0.0.1:8080:8080', '127.0.0.1:9901:9901'])
  t.same(gatewright.volumes, ['./compose:/etc/gatewright:ro', 'audit:/data'])
  t.equal(
    gatewright.healthcheck.test[3],
    healthcheck[2]?.replace('/livez', '/readyz'),
    'the image’s own check, of readiness',
  )
  t.same(redis.networks, ['store'])
  t.match(
    networks,
    { agents: { internal: true }, store: { internal: true } },
    'no way out from where agents and counters are',
  )
  t.notMatch(text('deploy/compose.yaml'), /sk-|bearer/i)
  t.ok(seconds(gatewright.stop_grace_period) > drainSeconds('deploy/compose/gatewright.yaml'), 'time to drain')
})

type Container = {
  readonly name: string
  readonly image: string
  readonly restartPolicy?: string
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe?: Probe
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly securityContext?: object
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[]
}
type Probe = { readonly httpGet: { readonly path: string; readonly port: string } }
type Pod = {
  readonly terminationGracePeriodSeconds: number
  readonly automountServiceAccountToken: boolean
  readonly securityContext: object
  readonly initContainers: readonly [Container]
  readonly containers?: readonly [Partial<Container>]
  readonly volumes: readonly {
    readonly name: string
    readonly configMap?: object
    readonly secret?: { readonly secretName: string }
  }[]
}
type Deployment = { readonly kind: string; readonly spec: { readonly template: { readonly spec: Pod } } }

function pod(yaml: string): Pod {
  const all = parseAllDocuments(yaml).map((document) => document.toJS() as Deployment)
  const found = all.find(({ kind }) => kind === 'Deployment')
  if (found === undefined) throw new Error('no Deployment')
  return found.spec.template.spec
}
const sidecar = (): Container => pod(text('deploy/kubernetes/sidecar/sidecar.yaml')).initContainers[0]
const agentPod = (): Pod => pod(text('deploy/kubernetes/example/agent.yaml'))

t.test('kubernetes: a native sidecar under the restricted profile', async (t) => {
  checkSidecar(t, pod(text('deploy/kubernetes/sidecar/sidecar.yaml')))
})

const kubectl = spawnSync('kubectl', ['kustomize', join(root, 'deploy/kubernetes/example')], { encoding: 'utf8' })
const skip = kubectl.error === undefined ? false : 'kubectl is not here'

t.test('kubernetes: what kustomize makes of the example', { skip }, async (t) => {
  const { stdout, status } = kubectl
  t.equal(status, 0)
  checkSidecar(t, pod(stdout))
  const rendered = pod(stdout)
  t.equal(rendered.containers?.length, 1)
  t.match(rendered.containers?.[0], {
    image: 'registry.example.com/research-agent:1.0.0',
    securityContext: { runAsNonRoot: true },
  })
  const config = parseAllDocuments(stdout).map(
    (document) => document.toJS() as { kind: string; metadata: { name: string }; data: unknown },
  )
  const map = config.find(({ kind }) => kind === 'ConfigMap')
  t.equal(map?.metadata.name, 'gatewright', 'a name without hash, so that changes reach running pods')
  t.same(map?.data, { 'gatewright.yaml': text('deploy/kubernetes/sidecar/gatewright.yaml') })
})

function checkSidecar(t: Test, spec: Pod): void {
  const [proxy] = spec.initContainers
  t.equal(proxy.restartPolicy, 'Always')
  t.same(proxy.ports, [{ name: 'gatewright', containerPort: 9901 }])
  const probe = (path: string): object => ({ httpGet: { path, port: 'gatewright' } })
  t.match(proxy, { startupProbe: probe('/startupz'), readinessProbe: probe('/readyz'), livenessProbe: probe('/livez') })
  t.match(proxy.securityContext, {
    runAsNonRoot: true,
    runAsUser: uid,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  })
  t.match(proxy, { resources: { requests: {}, limits: { memory: /Mi$/ } } })
  t.equal(spec.automountServiceAccountToken, false)
  t.match(spec.securityContext, { fsGroup: uid, seccompProfile: { type: 'RuntimeDefault' } })
  t.ok(spec.terminationGracePeriodSeconds > drainSeconds('deploy/kubernetes/sidecar/gatewright.yaml'), 'time to drain')
  for (const mount of proxy.volumeMounts ?? []) t.equal(mount.subPath, undefined, `${mount.mountPath} is a folder`)
  const config = spec.volumes.find(({ configMap }) => configMap !== undefined)
  t.match(proxy.volumeMounts, [{ name: config?.name, mountPath: proxy.args?.at(-1) }])
  const [agent] = spec.containers ?? []
  t.match(agent?.env, [
    { name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:8080/openai/v1' },
    { name: 'OPENAI_API_KEY' },
  ])
  t.notMatch(JSON.stringify(agent), /gatewright-upstream-keys/, 'the agent has no provider’s key')
  t.match(JSON.stringify(agent?.env), /"name":"gatewright-agent-key"/)
}

const configurations = ['deploy/compose/gatewright.yaml', 'deploy/kubernetes/sidecar/gatewright.yaml']

t.test('the configurations pass gatewright check and listen where the files say', async (t) => {
  for (const path of configurations) {
    const args = [join(root, 'proxy/main.ts'), 'check', '--strict', join(root, path)]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { NODE_COMPILE_CACHE: compileCache, AGENT_KEY_SHA256: agentKeySha256 },
    })
    t.equal(status, 0, `${path}: ${stdout}${stderr}`)
    const { server, audit, defaultEffect } = parse(text(path)) as Configuration
    t.equal(server.admin, '0.0.0.0:9901', 'kubelets and published ports do not reach the loopback')
    t.equal(server.listen, path.includes('sidecar') ? '127.0.0.1:8080' : '0.0.0.0:8080')
    t.match(audit, {
      dir: '/data/audit',
      key: { fromFile: '/data/audit.key' },
      durability: 'strict',
      onFailure: 'deny',
    })
    t.equal(defaultEffect, 'deny')
  }
})

t.test('runs as in the image: production packages, uid 65532, read-only root, no capabilities', async (t) => {
  const image = layOut(t)
  const child = start(t, image)
  t.teardown(() => child.kill('SIGKILL'))
  const { data, admin } = await addresses(child)
  t.equal((await fetch(`${admin}/readyz`)).status, 200)
  t.equal(runHealthcheck(admin), 0, 'the healthcheck of the image agrees')
  const refused = await fetch(`${data}/openai/v1/chat/completions`, { method: 'POST', body: '{}' })
  t.equal(refused.status, 401)
  await refused.body?.cancel()
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
  t.not(runHealthcheck(admin), 0, 'and sees that it is gone')
  t.ok(existsSync(join(image.data, 'audit')), 'the log is in the volume')
})

t.test('says what is missing where no configuration is mounted', async (t) => {
  const empty = mkdtempSync(join(tmpdir(), 'gatewright-empty-'))
  t.teardown(() => rmSync(empty, { recursive: true, force: true }))
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'proxy/main.ts'), 'serve', '--config', empty], {
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.match(stderr, empty)
})

type Configuration = {
  server: { listen: string; admin: string; timeouts: { drain: string } }
  upstreams: { openai: { credential: { bearer: { fromFile: string } } } }
  audit: { dir: string; key: { fromFile: string } }
  defaultEffect: string
}
type Image = Readonly<Record<'node' | 'config' | 'data' | 'cwd', string>>

/** The folders of the image below one folder of our own: /app, /etc/gatewright, /run/secrets and /data. */
function layOut(t: Test): Image {
  const dir = mkdtempSync(join(tmpdir(), 'gatewright-image-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const app = join(dir, 'app')
  // Types are checked with the package, whose build is the same.
  const flags = ['-p', join(root, 'tsconfig.build.json'), '--noCheck', '--outDir', join(app, 'dist')]
  // The test runner puts its own hooks into every Node that a test starts; tsc does not start with them.
  const build = spawnSync('env', ['-u', 'NODE_OPTIONS', join(root, 'node_modules/.bin/tsc'), ...flags])
  if (build.status !== 0) throw new Error(String(build.stdout))
  for (const name of [...productionPackages(), 'package.json', 'policies'])
    cpSync(join(root, name), join(app, name), { recursive: true, dereference: true })
  const node = join(dir, 'node')
  copyFileSync(process.execPath, node)
  const [config, data, secrets] = ['etc', 'data', 'secrets'].map((name) => join(dir, name)) as [string, string, string]
  for (const folder of [config, data, secrets]) mkdirSync(folder)
  const document = parse(text('deploy/kubernetes/sidecar/gatewright.yaml')) as Configuration
  document.server.listen = '127.0.0.1:0'
  document.server.admin = '127.0.0.1:0'
  document.upstreams.openai.credential.bearer.fromFile = join(secrets, 'openai-api-key')
  document.audit.dir = join(data, 'audit')
  document.audit.key.fromFile = join(data, 'audit.key')
  writeFileSync(join(config, 'gatewright.yaml'), stringify(document))
  writeFileSync(join(secrets, 'openai-api-key'), 'a key that never leaves')
  spawnSync('chmod', ['-R', 'a+rX', dir])
  chmodSync(data, 0o777)
  return { node, config, data, cwd: app }
}

/**
 * As root: in a mount namespace whose root is read-only but for `data`, as uid 65532 without any capability and with
 * no_new_privs, which is what the deploy files ask of a container runtime. Otherwise as the user that runs the tests.
 */
const fence = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec setpriv "$@"'
const dropped = `--reuid=${uid} --regid=${uid} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all`.split(
  ' ',
)

function fenced(data: string, command: readonly string[]): readonly string[] {
  return ['unshare', '--mount', '--', 'sh', '-c', fence, data, ...dropped, ...command]
}

function canFence(data: string): boolean {
  const [command = '', ...args] = fenced(data, ['true'])
  return process.getuid?.() === 0 && spawnSync(command, args).status === 0
}

function start(t: Test, { node, config, data, cwd }: Image): ChildProcess {
  const isFenced = canFence(data)
  if (!isFenced) t.comment('not root, or no mount namespaces here: runs without the fence')
  const serve = [node, join(cwd, 'dist/main.js'), 'serve', '--config', config]
  const [command = '', ...args] = isFenced ? fenced(data, ['--', ...serve]) : serve
  const env = {
    NODE_ENV: 'production',
    AGENT_KEY_SHA256: agentKeySha256,
    PATH: isFenced ? process.env['PATH'] : undefined,
  }
  // The test runner's hooks would want to write to the read-only root as the process ends.
  return spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
}

function addresses(child: ChildProcess): Promise<{ data: string; admin: string }> {
  if (child.stdout === null) throw new Error('no output')
  const output: string[] = []
  const lines = createInterface(child.stdout)
  return new Promise<{ data: string; admin: string }>((done, fail) => {
    lines.on('line', (line) => {
      output.push(line)
      const match = /data on (http:\S+?),? admin on (http:\S+)/.exec(line)
      if (match !== null) done({ data: match[1] ?? '', admin: match[2] ?? '' })
    })
    child.once('exit', (code) => fail(new Error(`ended with ${code}:\n${output.join('\n')}`)))
  })
}

function runHealthcheck(admin: string): number | null {
  const script = (healthcheck[2] ?? '').replace('127.0.0.1:9901', new URL(admin).host)
  return spawnSync(process.execPath, ['-e', script]).status
}

/** Folders of what `npm ci --workspaces=false --omit=dev` installs, by the lock file. */
function productionPackages(): string[] {
  type Locked = { readonly dev?: boolean; readonly optional?: boolean; readonly link?: boolean }
  const { packages } = JSON.parse(text('package-lock.json')) as { packages: Record<string, Locked> }
  const isRuntime = ([path, { dev, optional, link }]: [string, Locked]): boolean =>
    path.startsWith('node_modules/') && !(dev ?? optional ?? link ?? false)
  return Object.entries(packages)
    .filter(isRuntime)
    .map(([path]) => path)
}

function drainSeconds(path: string): number {
  return seconds((parse(text(path)) as Configuration).server.timeouts.drain)
}

function seconds(duration: string | undefined): number {
  return Number(/^(\d+)s$/.exec(duration ?? '')?.[1])
}
