// Owns what passwords are called in other languages than English, in prose and in the names of members and variables, with
// accents and without, as Microsoft's localised interfaces call them. What is a value, the detector of named secrets knows.
import { startsPart } from '../../boundary.ts'
import { characterClass, isForeignLetter } from '../../characters.ts'
import type { Detector } from '../../detector.ts'
import type { Probe } from '../../probe.ts'
import { noWordNext, spellings, wordEnd } from '../../word-places.ts'
import { findNamed } from './generic.ts'
import { isIndifferent, type SecretKind } from './secret-name.ts'

/** ASCII beginnings, and what completes them. */
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
]
const rests = new Map(
  names.flatMap(([beginning, rest]) => {
    const pattern = new RegExp(`^${rest}${wordEnd}`, 'i')
    return spellings([beginning]).map((spelling) => [spelling, pattern] as const)
  }),
)
/** `hasło` has fewer letters of ASCII than `has`, a word of English, has. */
const polish = new RegExp(`^ł(?:o|a|em)${noWordNext}`, 'i')
const restCharacters = characterClass("A-Za-z0-9' _-", (code) => isForeignLetter(code) || code === 0x2019)
const restLengthMax = 14
/** `senha é …`, `password è …` */
const is = /^ [éè] ["'`]?/i

export const foreignPasswords: readonly Detector[] = [
  { entity: 'generic-secret', group: 'secrets', triggers: [...rests.keys()], find: findAfter },
  {
    entity: 'generic-secret',
    group: 'secrets',
    triggers: ['has'],
    next: characterClass('', (code) => (code | 1) === 0x141 || (code | 2) === 0x142),
    find: findAfter,
  },
]

function findAfter(probe: Probe, start: number, end: number): void {
  if (!startsPart(probe, start)) return
  const rest = probe.text.slice(end, probe.runEnd(end, restCharacters, restLengthMax))
  const beginning = probe.text.slice(start, end).toLowerCase()
  const match = (beginning === 'has' ? polish : rests.get(beginning))?.exec(rest)
  if (match === null || match === undefined) return
  const nameEnd = end + match[0].length
  const verb = is.exec(probe.text.slice(nameEnd, probe.runEnd(nameEnd, verbCharacters, 4)))
  findNamed(probe, start, nameEnd, kindOf, verb === null ? undefined : nameEnd + verb[0].length)
}

const verbCharacters = characterClass(' "\'`', (code) => 'éèÉÈ'.includes(String.fromCharCode(code)))

function kindOf(_before: string, _name: string, after: string): SecretKind | undefined {
  return isIndifferent(after) ? 'password' : undefined
}
