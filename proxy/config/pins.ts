// Owns opening the pins of upstreams: what a running process has seen of a server's tools outlives reloads, and a manifest
// is read and checked before anything of a new configuration is used.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openManifest } from '../pipeline/tool-manifest.ts'
import { ToolPins } from '../pipeline/tool-pins.ts'
import type { UpstreamOptions, UpstreamsOptions } from '../upstream/options.ts'

/** Id of the upstream → a mark of what the pins were made from, and the pins. */
export type OpenPins = ReadonlyMap<string, { readonly mark: string; readonly pins: ToolPins }>

/** Throws with a message for people when a manifest cannot be read or trusted. */
export function openPins(upstreams: UpstreamsOptions, before: OpenPins, publicKey: Buffer): OpenPins {
  const open = new Map<string, { mark: string; pins: ToolPins }>()
  for (const [id, options] of Object.entries(upstreams)) {
    if (options.pinTools === undefined || options.pinTools === false) continue
    const manifest = manifestOf(id, options)
    // Another url is another server, whose tools were never seen.
    const mark = createHash('sha256')
      .update(`${options.url}\n`)
      .update(manifest?.bytes ?? '')
      .digest('base64')
    const known = before.get(id)
    open.set(id, known?.mark === mark ? known : { mark, pins: pinsFrom(id, manifest, publicKey) })
  }
  return open
}

/** Where the manifests of a document are, as it says so. */
export function manifestFiles({ upstreams = {} }: { readonly upstreams?: UpstreamsOptions }): string[] {
  return Object.values(upstreams).flatMap(({ pinTools }) => (typeof pinTools === 'object' ? [pinTools.manifest] : []))
}

type File = { readonly path: string; readonly bytes: Buffer }

function manifestOf(id: string, { pinTools }: UpstreamOptions): File | undefined {
  if (typeof pinTools !== 'object') return undefined
  try {
    return { path: pinTools.manifest, bytes: readFileSync(pinTools.manifest) }
  } catch (cause) {
    throw new Error(`upstreams.${id}.pinTools: the manifest ${pinTools.manifest} cannot be read`, { cause })
  }
}

function pinsFrom(id: string, manifest: File | undefined, publicKey: Buffer): ToolPins {
  if (manifest === undefined) return new ToolPins()
  const opened = openManifest(manifest.bytes, id, publicKey)
  if (typeof opened !== 'string') return new ToolPins(opened.tools)
  throw new Error(`upstreams.${id}.pinTools: the manifest ${manifest.path} cannot be trusted: ${opened}`)
}
