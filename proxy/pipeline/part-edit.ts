// Owns how a changed text is written back to where it stood.
import type { Edit } from '../lib/edit.ts'
import type { TextPart } from '../protocol/content.ts'

type Part = Pick<TextPart, 'address' | 'text'> & Partial<Pick<TextPart, 'form'>>

/** A number stays one where what takes its place is one. */
export function partEdit({ address, form, text: was }: Part, text: string): Edit {
  if (form === 'number' && /^[1-9][0-9]{0,24}$/.test(text)) return { address, json: text }
  return { address, text, was: (form ?? 'string') === 'string' ? was : undefined }
}
