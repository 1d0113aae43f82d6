// Owns the words before a number that make it a telephone's, in the languages of Europe and in the commonest scripts of
// others. It does not look at the number.
import { holds, isDigit, isForeignLetter, isLetter, wordCharacters } from '../characters.ts'
import { contextWords } from '../context-words.ts'
import type { Probe } from '../probe.ts'
import { letters, noWordBefore, noWordNext, wordEnd, wordStart } from '../word-places.ts'

const contextLength = 48

const words = [
  'phone|t[eé]l[eé]phone|telefon\\w*|tel[eé]fono|telefoon|t[eé]l|mobile?|mobiel|m[oó]vil|cell(?:ular|phone)?|cellulare|celular',
  'fax|whatsapp|sms|gsm|handy|ph|telem[oó]vel|tlf|tfno?|puh(?:elin)?|matkapuhelin',
  'desk|office|home|work|hotline|helpline|dial|call(?:ing|ed|back)?|text(?:ed)?(?: me)?|reach(?: me| us)?|ring',
  'contact(?: number)?|answering|kom[oó]rk\\w*|zadzwo\\w*|dzwo[nń]\\w*',
].join('|')
/** `my Israeli number is`, `my US number is`; but not `my order number is`. */
const whose =
  'my (?:(?!id |po |pr )[a-z]{2}|[a-z]+(?:eli|ani|ese|ish|ian|ch|man|can)|new|old|personal|private|direct|local|international) number(?: is)?'
/** Where an identifier has such a word and nothing that makes it another thing's: `homePhoneNumber`, `phone2`, `telNo`. */
const named = [
  '(?:tele|mobile?|cell|home|work|office)?phones?|telefon[oe]?|t[eé]l[eé]phone|tel[eé]fono|telefoon|tel|mobile?|m[oó]vil',
  'cell(?:ular)?|fax|whatsapp|sms|handy|msisdn|landline|(?:telefoo?n|mobiel|mobil|handy|ruf)(?:nummer|nr)',
  '(?:call[ _-]?back|contact|direct)(?=[ _-]?n)',
].join('|')
const namedMore =
  'numbers?|num|no|nr|nummer|n[uú]mero|numer|value|home|work|office|mobile|cell|main|direct|private|personal|business|primary|secondary|day|evening|alt|other|emergency|line|e164|raw'
const nameBefore = new RegExp(
  `${wordStart}(?:${named})(?:[ _.-]?(?:${namedMore})${wordEnd}){0,2}(?:[ _-]?\\d)?${noWordNext}(?-i:[^${letters}\\d]{0,8})$`,
  'i',
)
/** Words that mean something else where another word follows. */
const adjacentWords = `(?:portable|fixe|cep)[^${letters}\\d]{1,4}`
/** In alphabets words have ends; between those of Chinese, Japanese and Korean there is nothing. */
const otherWords =
  'тел(?:ефон[а-яёі]{0,3})?|моб(?:ильн[а-я]{2}|[іи]льн[а-я]{2,3})?|факс|τηλ(?:[εέ]φωνο)?|κιν(?:ητ[οό])?|טלפון|נייד'
const unspacedWords =
  '電話|电话|手机|手機|携帯|联系方式|連絡先|전화|휴대폰|휴대전화|연락처|هاتف|جوال|موبايل|फ़ोन|फोन|मोबाइल|โทร'
const wordBefore = new RegExp(
  `(?:${noWordBefore}(?:(?:${words}|${otherWords}|${whose})${noWordNext}\\D{0,24}|${adjacentWords})|(?:${unspacedWords})\\D{0,12})$`,
  'i',
)
const plainWordBefore = new RegExp(
  `${noWordBefore}(?:(?:tele|mobile |cell)?phone(?: number| no)?|telefon\\w*|tel[eé]fono|tel|mobile?|fax|whatsapp|sms|(?:call|reach|ring) (?:me|us|him|her|them)(?: back)?(?: at| on)?)["']?\\W{1,4}(?:is )?["'(]?$`,
  'i',
)
/** What the words before a number begin with, or have in them; an accent makes no difference. */
export const phoneWords = contextWords(
  'ph|tel|mob|vil|cell|fax|sms|gsm|handy|desk|office|home|work|hotline|helpline|dial|call|text|reach|ring|contact|answering|kom|dzwo|my |whatsapp|rufn|landline|msisdn|celular|portable|fixe|tlf|tfn|puh|cep|тел|моб|факс|τηλ|κιν|טלפון|נייד|電話|电话|手机|手機|携帯|联系方式|連絡先|전화|휴대|연락처|هاتف|جوال|موبايل|फ़ोन|फोन|मोबाइल|โทร',
)

/** The number that was asked about last: detectors ask more than once. */
const asked = { text: 0, start: 0, isAfterWord: false }

/** The word and the number have no other number between, so in tables of numbers there is nothing to match. */
export function hasPhoneWordBefore(probe: Probe, start: number): boolean {
  if (asked.text === probe.textNumber && asked.start === start) return asked.isAfterWord
  asked.text = probe.textNumber
  asked.start = start
  asked.isAfterWord = isAfterWord(probe, start)
  return asked.isAfterWord
}

function isAfterWord(probe: Probe, start: number): boolean {
  if (!mayFollowPhoneWord(probe, start)) return false
  const limit = Math.max(0, start - contextLength)
  let from = start
  let letters = 0
  for (; from > limit && (!isDigit(probe.text.charCodeAt(from - 1)) || endsName(probe.text, from)); from--) {
    const code = probe.text.charCodeAt(from - 1)
    if (isLetter(code) || isForeignLetter(code)) letters++
  }
  if (letters < 2) return false
  const before = probe.text.slice(from, start)
  return wordBefore.test(before) || nameBefore.test(before)
}

/** False: there is no such word; nothing has to be read for that. */
export function mayFollowPhoneWord(probe: Probe, start: number): boolean {
  return probe.hasHeard(phoneWords, start, contextLength)
}

/** One that stands for nothing else, for numbers of few digits. */
export function hasPlainPhoneWordBefore(probe: Probe, start: number): boolean {
  if (!probe.hasHeard(phoneWords, start, contextLength)) return false
  return plainWordBefore.test(probe.text.slice(Math.max(0, start - contextLength), start))
}

/** `phone2`, `phone_2` */
function endsName(text: string, end: number): boolean {
  const previous = text.charCodeAt(end - 2)
  return (isLetter(previous) || previous === 95) && !holds(wordCharacters, text.charCodeAt(end))
}
