// Owns the reading of one YAML text into a located tree: YAML 1.2 core, one document, no custom tags, everything
// bounded. It does not know what the keys mean, nor where the text came from.
import { type Document, isAlias, isMap, isScalar, type Node, parseDocument, type YAMLError } from 'yaml'
import {
  lineStartsOf,
  type Located,
  type LocatedMap,
  type LocatedProblem,
  problemAt,
  type Source,
  type Span,
} from './locate.ts'
import { visibleUnread } from './visible-text.ts'

/** Nodes after aliases are expanded: what a bomb of nested aliases may cost. */
const nodesMax = 100_000
const depthMax = 64

export type YamlResult =
  | { readonly ok: true; readonly root: LocatedMap }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] }

/**
 * Reads `text`; `file` is only for messages. An empty text is an empty map. `visibleOf` says what errors may show of a text
 * that could be read.
 */
export function loadYaml(
  file: string,
  text: string,
  visibleOf: (root: LocatedMap) => string = (root) => root.at.source.text,
): YamlResult {
  const source = { file, text, lineStarts: lineStartsOf(text), visible: '' }
  const result = readYaml(source, text)
  source.visible = result.ok ? visibleOf(result.root) : visibleUnread(text)
  return result.ok ? result : { ok: false, problems: result.faults.map((fault) => problemAt(...fault)) }
}

type Fault = Parameters<typeof problemAt>
type ReadYaml =
  { readonly ok: true; readonly root: LocatedMap } | { readonly ok: false; readonly faults: readonly Fault[] }

function readYaml(source: Source, text: string): ReadYaml {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
  })
  // An unresolved tag is only a warning to the parser, and its value would be taken as if the tag were not there.
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    return { ok: false, faults: worthSaying(faults).map((fault) => syntaxFault(source, fault)) }
  }
  try {
    const root = new Conversion(source, document).root()
    return { ok: true, root }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ok: false, faults: [[error.span, { path: '', message: error.message, severity: 'error' }]] }
  }
}

/** Stops a conversion; never leaves this file. */
class Refusal extends Error {
  readonly span: Span
  constructor(span: Span, message: string) {
    super(message)
    this.span = span
  }
}

class Conversion {
  #nodes = 0
  readonly #source: Source
  readonly #document: Document.Parsed

  constructor(source: Source, document: Document.Parsed) {
    this.#source = source
    this.#document = document
  }

  root(): LocatedMap {
    const { contents, directives } = this.#document
    const start = this.#span(contents)
    if (directives.yaml.version !== '1.2') throw new Refusal(start, 'only YAML 1.2 is read; remove the %YAML directive')
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      return { kind: 'map', at: start, entries: new Map() }
    }
    const root = this.#convert(contents, 0)
    if (root.kind !== 'map') throw new Refusal(start, 'a configuration file must be a map of keys')
    return root
  }

  #convert(node: Node | null, depth: number): Located {
    const at = this.#span(node)
    this.#nodes += 1
    if (this.#nodes > nodesMax) throw new Refusal(at, `more than ${nodesMax} values after aliases are expanded`)
    if (depth > depthMax) throw new Refusal(at, `nested more than ${depthMax} deep`)
    if (node === null) return { kind: 'scalar', at, value: null }
    if (isAlias(node)) {
      const target = node.resolve(this.#document)
      if (target === undefined) throw new Refusal(at, `no value is anchored as &${node.source}`)
      return this.#convert(target, depth + 1)
    }
    if (isScalar(node)) return this.#scalar(node.value, at)
    if (!isMap(node)) {
      const items = node.items.map((item) => this.#convert(item as Node | null, depth + 1))
      return { kind: 'list', at, items }
    }
    const entries = new Map<string, { keyAt: Span; node: Located }>()
    for (const pair of node.items) {
      const keyAt = this.#span(pair.key as Node)
      const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
      if (key === '__proto__') throw new Refusal(keyAt, 'the key "__proto__" is not accepted')
      if (key === '<<') throw new Refusal(keyAt, 'merge keys (<<) are not part of YAML 1.2')
      entries.set(key, { keyAt, node: this.#convert(pair.value as Node | null, depth + 1) })
    }
    return { kind: 'map', at, entries }
  }

  #scalar(value: unknown, at: Span): Located {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Refusal(at, 'a number must be finite')
    if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
      return { kind: 'scalar', at, value }
    }
    throw new Refusal(at, 'this kind of value is not accepted')
  }

  #span(node: Node | null): Span {
    const [start, end] = node?.range ?? [0, 0]
    return { source: this.#source, start, end }
  }
}

/** After the first real syntax error the rest of the text is misread, so what follows it is noise. */
function worthSaying(faults: readonly YAMLError[]): readonly YAMLError[] {
  const ordered = [...faults].sort((a, b) => a.pos[0] - b.pos[0])
  const broken = ordered.findIndex(({ code }) => code !== 'DUPLICATE_KEY' && code !== 'TAG_RESOLVE_FAILED')
  return broken === -1 ? ordered.slice(0, faultsMax) : ordered.slice(0, broken + 1)
}

const faultsMax = 20

function syntaxFault(source: Source, fault: YAMLError): Fault {
  const [start, end] = fault.pos
  const written = source.text.slice(start, end)
  const span = { source, start, end: Math.max(end, start + 1) }
  const sentences: Partial<Record<YAMLError['code'], string>> = {
    DUPLICATE_KEY: `duplicate key "${keyAt(source.text.slice(start))}"`,
    MULTIPLE_DOCS: 'a file must hold one document; split it into files',
    TAG_RESOLVE_FAILED: `the tag ${written} is not accepted`,
    TAB_AS_INDENT: 'tabs are not accepted as indentation',
    NON_STRING_KEY: 'keys must be plain text',
    RESOURCE_EXHAUSTION: 'nested too deeply',
  }
  const message = sentences[fault.code] ?? `not valid YAML: ${fault.message.replace(/\.$/, '')}`
  const bareVariable = source.text.slice(start - 1, start + 1) === '${'
  const hint = bareVariable ? 'inside { } and [ ], put "${…}" in quotes' : undefined
  return [span, { path: '', message, severity: 'error', ...(hint === undefined ? {} : { hint }) }]
}

function keyAt(text: string): string {
  const [plain = '', double, single] = /^"([^"]*)"|^'([^']*)'|^[^:,{}\s]+/.exec(text) ?? []
  return double ?? single ?? plain
}
