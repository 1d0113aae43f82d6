// Owns how a changed text is written back to where it stood.
import { applyEdits, type Edit } from '../lib/edit.ts'
import type { TextPart } from '../protocol/content.ts'
import type { Carried } from './carried-json.ts'

type Part = Pick<TextPart, 'address' | 'text'> & Partial<Pick<TextPart, 'form'>>

/** A number stays one where what takes its place is one. */
export function partEdit({ address, form, text: was }: Part, text: string): Edit {
  if (form === 'number' && /^[1-9][0-9]{0,24}$/.test(text)) return { address, json: text }
  return { address, text, was: (form ?? 'string') === 'string' ? was : undefined }
}

/** The edited body in the format that it came in. */
export function editedBody(
  body: { readonly text: string; readonly carried?: Pick<Carried, 'write'> },
  edits: readonly Edit[],
): string {
  const edited = applyEdits(body.text, edits)
  return body.carried?.write(edited) ?? edited
}
