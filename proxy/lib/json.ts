// Owns strict JSON: one reading of a byte string, or a refusal. Ambiguous input (duplicate or case-colliding keys, BOM,
// invalid UTF-8, lone surrogates, too deep) has no reading.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }
