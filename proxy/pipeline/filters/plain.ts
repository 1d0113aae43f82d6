// Owns the reading of JSON that belongs to no format of its own: an upstream's error answer, the arguments of a tool
// call. Every text in it counts. `text` is the source that the value was parsed from.
import type { Json } from '../../lib/json.ts'
import { httpProtocol } from '../../protocol/http.ts'
import type { Reading } from '../../protocol/protocol.ts'

const plain = httpProtocol.resolve('GET', '/')

export function readPlain(value: Json, text: string): Reading {
  return plain?.readAnswer(value, text) ?? { ok: false, message: 'no adapter' }
}
