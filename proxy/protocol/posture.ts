// Owns the words in which an adapter declares what becomes of each field that can hold text: the README beside this is
// written from the declarations, and the planted-value test plants in every field of them. It knows no format.

/**
 * `enforced`: inspected, and the redaction's action is carried out. `observed`: inspected, noted, and passed on as it is.
 * `opaque`: cannot be read; the value is the label under which the record has it as uninspected. A field that is enforced
 * and opaque is enforced where a text stands in it, and opaque where it is encoded or stands for something kept elsewhere.
 *
 * A field is written as a path from the document: `messages[role=user].content[type=text].text`. `[…]` is an entry of a
 * list, and what it must say to be what is meant; `(…)` is the same of an object; `*` is a member of any name, and a `@`
 * in the end is that name itself; of a bare value the path is `$`. Before a colon stands the event of a stream, and a `+`
 * in the end means that the text grows from event to event.
 */
export type Fields = {
  readonly enforced?: readonly string[]
  readonly observed?: readonly string[]
  readonly opaque?: Readonly<Record<string, string>>
}

export type OperationCoverage = {
  /** Method and target of one request, such that the adapter resolves it to the operation. */
  readonly call: string
  readonly request?: Fields
  readonly answer?: Fields
  readonly stream?: Fields
}

/** The same fields as members of something else. `at` ends with what joins the two. */
export function fieldsAt(at: string, fields: Fields): Fields {
  const placed = (list: readonly string[] = []): string[] => list.map((field) => at + field)
  return {
    enforced: placed(fields.enforced),
    observed: placed(fields.observed),
    opaque: Object.fromEntries(Object.entries(fields.opaque ?? {}).map(([field, label]) => [at + field, label])),
  }
}

/** Fields of an entry of a list, where the same stands by itself. */
export function asObject({ enforced = [], observed = [], opaque = {} }: Fields): Fields {
  return {
    enforced: enforced.map(withoutList),
    observed: observed.map(withoutList),
    opaque: Object.fromEntries(Object.entries(opaque).map(([field, label]) => [withoutList(field), label])),
  }
}

function withoutList(field: string): string {
  return field.replace(/^\[((?:[^[\]]|\[\])*)\]/, '($1)')
}

export function joinFields(...all: readonly Fields[]): Fields {
  return {
    enforced: all.flatMap(({ enforced = [] }) => enforced),
    observed: all.flatMap(({ observed = [] }) => observed),
    opaque: Object.assign({}, ...all.map(({ opaque }) => opaque)) as Record<string, string>,
  }
}
