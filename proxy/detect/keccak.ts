// Owns Keccak-256 of a short text, as Ethereum has it (FIPS 202 with the padding of the submission to NIST), for where the
// OpenSSL of Node does not give it out: before Node 26, and in FIPS mode. It is slower than that one.

/** Lanes of 64 bits, by halves. */
const low = new Int32Array(25)
const high = new Int32Array(25)
const columnLow = new Int32Array(5)
const columnHigh = new Int32Array(5)
const rateBytes = 136

/** Rho and pi: by step the rotation, and the lane that it goes to. */
const rotations = Uint8Array.of(
  1,
  3,
  6,
  10,
  15,
  21,
  28,
  36,
  45,
  55,
  2,
  14,
  27,
  41,
  56,
  8,
  25,
  43,
  62,
  18,
  39,
  61,
  20,
  44,
)
const lanes = Uint8Array.of(10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1)
/** The columns go round; to ask for the next in a table is quicker than to divide. */
const next = Uint8Array.of(1, 2, 3, 4, 0)

/** The 32 bytes for a text of ASCII that is shorter than a block, 136 bytes. */
export function keccak256Of(text: string): Uint8Array {
  if (text.length >= rateBytes) throw new RangeError('only texts of one block are hashed')
  const block = new Uint8Array(rateBytes)
  for (let i = 0; i < text.length; i++) block[i] = text.charCodeAt(i)
  block[text.length] = 0x01
  block[rateBytes - 1] = (block[rateBytes - 1] as number) | 0x80
  const words = new DataView(block.buffer)
  low.fill(0)
  high.fill(0)
  for (let lane = 0; lane < rateBytes / 8; lane++) {
    low[lane] = words.getInt32(8 * lane, true)
    high[lane] = words.getInt32(8 * lane + 4, true)
  }
  let register = 1
  for (let round = 0; round < 24; round++) {
    theta()
    rhoAndPi()
    chi()
    register = iota(register)
  }
  for (let lane = 0; lane < 4; lane++) {
    words.setInt32(8 * lane, low[lane] as number, true)
    words.setInt32(8 * lane + 4, high[lane] as number, true)
  }
  return block.subarray(0, 32)
}

function theta(): void {
  for (let x = 0; x < 5; x++) {
    columnLow[x] = parity(low, x)
    columnHigh[x] = parity(high, x)
  }
  let before = 4
  for (let x = 0; x < 5; x++) {
    const after = next[x] as number
    const afterLow = columnLow[after] as number
    const afterHigh = columnHigh[after] as number
    const mixLow = (columnLow[before] as number) ^ ((afterLow << 1) | (afterHigh >>> 31))
    const mixHigh = (columnHigh[before] as number) ^ ((afterHigh << 1) | (afterLow >>> 31))
    for (let lane = x; lane < 25; lane += 5) {
      low[lane] = (low[lane] as number) ^ mixLow
      high[lane] = (high[lane] as number) ^ mixHigh
    }
    before = x
  }
}

function parity(half: Int32Array, x: number): number {
  const upper = (half[x] as number) ^ (half[x + 5] as number) ^ (half[x + 10] as number)
  return upper ^ (half[x + 15] as number) ^ (half[x + 20] as number)
}

function rhoAndPi(): void {
  let movedLow = low[1] as number
  let movedHigh = high[1] as number
  for (let step = 0; step < 24; step++) {
    const to = lanes[step] as number
    const rotation = rotations[step] as number
    const by = rotation & 31
    // Beyond 32 the halves change places. None is a multiple of 32.
    const first = rotation < 32 ? movedLow : movedHigh
    const second = rotation < 32 ? movedHigh : movedLow
    movedLow = low[to] as number
    movedHigh = high[to] as number
    low[to] = (first << by) | (second >>> (32 - by))
    high[to] = (second << by) | (first >>> (32 - by))
  }
}

function chi(): void {
  for (let row = 0; row < 25; row += 5) {
    chiRow(low, row)
    chiRow(high, row)
  }
}

function chiRow(half: Int32Array, row: number): void {
  const a = half[row] as number
  const b = half[row + 1] as number
  const c = half[row + 2] as number
  const d = half[row + 3] as number
  const e = half[row + 4] as number
  half[row] = a ^ (~b & c)
  half[row + 1] = b ^ (~c & d)
  half[row + 2] = c ^ (~d & e)
  half[row + 3] = d ^ (~e & a)
  half[row + 4] = e ^ (~a & b)
}

/** The round's constant comes from a shift register (FIPS 202 §3.2.5), which is given back. */
function iota(register: number): number {
  let state = register
  for (let bit = 0; bit < 7; bit++) {
    state = ((state << 1) ^ ((state >> 7) * 0x71)) & 0xff
    if ((state & 2) === 0) continue
    const at = (1 << bit) - 1
    if (at < 32) low[0] = (low[0] as number) ^ (1 << at)
    else high[0] = (high[0] as number) ^ (1 << (at - 32))
  }
  return state
}
