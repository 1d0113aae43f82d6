// Owns Keccak-256 as Ethereum uses it: with the padding of the submission to NIST, which no library of Node has.
// Source: "The Keccak reference", version 3.0, sections 1.2 and 2.3.

const rounds = 24
/** Bytes that are taken in at once for 256 bits out. */
const rate = 136

/** The digest of ASCII text shorter than `rate`, in lower case hexadecimal. */
export function keccak256(text: string): string {
  if (text.length >= rate) throw new RangeError('one block only')
  const bytes = new Uint8Array(200)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  bytes[text.length] = 1
  bytes[rate - 1] = 0x80 | (bytes[rate - 1] ?? 0)
  permute(new Uint32Array(bytes.buffer))
  return Buffer.from(bytes.buffer, 0, 32).toString('hex')
}

const [roundLow, roundHigh] = roundConstants()
/** Where each lane goes, and how far it is turned, in the order of the walk over the lanes (section 2.3.3). */
const [walkTo, walkTurn] = laneWalk()
const parity = new Uint32Array(10)
const row = new Uint32Array(10)

/** `state` holds 25 lanes of 64 bits, low word first. */
function permute(state: Uint32Array): void {
  for (let round = 0; round < rounds; round++) {
    theta(state)
    rhoAndPi(state)
    chi(state)
    state[0] = at(state, 0) ^ at(roundLow, round)
    state[1] = at(state, 1) ^ at(roundHigh, round)
  }
}

function theta(state: Uint32Array): void {
  for (let i = 0; i < 10; i++)
    parity[i] = at(state, i) ^ at(state, i + 10) ^ at(state, i + 20) ^ at(state, i + 30) ^ at(state, i + 40)
  for (let x = 0; x < 10; x += 2) {
    const left = (x + 8) % 10
    const right = (x + 2) % 10
    const low = at(parity, left) ^ ((at(parity, right) << 1) | (at(parity, right + 1) >>> 31))
    const high = at(parity, left + 1) ^ ((at(parity, right + 1) << 1) | (at(parity, right) >>> 31))
    for (let y = 0; y < 50; y += 10) {
      state[x + y] = at(state, x + y) ^ low
      state[x + y + 1] = at(state, x + y + 1) ^ high
    }
  }
}

function rhoAndPi(state: Uint32Array): void {
  let low = at(state, 2)
  let high = at(state, 3)
  for (let t = 0; t < 24; t++) {
    const to = at(walkTo, t)
    const turn = at(walkTurn, t)
    const nextLow = at(state, to)
    const nextHigh = at(state, to + 1)
    const a = turn >= 32 ? high : low
    const b = turn >= 32 ? low : high
    const bits = turn & 31
    // No turn is of 0 or 32, so neither word is shifted out as a whole.
    state[to] = (a << bits) | (b >>> (32 - bits))
    state[to + 1] = (b << bits) | (a >>> (32 - bits))
    low = nextLow
    high = nextHigh
  }
}

function chi(state: Uint32Array): void {
  for (let y = 0; y < 50; y += 10) {
    for (let x = 0; x < 10; x++) row[x] = at(state, y + x)
    for (let x = 0; x < 10; x++) state[y + x] = at(row, x) ^ (~at(row, (x + 2) % 10) & at(row, (x + 4) % 10))
  }
}

/** The bits of a linear feedback shift register, at the places 2^j − 1 (section 1.2). */
function roundConstants(): [Uint32Array, Uint32Array] {
  const low = new Uint32Array(rounds)
  const high = new Uint32Array(rounds)
  let register = 1
  for (let round = 0; round < rounds; round++) {
    for (let j = 0; j < 7; j++) {
      const place = 2 ** j - 1
      if (register & 1) {
        if (place < 32) low[round] = at(low, round) | (1 << place)
        else high[round] = at(high, round) | (1 << (place - 32))
      }
      register <<= 1
      if (register & 0x100) register ^= 0x171
    }
  }
  return [low, high]
}

function laneWalk(): [Uint32Array, Uint32Array] {
  const to = new Uint32Array(24)
  const turn = new Uint32Array(24)
  let x = 1
  let y = 0
  for (let t = 0; t < 24; t++) {
    const next = (2 * x + 3 * y) % 5
    x = y
    y = next
    to[t] = 2 * (x + 5 * y)
    turn[t] = (((t + 1) * (t + 2)) / 2) % 64
  }
  return [to, turn]
}

function at(words: Uint32Array, index: number): number {
  return words[index] as number
}
