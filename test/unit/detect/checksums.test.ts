import t from 'tap'
import {
  documentCheck,
  isDayOfYear,
  passesLuhn,
  passesMod11And10,
  passesMod11And2,
  passesVerhoeff,
  remainderOf,
  weightedSum,
} from '../../../proxy/detect/checksums.ts'

void t.test('the examples of the standards', async (t) => {
  t.ok(passesLuhn('79927398713'))
  t.ok(passesMod11And10('07945'), 'ISO 7064: 0794 is checked by 5')
  t.ok(passesMod11And2('07940'), 'ISO 7064: 0794 is checked by 0')
  t.ok(passesMod11And2('079X'), 'ISO 7064: 079 is checked by X')
  t.ok(passesVerhoeff('2363'), 'Verhoeff: 236 is checked by 3')
  t.equal(documentCheck('L898902C3'), 6, 'ICAO Doc 9303: the specimen')
  t.equal(remainderOf('3214282912345698765432161182', 97), 1, 'ISO 13616: the example')
  t.equal(weightedSum('123', [3, 2, 1]), 10)
})

void t.test('one digit changed, or two neighbours swapped, fails', async (t) => {
  for (const [check, number] of [
    [passesLuhn, '79927398713'],
    [passesMod11And10, '86095742719'],
    [passesVerhoeff, '234567890124'],
  ] as const) {
    t.ok(check(number), number)
    for (let i = 0; i < number.length; i++) {
      for (let digit = 0; digit < 10; digit++) {
        const changed = number.slice(0, i) + digit + number.slice(i + 1)
        if (changed !== number) t.notOk(check(changed), changed)
      }
    }
  }
  t.notOk(passesVerhoeff('324567890124'))
})

void t.test('days of a year of any century', async (t) => {
  t.ok(isDayOfYear(2, 29))
  for (const [month, day] of [
    [0, 1],
    [13, 1],
    [1, 0],
    [1, 32],
    [2, 30],
    [4, 31],
  ] as const)
    t.notOk(isDayOfYear(month, day), `${month}-${day}`)
})
