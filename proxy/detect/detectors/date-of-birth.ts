// Owns dates of birth: a date after a word that says so. Any other date says nothing of a person.
import { isDigit } from '../characters.ts'
import { isDayOfYear } from '../checksums.ts'
import { labelledDetector } from '../labelled.ts'
import { letters, noWordBefore, wordEndOrDigit } from '../word-places.ts'

const year = '(?:19|20)\\d\\d'
const day = '\\d{1,2}(?:st|nd|rd|th|\\.|º|er)?'
const month = `(?-i:[${letters}]{3,12})\\.?`
const forms = [
  `${year}[-./]\\d{1,2}[-./]\\d{1,2}`,
  `\\d{1,2}[-./]\\d{1,2}[-./](?:${year}|\\d\\d)`,
  `${day}[ -]?(?:of |de )?${month}(?:,| de)?[ -]?(?:${year}|\\d\\d)`,
  `${month} ${day},? ${year}`,
  `${year} ?[年년] ?\\d{1,2} ?[月월] ?\\d{1,2} ?[日일]`,
]

/** Two words may stand before the date, as in `born in London on …`. */
const filling = `[^\\d\\n;!?]{0,36}?${noWordBefore}`
const birthday = { entity: 'date-of-birth', filling, value: forms.join('|'), valid: isDate }

/** Whole words: Dobson is a name. Literals are found with accents, too: `född`, `født`. */
const words = labelledDetector({ ...birthday, labels: ['dob', 'born', 'fodd', 'fodt'], rest: wordEndOrDigit })

/** `né le …`, `nata a Roma il …`: the article before the date, because the word alone is another one elsewhere. */
const withArticle = [
  labelledDetector({ ...birthday, labels: ['ne le', 'nee le'], filling: '(?: ?:)?\\s{1,2}' }),
  labelledDetector({ ...birthday, labels: ['nato', 'nata'], filling: `(?: a [^\\d\\n;!?]{2,30}?)? il ` }),
]

const beginnings = labelledDetector({
  ...birthday,
  labels: [
    'd.o.b',
    'birth',
    'date of birth',
    'geboren',
    'geburts',
    'geb.',
    'naissance',
    'fecha de nac',
    'nacimiento',
    'nacid',
    'nascit',
    'nascid',
    'nascimento',
    'urodz',
    'ur.',
    'geboorte',
    'syntym',
    'narozen',
    'fodelse',
    'fodsels',
    'dogum tarihi',
    'szulet',
    'nascut',
    'nasterii',
    'дата рождения',
    'дата народження',
    'ημερομηνία γέννησης',
    'תאריך לידה',
  ],
})

/** In scripts without spaces the date may follow at once. */
const unspaced = labelledDetector({
  ...birthday,
  filling: '[^\\d\\n;!?]{0,8}?',
  labels: ['出生日期', '出生年月日', '生年月日', '생년월일', 'تاريخ الميلاد', 'วันเกิด'],
})

export const datesOfBirth = [words, beginnings, ...withArticle, unspaced]

function isDate(text: string): boolean {
  let count = 0
  for (let at = 0; at < text.length && count < numbers.length; at++) {
    if (!isDigit(text.charCodeAt(at))) continue
    let number = 0
    for (; isDigit(text.charCodeAt(at)); at++) number = 10 * number + text.charCodeAt(at) - 48
    numbers[count++] = number
  }
  const first = count > 0 ? (numbers[0] as number) : 0
  const second = count > 1 ? (numbers[1] as number) : 0
  if (count < 3) return first <= 31 || second <= 31
  const third = numbers[2] as number
  if (first > 31) return isDayOfYear(second, third)
  return isDayOfYear(second, first) || isDayOfYear(first, second)
}

/** Those of a date, as they follow each other. */
const numbers = new Int32Array(3)
