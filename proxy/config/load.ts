// Owns the way from files to a document: read, merge, put in variables, validate, drop what the environment switches
// off. It resolves no secret and builds nothing.
import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { type Environment, interpolate } from './interpolate.ts'
import { type FilesResult, readConfigFiles } from './load-files.ts'
import { checkReferences } from './load-references.ts'
import {
  type Disabled,
  disabledBy,
  isDisabled,
  withoutDisabled,
  withoutDisabledNodes,
  withoutUnset,
} from './load-switches.ts'
import { loadYaml } from './load-yaml.ts'
import {
  formatPath,
  isVisible,
  type Located,
  locateProblem,
  type LocatedMap,
  type LocatedProblem,
  nodeAt,
  plainValue,
} from './locate.ts'
import { duplicates, merge } from './merge.ts'
import { configSchema, type Document } from './schema.ts'
import { coerceVariables } from './schema-coerce.ts'
import { validator } from './schema-errors.ts'
import { visibleText } from './visible-text.ts'

export type Loaded = {
  readonly ok: true
  readonly document: Document
  /** What `ifEnv` and `unlessEnv` took out. Rules may name these; they match nothing. */
  readonly disabled: Disabled
  /** With what is switched off, as far as its variables let it be known: to be checked, and the names that rules may use. */
  readonly written: Pick<Document, 'upstreams' | 'routes'>
  /** The files read, as given or found. */
  readonly sources: readonly string[]
  /** Hex SHA-256 of the document with its keys sorted: equal documents, equal hashes. */
  readonly hash: string
  /** Turns what a compiler says about a path of this document into a place in a file. */
  readonly locate: (problem: Problem) => LocatedProblem
  /** The same for a path of `written`; undefined where an unset variable of something switched off is to blame. */
  readonly locateWritten: (problem: Problem) => LocatedProblem | undefined
}

export type LoadResult = Loaded | { readonly ok: false; readonly problems: readonly LocatedProblem[] }

/** Files and directories merge in order; see merge.ts for what that means. Reads synchronously: for start and reload. */
export function loadConfig(paths: readonly string[], env: Environment): LoadResult {
  const read = readAll(paths)
  const problems = [...read.problems]
  const merged = merge(read.roots, 'overrides')
  if (problems.length > 0) return { ok: false, problems }

  const disabled = disabledBy(merged, env)
  const interpolated = interpolate(merged, env)
  const root = coerceVariables(interpolated.root, configSchema) as LocatedMap
  const json = plainValue(root) as JsonObject
  const invalid = validate(json, (path, value) => shown(root, path, value))
  const unset = new Set(interpolated.problems.map((problem) => formatPath(problem.path)))
  const consequent = (problem: Problem): boolean => unset.has(formatPath(problem.path))
  // Where a variable switches something off, its other variables are usually unset as well.
  const excused = ({ path }: Problem): boolean =>
    isDisabled(disabled, root, path) && templateAt(root, path) !== undefined
  const locateWritten = (problem: Problem): LocatedProblem | undefined =>
    excused(problem) ? undefined : locateProblem(root, problem)
  const wrong = [...interpolated.problems, ...invalid.filter((one) => !consequent(one))]
  problems.push(...wrong.flatMap((problem) => locateWritten(problem) ?? []), ...duplicates(root))
  if (problems.length > 0) return { ok: false, problems }

  nameFirstUpstreams(json)
  const document = withoutDisabled(json, disabled) as unknown as Document
  const enabled = withoutDisabledNodes(root, disabled)
  const locate = (problem: Problem): LocatedProblem => locateProblem(enabled, problem)
  const references = checkReferences(json as unknown as Document).flatMap((problem) => locateWritten(problem) ?? [])
  if (references.length > 0) return { ok: false, problems: references }
  const hash = createHash('sha256')
    .update(JSON.stringify(sorted(document as unknown as Json)))
    .digest('hex')
  const written = withoutUnset(
    json,
    [...wrong, ...invalid].map(({ path }) => path),
  ) as unknown as Document
  return { ok: true, document, disabled, written, sources: read.files, hash, locate, locateWritten }
}

/** Where a route names several upstreams by weight, everybody else knows the first of them as its own. */
function nameFirstUpstreams({ routes }: JsonObject): void {
  for (const route of routes as { upstream?: string; upstreams?: { upstream: string }[] }[]) {
    const [first] = route.upstreams ?? []
    if (route.upstream === undefined && first !== undefined) route.upstream = first.upstream
  }
}

const validate = validator(configSchema)

type Unread = Extract<FilesResult, { ok: false }>
type Read = { readonly roots: LocatedMap[]; readonly files: string[]; readonly problems: LocatedProblem[] }

/** One root for each path. */
function readAll(paths: readonly string[]): Read {
  const read: Read = { roots: [], files: [], problems: [] }
  for (const path of paths) {
    const found = readConfigFiles(path)
    if (!found.ok) {
      read.problems.push(unreadable(found))
      continue
    }
    const peers: LocatedMap[] = []
    for (const { file, text } of found.files) {
      read.files.push(file)
      const parsed = loadYaml(file, text, (root) => visibleText(root, configSchema))
      if (parsed.ok) peers.push(parsed.root)
      read.problems.push(...(parsed.ok ? duplicates(parsed.root) : parsed.problems))
    }
    read.roots.push(merge(peers, 'peers', read.problems))
  }
  return read
}

function unreadable({ file, message, place = { line: 1, column: 1 } }: Unread): LocatedProblem {
  return { file, ...place, length: 1, path: '', message, severity: 'error' }
}

function shown(root: Located, path: Path, value: Json): string {
  const node = nodeAt(root, path)
  if (node?.kind === 'scalar' && !isVisible(node)) return 'what stands there'
  const text = JSON.stringify(templateAt(root, path) ?? value)
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`
}

const shownMax = 80

function templateAt(root: Located, path: Path): string | undefined {
  const node = nodeAt(root, path)
  return node?.kind === 'scalar' ? node.template : undefined
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sorted(child)]),
  )
}
