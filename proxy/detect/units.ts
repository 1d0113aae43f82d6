// Owns the units of the text that is gone over, in an array: they are read from it in half the time that those of a string
// are. It does not know what reads them.

/** How long the parts are at most in which a text is gone over. */
export const partBits = 13
const partLength = 1 << partBits
/** So many zeros stand after the text, so that whoever looks a little further needs no bounds. */
const zerosAfter = 64
const partBytes = Buffer.alloc(2 * (partLength + zerosAfter))
/** Those of the part that is gone over. An array that never changes is read quicker than one that may. */
export const part = new Uint16Array(partBytes.buffer, partBytes.byteOffset, partLength + zerosAfter)

/** More than this is not kept for the next text. */
const roomKept = 1 << 19
/** Fewer units are quicker taken one by one. */
const writtenMin = 32

let bytes = partBytes
let units = part
/** Whose units stand in `part`: a piece of a stream is asked about twice. */
let inPart = ''

/** Valid until it is called again: texts are gone over one after the other. */
export function unitsOf(text: string): Uint16Array {
  const { length } = text
  if (text === inPart) return part
  inPart = length <= partLength ? text : ''
  const of = length <= partLength ? part : longEnough(length)
  if (length < writtenMin) for (let i = 0; i < length; i++) of[i] = text.charCodeAt(i)
  else (of === part ? partBytes : bytes).write(text, 'utf16le')
  for (let i = length; i < length + zerosAfter; i++) of[i] = 0
  return of
}

/** Puts those of a part into `part`, and returns where there it begins. */
export function takePart(of: Uint16Array, from: number, to: number): number {
  if (of === part) return from
  inPart = ''
  part.set(of.subarray(from, to))
  return 0
}

function longEnough(length: number): Uint16Array {
  const least = length + zerosAfter
  if (least <= units.length && (least > roomKept || units.length <= roomKept)) return units
  let room = 4 * partLength
  while (room < least) room *= 2
  bytes = Buffer.alloc(2 * room)
  units = new Uint16Array(bytes.buffer, bytes.byteOffset, room)
  return units
}
