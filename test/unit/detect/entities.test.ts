import t from 'tap'
import {
  entitiesOf,
  entityGroups,
  entityHint,
  groupNames,
  isKnownName,
  packNames,
} from '../../../proxy/detect/entities.ts'
import { scanText } from '../../../proxy/detect/scan-text.ts'

void t.test('numbers of states are in the packs of their countries alone', async (t) => {
  const pii = entitiesOf(['pii'])
  t.same([...entitiesOf(['pii:nl'])], ['nl-bsn'])
  t.notOk(pii.has('nl-bsn'))
  t.equal(entityGroups.get('nl-bsn'), 'pii:nl')
  for (const pack of packNames) {
    t.match(pack, /^pii:[a-z]{2}$/)
    t.ok(entitiesOf([pack]).size > 0, pack)
    t.notOk(groupNames.includes(pack))
  }
})

void t.test('numbers of the United States that are in pii are in its pack, too', async (t) => {
  t.ok(entitiesOf(['pii:us']).isSupersetOf(new Set(['us-ssn', 'us-itin', 'us-npi'])))
  t.ok(entitiesOf(['pii']).isSupersetOf(new Set(['us-ssn', 'us-itin'])))
  t.notOk(entitiesOf(['pii']).has('us-npi'))
})

void t.test('the United Kingdom has two names', async (t) => {
  t.same(entitiesOf(['pii:gb']), entitiesOf(['pii:uk']))
  t.ok(isKnownName('pii:gb'))
})

void t.test('unknown names are nothing, and have a hint', async (t) => {
  for (const name of ['pii:xx', 'pii:', 'nl', 'pi']) {
    t.equal(entitiesOf([name]).size, 0, name)
    t.notOk(isKnownName(name), name)
  }
  t.match(entityHint('pii:ukk'), /pii:uk/)
  t.match(entityHint('de-taxid'), /de-tax-id/)
})

void t.test('findings of packs are of the group pii', async (t) => {
  t.match(scanText('BSN 111222333', ['pii:nl']), [{ entity: 'nl-bsn', group: 'pii' }])
})
