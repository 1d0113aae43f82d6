// Owns the catalogue of tools: which tags a tool has. A tool that no entry names has no tags.
import { compileGlob, type Glob } from './glob.ts'
import type { ToolOptions } from './options.ts'

export type Catalogue = {
  tagsOf(tool: string, upstream: string): readonly string[]
}

/** Tool names come from outside, so what is remembered of them is bounded. */
const rememberedMax = 2000

/** Entries whose name is not a valid glob are left out: the compiler has reported them. */
export function compileCatalogue(tools: readonly ToolOptions[]): Catalogue {
  const entries: { glob: Glob; tags: readonly string[]; upstream: string | undefined }[] = []
  for (const tool of tools) {
    const glob = compileGlob(tool.name, '/')
    if (typeof glob === 'function') entries.push({ glob, tags: tool.tags, upstream: tool.upstream })
  }
  const remembered = new Map<string, readonly string[]>()
  return {
    tagsOf(tool, upstream) {
      if (entries.length === 0) return []
      const key = `${upstream}\n${tool}`
      const known = remembered.get(key)
      if (known !== undefined) return known
      const matching = entries.filter(
        (entry) => (entry.upstream === undefined || entry.upstream === upstream) && entry.glob(tool),
      )
      const tags = [...new Set(matching.flatMap((entry) => entry.tags))]
      if (remembered.size >= rememberedMax) remembered.clear()
      remembered.set(key, tags)
      return tags
    },
  }
}
