// Owns the redaction of headers that repeat what stands in a body (MCP of 2026-07-28): they must say what the body says
// after its own redaction, or the data goes out in them and the server refuses the difference.
import { replace, type Replacement } from '../detect/replace.ts'
import type { Plan } from '../detect/redaction.ts'
import type { Vault } from '../detect/vault.ts'
import type { HeaderMirror } from '../protocol/protocol.ts'

export type Mirroring = {
  readonly mirror: HeaderMirror
  readonly plan: Plan
  readonly vault: Vault
  /** What has become of the texts of the body that were replaced. */
  readonly replaced: ReadonlyMap<string, string>
  /** Told of what stood in a header alone. */
  readonly note: (replacement: Replacement) => void
}

/** The header's value as it goes out. `name` in lower case. */
export function redactHeader(name: string, value: string, mirroring: Mirroring): string {
  const { mirror, plan, vault, replaced, note } = mirroring
  const found = mirror.read(name, value)
  if (found === undefined) return value
  const { text, repeats } = found
  const inBody = replaced.get(text)
  if (inBody !== undefined) return mirror.write(inBody)
  // In the body it stayed, for reasons that a header does not show: a tool's name is no text there.
  if (repeats) return value
  const replacement = replace(text, plan.scanner.scan(text), plan, vault)
  if (replacement.text === text) return value
  note(replacement)
  return mirror.write(replacement.text)
}
