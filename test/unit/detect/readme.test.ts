// The README's table of entities is the table of detectors.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { entitiesOf, entityGroups, packNames } from '../../../proxy/detect/entities.ts'

void t.test('the README names every pack with its entities, and no others', async (t) => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| (`pii.*?) \| (.*) \|$/gm)].map(([, groups = '', entities = '']) => ({
    groups: namesIn(groups).filter((name) => name !== 'pii:gb'),
    entities: namesIn(entities),
  }))
  for (const { groups, entities } of rows) {
    if (groups.includes('pii')) continue
    t.same(entities.toSorted(), [...entitiesOf(groups)].sort(), groups.join(' '))
  }
  t.same(rows.flatMap(({ groups }) => groups.filter((name) => name !== 'pii')).sort(), packNames)
  const inPii = rows.filter(({ groups }) => groups.includes('pii')).flatMap(({ entities }) => entities)
  t.same(inPii.sort(), [...entitiesOf(['pii'])].sort())
  t.ok([...entityGroups.keys()].length > 100)
})

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}
