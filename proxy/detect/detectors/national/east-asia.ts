// Owns numbers of people in Singapore, Malaysia, Thailand, Korea, Japan, China, Hong Kong and Taiwan.
import { digitAt, isDayOfYear, isOneDigit, passesMod11And2, valueAt, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** ICA, "NRIC and FIN": weights 2 7 6 5 4 3 2, an offset by the first letter, a table of letters by its kind. */
const nric = codeDetector({
  entity: 'sg-nric',
  country: 'sg',
  letters: 1,
  pattern: /[STFGM]\d{7}[A-Z]/,
  sureness: 'always',
  words: 'nric|fin\\b|identity card|singapore',
  uncheckedByWord: true,
  valid: (text) => {
    const kind = text.charAt(0)
    const sum = weightedSum(text.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + ({ T: 4, G: 4, M: 3 }[kind] ?? 0)
    if (kind === 'M') return 'XWUTRQPNJLK'.charAt(10 - (sum % 11)) === text.charAt(8)
    return (kind === 'S' || kind === 'T' ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK').charAt(sum % 11) === text.charAt(8)
  },
})

/** ACRA, "Unique Entity Number": of businesses, companies and others, each with weights and letters of its own. */
const uen = codeDetector({
  entity: 'sg-uen',
  country: 'sg',
  letters: 0,
  leading: [8, 9],
  pattern: /\d{8,9}[A-Z]/,
  sureness: 'always',
  valid: (text) =>
    text.length === 9
      ? 'XMKECAWLJDB'.charAt(weightedSum(text, [10, 4, 9, 3, 8, 2, 7, 1]) % 11) === text.charAt(8)
      : /^(?:19|20)/.test(text) &&
        'ZKCMDNERGWH'.charAt(weightedSum(text, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11) === text.charAt(9),
})
const otherUen = codeDetector({
  entity: 'sg-uen',
  country: 'sg',
  letters: 1,
  pattern: /[RST]\d{2}[A-Z]{2}\d{4}[A-Z]/,
  sureness: 'always',
  valid: (text) => {
    const alphabet = 'ABCDEFGHJKLMNPQRSTUVWX0123456789'
    const sum = [4, 3, 5, 3, 10, 2, 2, 5, 7].reduce(
      (all, weight, i) => all + weight * alphabet.indexOf(text.charAt(i)),
      0,
    )
    return alphabet.charAt((((sum - 5) % 11) + 11) % 11) === text.charAt(9)
  },
})

/** JPN, "MyKad": birth date, place, four digits; no check. */
const myKad = numberDetector({
  entity: 'my-nric',
  country: 'my',
  forms: ['6-2-4', '12'],
  sureness: 'grouped',
  words: 'mykad|nric|kad pengenalan|identity card|ic\\b',
  valid: (digits) =>
    isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(4, 6))) && Number(digits.slice(6, 8)) > 0,
})

/** DOPA, "เลขประจำตัวประชาชน": weights 13 to 2, modulus 11; the first digit says how one came to it. */
const thai = numberDetector({
  entity: 'th-national-id',
  country: 'th',
  forms: ['1 4 5 2 1', '1-4-5-2-1', '13'],
  sureness: 'always',
  // The second and third digits are the province's, from 10 to 96.
  valid: (digits) =>
    /^[1-8](?:[1-5]\d|[1-7]0|6[0-7]|7[0-7]|8[0-6]|9[0-6])/.test(digits) &&
    (11 - (weightedSum(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === digitAt(digits, 12),
})

/** 주민등록법 시행규칙: birth date, century and sex; the last digit checks only numbers given before October 2020. */
const rrn = numberDetector({
  entity: 'kr-rrn',
  country: 'kr',
  forms: ['6-7', '6 7', '13'],
  sureness: 'grouped',
  words: 'rrn|주민|resident registration|korean',
  valid: (digits) => isKoreanDate(digits) && /^[1-4]$/.test(digits.charAt(6)),
})

/** 출입국관리법 시행규칙: as residents', with 5 to 8 for foreigners. */
const frn = numberDetector({
  entity: 'kr-frn',
  country: 'kr',
  forms: ['6-7', '6 7', '13'],
  sureness: 'grouped',
  words: 'frn|외국인|alien registration|foreigner',
  valid: (digits) => isKoreanDate(digits) && /^[5-8]$/.test(digits.charAt(6)),
})

/** 국세청, "사업자등록번호": weights 1 3 7 1 3 7 1 3 5, the tens of the last product added. */
const brn = numberDetector({
  entity: 'kr-business',
  country: 'kr',
  forms: ['3-2-5', '10'],
  sureness: 'grouped',
  words: 'brn|사업자|business registration',
  valid: (digits) => {
    const sum = weightedSum(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digitAt(digits, 8) * 5) / 10)
    return (10 - (sum % 10)) % 10 === digitAt(digits, 9)
  },
})

/** 総務省令第八十五号 of 2014, "個人番号": weights 2 to 7, modulus 11. */
const myNumber = numberDetector({
  entity: 'jp-my-number',
  country: 'jp',
  forms: ['4 4 4', '4-4-4', '12'],
  sureness: 'grouped',
  words: 'マイナンバー|個人番号|my number',
  valid: (digits) => {
    const remainder = weightedSum(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return (remainder < 2 ? 0 : 11 - remainder) === digitAt(digits, 11) && !isOneDigit(digits)
  },
})

/** GB 11643-1999: place, birth date, order, ISO 7064 mod 11-2. */
const chinese = codeDetector({
  entity: 'cn-resident-id',
  country: 'cn',
  letters: 0,
  leading: [17, 18],
  pattern: /[1-8]\d{5}(?:18|19|20)\d{9}[\dX]/,
  sureness: 'always',
  valid: (text) => isDayOfYear(Number(text.slice(10, 12)), Number(text.slice(12, 14))) && passesMod11And2(text),
})

/** Immigration Department, HKID: letters count from A = 10, a lone one has a space (36) before it; weights 9 to 2. */
const hkid = codeDetector({
  entity: 'hk-id',
  country: 'hk',
  letters: 2,
  pattern: /[A-Z]{1,2}\d{6}(?:\([\dA]\)|[\dA])/,
  sureness: 'word',
  words: 'hkid|identity card|身份證',
  valid: (text) => {
    const padded = text.length === 8 ? [36, ...valuesOf(text)] : valuesOf(text)
    return padded.reduce((sum, value, i) => sum + value * (9 - i), 0) % 11 === 0
  },
})

/** Ministry of the Interior, "國民身分證": the letter stands for two digits; weights 1 9 8 … 1 1. */
const taiwanese = codeDetector({
  entity: 'tw-national-id',
  country: 'tw',
  letters: 1,
  pattern: /[A-Z][1289]\d{8}/,
  sureness: 'word',
  words: '身分證|national id|id (?:card|no|number)|arc\\b',
  valid: (text) => {
    const letter = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(text.charAt(0)) + 10
    return weightedSum(`${letter}${text.slice(1)}`, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]) % 10 === 0
  },
})

export const eastAsiaIds = [
  ...nric,
  ...uen,
  ...otherUen,
  ...myKad,
  ...thai,
  ...rrn,
  ...frn,
  ...brn,
  ...myNumber,
  ...chinese,
  ...hkid,
  ...taiwanese,
]

function isKoreanDate(digits: string): boolean {
  return isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(4, 6)))
}

function valuesOf(text: string): number[] {
  return text.split('').map((_, i) => valueAt(text, i))
}
