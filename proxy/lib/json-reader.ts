// Owns the reading of JSON whose keys have escapes. JSON.parse of V8 12.8 and later takes such a key for another one that
// it has seen in that place, where the two are written alike up to a backslash (nodejs/node issue 63785): `"forc\u0065"` is
// read as `forc\`, once an object had that. It takes text that JSON.parse accepts, and does not check it again.
import { decodeString, eachMember, isContainer, skipSpace, valueEnd } from './json-source.ts'

export function readJson(text: string): unknown {
  let whole: unknown
  readValue(text, skipSpace(text, 0), (value) => (whole = value))
  return whole
}

/** Gives the value that begins at `start`; returns the index after it. */
function readValue(text: string, start: number, give: (value: unknown) => void): number {
  if (isContainer(text, start)) return readMembers(text, start, give)
  const end = valueEnd(text, start)
  const source = text.slice(start, end)
  give(source.startsWith('"') ? decodeString(source) : JSON.parse(source))
  return end
}

function readMembers(text: string, start: number, give: (value: unknown) => void): number {
  const items: unknown[] = []
  const object: Record<string, unknown> = {}
  const end = eachMember(text, start, (step, _keyStart, valueStart) =>
    readValue(text, valueStart, (value) => {
      if (typeof step === 'number') items.push(value)
      // An own member, as every other.
      else if (step === '__proto__')
        Object.defineProperty(object, step, { value, writable: true, enumerable: true, configurable: true })
      else object[step] = value
    }),
  )
  give(text.charCodeAt(start) === 0x5b ? items : object)
  return end
}
