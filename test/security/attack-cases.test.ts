// Each of the published attack cases is shown by a test that exists, is left to a named issue, or is argued about in
// proxy/README.md.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { attackCases } from './attack-table.ts'
import { skip, vectorLines } from './vectors.ts'

const root = new URL('../../', import.meta.url)

t.test('what the table names is there', async (t) => {
  const decisions = readFileSync(new URL('proxy/README.md', root), 'utf8').split('## Decisions')[1] ?? ''
  for (const [id, shown] of Object.entries(attackCases)) {
    if ('later' in shown) t.ok(shown.later > 2 && shown.what !== '', id)
    else if ('decided' in shown) t.match(decisions, new RegExp(`\\b${id}\\b`), `${id} is argued about`)
    else {
      const text = readFileSync(new URL(`test/${shown.file}`, root), 'utf8')
      t.ok(text.includes(shown.title), `${id}: ${shown.file} has "${shown.title}"`)
      // Files of this kind are written from the cases, so that who reads one finds the other.
      if (/^security\/(?:smuggling|heads|paths|bodies|operators)/.test(shown.file))
        t.match(text, new RegExp(`\\b${id}\\b|P01 to P05|B04 to B09`), `${id} is named in ${shown.file}`)
    }
  }
})

t.test('every published case is in the table, and no other', { skip }, async (t) => {
  const published = vectorLines<{ id: string }>('risk/attack-cases.jsonl').map(({ id }) => id)
  t.equal(published.length, 103)
  t.strictSame(Object.keys(attackCases).sort(), published.sort())
})
