// Owns which versions of MCP are served, and to which of the two eras each belongs.

/** With `initialize` and, where the server wants them, sessions. Without a header a request is of the first. */
export const sessionVersions: ReadonlySet<string> = new Set(['2025-03-26', '2025-06-18', '2025-11-25'])

/** Every request stands for itself and says so in `_meta` and in its headers. */
export const statelessVersions: ReadonlySet<string> = new Set(['2026-07-28'])

export const versions: readonly string[] = [...sessionVersions, ...statelessVersions]

export function isStateless(version: string | undefined): boolean {
  return version !== undefined && statelessVersions.has(version)
}
