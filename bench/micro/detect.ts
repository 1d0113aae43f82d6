// Owns the cases of finding and replacing sensitive values: short and long texts, whole and in pieces.
import type { Plan } from '../../proxy/detect/redaction.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import type { CompiledConfig } from '../../proxy/config/compile.ts'
import type { Case } from './timing.ts'

const sentence = 'The second copy of each invoice may be deleted; the fix is out on Monday, 12 May, at 10:30. '
const prose = (length: number): string => sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length)
const value = 'Write to ada.lovelace@example.org or call +44 20 7946 0958. '

/** Codes and numbers instead of prose: what wakes detectors most often. */
const dense = Array.from({ length: 4_000 }, (_, n) => `${n * 7919},SKU-${n}-A${n % 97},${(n * 31) % 9973}.50\n`).join(
  '',
)

export function detectCases({ redaction }: CompiledConfig): Case[] {
  const plan = planOf(redaction, 'request')
  const scan = (name: string, text: string): Case => ({
    name: `scan, ${name} (${Math.round(text.length / 1000)} kB)`,
    run: () => plan.scanner.scan(text),
  })
  const back = planOf(redaction, 'response')
  const pieces = Array.from({ length: 200 }, (_, n) => ` ${sentence.split(' ')[n % 17] ?? ''}`)
  return [
    scan('prose', prose(1_000)),
    scan('prose with an address and a number', value + prose(940)),
    scan('prose', prose(200_000)),
    scan('table', dense.slice(0, 100_000)),
    {
      name: 'window push, one of 200 words',
      operations: pieces.length,
      run: () => {
        const window = openWindow({ plan: back })
        let length = 0
        for (const piece of pieces) length += window.push(piece).length
        return length + window.end().length
      },
    },
  ]
}

function planOf(redaction: CompiledConfig['redaction'], direction: Plan['direction']): Plan {
  const plan = redaction.plan(direction, 'openai', 'openai')
  if (plan === undefined) throw new Error(`no redaction of the ${direction}`)
  return plan
}
