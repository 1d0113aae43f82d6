// Owns the shape of an audit record. The log knows nothing of HTTP, policies or prompts: fields are plain data.

/** No floats: JCS renders them, but two languages may disagree about them. */
export type RecordValue =
  null | boolean | number | string | readonly RecordValue[] | { readonly [key: string]: RecordValue }

export type RecordKind =
  | 'intent'
  | 'outcome'
  | 'policy'
  | 'admin'
  | 'open'
  | 'close'
  | 'gap'
  | 'recovered'
  | 'checkpoint'
  | 'keyroll'
  | 'prune'
  | 'shred'

/** What a caller gives. The log adds `i`, `t`, `prev`. Keys may not be `kind`, `i`, `t` or `prev`. */
export type RecordFields = { readonly [key: string]: RecordValue }
