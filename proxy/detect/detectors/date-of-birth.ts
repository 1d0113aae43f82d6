// Owns dates of birth: a date after a word that says so. Any other date says nothing of a person.
import { isDayOfYear } from '../checksums.ts'
import { labelledDetector } from '../labelled.ts'

const year = '(?:19|20)\\d\\d'
const day = '\\d{1,2}(?:st|nd|rd|th|\\.|º|er)?'
const month = '\\p{L}{3,12}\\.?'
const forms = [
  `${year}[-./]\\d{1,2}[-./]\\d{1,2}`,
  `\\d{1,2}[-./]\\d{1,2}[-./](?:${year}|\\d\\d)`,
  `${day}[ -]?(?:of |de )?${month}(?:,| de)?[ -]?(?:${year}|\\d\\d)`,
  `${month} ${day},? ${year}`,
]

export const dateOfBirth = labelledDetector({
  entity: 'date-of-birth',
  labels: [
    'dob',
    'd.o.b',
    'birth',
    'date_of_birth',
    'dateofbirth',
    'born',
    'geboren',
    'geburts',
    'geb.',
    'naissance',
    'fecha de nac',
    'nacid',
    'nascit',
    'nascid',
    'nascimento',
    'urodz',
    'ur.',
    'geboorte',
    'syntym',
    'rozen',
  ],
  // Two words may stand before the date, as in `born in London on …`.
  filling: '[^\\d\\n;!?]{0,36}?(?<![\\d\\p{L}])',
  value: forms.join('|'),
  valid: isDate,
})

function isDate(text: string): boolean {
  const numbers = text.match(/\d+/g)?.map(Number) ?? []
  const [first = 0, second = 0, third] = numbers
  if (third === undefined) return first <= 31 || second <= 31
  if (first > 31) return isDayOfYear(second, third)
  return isDayOfYear(second, first) || isDayOfYear(first, second)
}
