import t from 'tap'
import { passesLuhn } from '../../../proxy/detect/checksums.ts'
import { numberToken } from '../../../proxy/detect/vault-number.ts'

/** Tokens of ever other digits, the highest and the lowest among them. */
function* draws(length: number): Generator<string> {
  yield '9'.repeat(length)
  yield '0'.repeat(length)
  // The draw that made 9870826440808912 of a card, which a double does not hold.
  yield '98708264408089129'.repeat(2).slice(0, length)
  let seed = 1
  for (let n = 0; n < 300; n++) {
    let digits = ''
    while (digits.length < length) digits += String((seed = (seed * 48_271) % 2_147_483_647))
    yield digits.slice(-length)
  }
}

void t.test('a token is the same digits after it was read as a JSON number', async (t) => {
  for (let length = 9; length <= 19; length++) {
    const value = '1'.repeat(length)
    const tokens = new Set<string>()
    for (const drawn of draws(length)) {
      const token = numberToken('payment-card', value, () => drawn)
      tokens.add(token)
      if (token.length !== length || passesLuhn(token)) t.fail(`${token} of ${drawn}`)
      if (JSON.stringify(JSON.parse(token)) !== token) t.fail(`${token} is read as ${String(Number(token))}`)
      if (length <= 16 && Number(token) > Number.MAX_SAFE_INTEGER) t.fail(`${token} is above 2^53 - 1`)
    }
    t.ok(tokens.size > 290, `${tokens.size} tokens of ${length} digits`)
  }
})

void t.test('a token for a social security number is in the area that nobody has', async (t) => {
  for (const drawn of draws(9))
    t.match(
      numberToken('us-ssn', '078-05-1120', () => drawn),
      /^666[0-9]{6}$/,
    )
})
