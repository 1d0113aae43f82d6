// Owns what passwords are called in other languages than English, in prose and in the names of members and variables, with
// accents and without, as Microsoft's localised interfaces call them. What is a value, the detector of named secrets knows.
import { startsPart } from '../../boundary.ts'
import { characterClass, holds, isForeignLetter } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import type { Probe } from '../../probe.ts'
import { noWordNext, spellings, wordEnd } from '../../word-places.ts'
import { findNamed } from './generic.ts'
import { isIndifferent, type SecretKind } from './secret-name.ts'

/** Beginnings, of Latin letters without accents, and what completes them. */
const names: readonly (readonly [beginning: string, rest: string])[] = [
  ['mot de passe', ''],
  ['mots de passe', ''],
  ['contrase', '[nñ]as?'],
  ['clave de acceso', ''],
  ['clave secreta', ''],
  ['kennw', '(?:o|ö|oe)rt(?:er|s)?'],
  ['parola d', "(?:[ _-]?['’]?ordine|[ _-]?i[ _-]?accesso)"],
  ['parola segreta', ''],
  ['senha', 's?'],
  ['palavra passe', ''],
  ['wachtwoord', '(?:en)?'],
  ['haslo', ''],
  ['heslo', ''],
  ['adgangskode', 'n?'],
  ['salasana', ''],
  ['jelsz', '[oó]'],
  ['losenord', ''],
  ['sifre', '(?:si|niz)?'],
  ['parol', 'ă'],
  ['пароль', ''],
  ['κωδικός', ''],
  ['סיסמה', ''],
]
/** Scripts without spaces: such a word begins anywhere, and ends where something is assigned. */
const assigning = characterClass(' \t\r\n"\'`=:>|\\({[')
const unspaced = ['密码', '密碼', 'パスワード', '비밀번호', 'كلمة المرور', 'รหัสผ่าน']
/** `hasło` has fewer letters of ASCII than `has`, a word of English, has. */
const polish = new RegExp(`^ł(?:o|a|em)${noWordNext}`, 'i')
const restCharacters = characterClass("A-Za-z0-9' _-", (code) => isForeignLetter(code) || code === 0x2019)
const restLengthMax = 14
/** `senha é …`, `password è …` */
const is = /^ [éè] ["'`]?/i

export const foreignPasswords: readonly Detector[] = [
  ...names.map(([beginning, rest]) => detectorOf(spellings([beginning]), new RegExp(`^${rest}${wordEnd}`, 'i'))),
  whereAssigned(detectorOf(unspaced, /^/)),
  {
    ...detectorOf(['has'], polish),
    next: characterClass('', (code) => (code | 1) === 0x141 || (code | 2) === 0x142),
  },
]

function detectorOf(triggers: readonly string[], rest: RegExp): Detector {
  const isWhole = rest.test('')
  return {
    entity: 'generic-secret',
    group: 'secrets',
    triggers,
    find(probe, start, end) {
      if (!startsPart(probe, start)) return
      const restEnd = probe.runEnd(end, restCharacters, restLengthMax)
      // As it mostly is.
      if (restEnd === end && !isWhole) return
      const length = restEnd === end ? 0 : rest.exec(probe.text.slice(end, restEnd))?.[0].length
      if (length === undefined) return
      const nameEnd = end + length
      findNamed(probe, start, nameEnd, kindOf, afterVerb(probe, nameEnd))
    },
  }
}

/** Where neither a letter nor a space ends a word, only that shows that it is one. */
function whereAssigned(detector: Detector): Detector {
  return {
    ...detector,
    find(probe, start, end) {
      if (holds(assigning, probe.code(end))) detector.find(probe, start, end)
    },
  }
}

/** Where the value begins. */
function afterVerb(probe: Probe, nameEnd: number): number | undefined {
  const end = probe.runEnd(nameEnd, verbCharacters, 4)
  if (probe.units[nameEnd] !== 32) return undefined
  const verb = is.exec(probe.text.slice(nameEnd, end))
  return verb === null ? undefined : nameEnd + verb[0].length
}

const verbCharacters = characterClass(' "\'`', (code) => 'éèÉÈ'.includes(String.fromCharCode(code)))

function kindOf(_before: string, _name: string, after: string): SecretKind | undefined {
  return isIndifferent(after) ? 'password' : undefined
}
