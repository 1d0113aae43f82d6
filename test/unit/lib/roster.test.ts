import * as fc from 'fast-check'
import t from 'tap'
import { nowhere, Roster, type Enrolled } from '../../../proxy/lib/roster.ts'

t.test('whoever comes and goes, it holds what a set would', async (t) => {
  const step = fc.record({ who: fc.nat({ max: 9 }), comes: fc.boolean() })
  const agrees = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const people = Array.from({ length: 10 }, (): Enrolled => ({ slot: nowhere }))
    const roster = new Roster<Enrolled>()
    const set = new Set<Enrolled>()
    for (const { who, comes } of steps) {
      const person = people[who] as Enrolled
      if (!comes) {
        roster.remove(person)
        set.delete(person)
      } else if (!roster.has(person)) {
        roster.add(person)
        set.add(person)
      }
    }
    return (
      roster.size === set.size &&
      people.every((person) => roster.has(person) === set.has(person)) &&
      roster.all().length === set.size &&
      roster.all().every((person) => set.has(person))
    )
  })
  t.doesNotThrow(() => fc.assert(agrees))
})

t.test('whoever is told something may leave, and so may others', async (t) => {
  const roster = new Roster<Enrolled>()
  const people = Array.from({ length: 4 }, (): Enrolled => ({ slot: nowhere }))
  for (const person of people) roster.add(person)
  for (const person of roster.all()) roster.remove(person)
  t.equal(roster.size, 0)
  const other = new Roster<Enrolled>()
  const [person] = people as [Enrolled]
  roster.add(person)
  other.remove(person)
  t.ok(roster.has(person), 'it is no business of another roster')
  roster.clear()
  t.notOk(roster.has(person))
})
