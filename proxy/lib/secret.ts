// Owns the shape of a reference to a secret. Only config/ resolves it, so no secret is ever part of a document.

export type SecretRef = { readonly fromEnv: string } | { readonly fromFile: string }

/** Throws with a message that names the reference, never the value. */
export type ResolveSecret = (ref: SecretRef) => string

export const secretRefSchema = {
  oneOf: [
    { type: 'object', required: ['fromEnv'], additionalProperties: false, properties: { fromEnv: { type: 'string' } } },
    {
      type: 'object',
      required: ['fromFile'],
      additionalProperties: false,
      properties: { fromFile: { type: 'string' } },
    },
  ],
} as const
