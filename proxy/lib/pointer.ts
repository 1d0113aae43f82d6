// Owns addresses: where in a JSON document a value stands (RFC 6901), with one hop into JSON that is embedded in a
// string (the arguments of a tool call).

/** Object keys and array indexes from the root. */
export type Path = readonly (string | number)[]

/**
 * `inner` continues inside the JSON text that the string at `path` holds.
 * `key: true` means the last step's key itself, not its value.
 */
export type Address = { readonly path: Path; readonly inner?: Path; readonly key?: true }
