// Owns the reading of a V8 CPU profile (.cpuprofile): which functions and which parts of the program the time went to.
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ProfileNode = {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  /** Ids of the nodes that this one called. */
  readonly children?: readonly number[]
}

/** Times in microseconds of the monotonic clock, which all processes of a machine share. */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export type ProfileWindow = { readonly fromUs: number; readonly toUs: number; readonly requests: number }

const functionsShown = 25
const partsShown = 25
const root = resolve(import.meta.dirname, '..')

/** Of the main thread's profile: the folder holds one for each thread, and that one is the biggest. */
export async function profileText(dir: string, window: ProfileWindow): Promise<string> {
  const texts = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name), 'utf8')))
  const [biggest] = texts.sort((a, b) => b.length - a.length)
  if (biggest === undefined) throw new Error('there is no profile: did the process end by itself?')
  const profile = JSON.parse(biggest) as CpuProfile
  const byFunction = selfTimes(profile, window, functionOf)
  const byPart = selfTimes(profile, window, partOf)
  const byStage = selfTimes(profile, window, stageFinder(profile.nodes))
  return [
    list('time by stage, with all that it calls', byStage, byStage.size, window),
    list('self time by part', byPart, partsShown, window),
    list('self time by function', byFunction, functionsShown, window),
  ].join('\n')
}

/** Microseconds in which a node was on top of the stack within the window, summed by what `keyOf` calls it; idle time is left out. */
export function selfTimes(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  { fromUs, toUs }: ProfileWindow,
  keyOf: (node: ProfileNode) => string,
): Map<string, number> {
  const keys = new Map(nodes.map((node) => [node.id, isIdle(node) ? undefined : keyOf(node)]))
  const times = new Map<string, number>()
  let atUs = startTime
  for (const [index, id] of samples.entries()) {
    atUs += timeDeltas[index] ?? 0
    const key = keys.get(id)
    if (key === undefined || atUs < fromUs || atUs > toUs) continue
    // A sample stands for the time until the next one.
    times.set(key, (times.get(key) ?? 0) + (timeDeltas[index + 1] ?? 0))
  }
  return times
}

function isIdle({ callFrame }: ProfileNode): boolean {
  return callFrame.functionName === '(idle)'
}

function functionOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const place = url === '' ? '' : `  ${shortPath(url)}:${lineNumber + 1}`
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`
}

/** `proxy/detect`, `undici`, `node:http`; natives and the collector by their own names. */
function partOf({ callFrame: { functionName, url } }: ProfileNode): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)'
  const path = shortPath(url)
  const dependency = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
  return dependency ?? /^(node:[^/]+(?:\/[^/]+)?|[^/]+\/[^/]+)/.exec(path)?.[1] ?? path
}

const stageRegExp = /^(?:proxy|.*\/dist)\/(?:pipeline\/(?:stages|filters)|server|admin)\/[\w-]+/

/** The innermost file of stages, filters or listeners that a node was called from, itself included. */
function stageFinder(nodes: readonly ProfileNode[]): (node: ProfileNode) => string {
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)))
  const stageOf = (node: ProfileNode | undefined): string => {
    if (node === undefined) return '(none of them)'
    return stageRegExp.exec(shortPath(node.callFrame.url))?.[0] ?? stageOf(callers.get(node.id))
  }
  return stageOf
}

function shortPath(url: string): string {
  return url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
}

function list(title: string, times: ReadonlyMap<string, number>, most: number, { requests }: ProfileWindow): string {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  const lines = [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(
      ([key, us]) =>
        `${((100 * us) / total).toFixed(1).padStart(5)} %  ${(us / requests).toFixed(1).padStart(7)} µs/request  ${key}`,
    )
  return `${title} (${(total / requests).toFixed(0)} µs/request on the main thread)\n${lines.join('\n')}\n`
}
