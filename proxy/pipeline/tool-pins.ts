// Owns what the tools of one server were when they were first seen, or when somebody signed for them: a tool that changed
// afterwards, or that looks like another, is not used again. It does not know where definitions come from.
import { createHash } from 'node:crypto'
import { canonicalise } from '../lib/canonical.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { skeletonOf } from './look-alike.ts'

/** Why a tool may not be used. */
export type Distrust = 'tool-changed' | 'tool-look-alike' | 'tool-unpinned'

/** A tool that is distrusted from now on, for the log. `seen` is the digest of what it is now. */
export type Sighting = {
  readonly name: string
  readonly why: Distrust
  readonly pinned?: string
  readonly seen: string
}

/** The server decides how many tools it lists, so what is remembered of them is bounded. */
const toolsMax = 10_000

export class ToolPins {
  /** Nothing is pinned at first sight: what was not signed for is not used. */
  readonly #closed: boolean
  readonly #pinned = new Map<string, string>()
  readonly #names = new Map<string, string>()
  /** Once distrusted, a tool stays so: a server that shows it as it was to one client may not to the next. */
  readonly #distrusted = new Map<string, Distrust>()

  /** `manifest`: name → digest. Absent: whatever is seen first is pinned. */
  constructor(manifest?: ReadonlyMap<string, string>) {
    this.#closed = manifest !== undefined
    for (const [name, digest] of manifest ?? []) this.#pin(name, digest)
  }

  /** Looks at a list of tools; returns those that were not distrusted before. */
  see(tools: readonly { readonly name: string; readonly source: Json }[]): Sighting[] {
    const sightings: Sighting[] = []
    // Of two that look alike the plainly written one is the one that is meant.
    const plainFirst = [...tools.filter(({ name }) => isPlain(name)), ...tools.filter(({ name }) => !isPlain(name))]
    for (const { name, source } of plainFirst) {
      const seen = digestOf(source)
      const why = this.distrust(name) ?? this.#judge(name, seen)
      if (why === undefined || this.#distrusted.has(name)) continue
      const pinned = this.#pinned.get(name)
      // Look-alikes, of which there is no end, may not take the places of those that were trusted; their names say enough.
      if (pinned === undefined && this.#distrusted.size >= toolsMax) continue
      this.#distrusted.set(name, why)
      sightings.push({ name, why, seen, ...(pinned === undefined ? undefined : { pinned }) })
    }
    return sightings
  }

  /** Undefined: the tool may be used as far as pins go. One that no list has shown yet is judged by its name alone. */
  distrust(name: string): Distrust | undefined {
    const known = this.#distrusted.get(name)
    if (known !== undefined || this.#pinned.has(name)) return known
    if (this.#names.has(skeletonOf(name))) return 'tool-look-alike'
    return this.#closed || this.#pinned.size >= toolsMax ? 'tool-unpinned' : undefined
  }

  #judge(name: string, seen: string): Distrust | undefined {
    const pinned = this.#pinned.get(name)
    if (pinned !== undefined) return pinned === seen ? undefined : 'tool-changed'
    if (this.#pinned.size >= toolsMax) return 'tool-unpinned'
    this.#pin(name, seen)
    return undefined
  }

  #pin(name: string, digest: string): void {
    this.#pinned.set(name, digest)
    this.#names.set(skeletonOf(name), name)
  }
}

/** What a model or a user goes by. Icons and metadata may change. */
const pinnedMembers = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/** SHA-256 of the canonical form (RFC 8785) of what defines a tool, hex. */
export function digestOf(tool: Json): string {
  const source = tool as JsonObject
  const defining: Record<string, Json> = {}
  for (const member of pinnedMembers) {
    const value = source[member]
    if (value !== undefined) defining[member] = value
  }
  return createHash('sha256').update(canonicalise(defining)).digest('hex')
}

function isPlain(name: string): boolean {
  return /^[a-z0-9_./-]+$/.test(name)
}
