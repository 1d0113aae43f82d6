// Owns the check digits that operators can name for detectors of their own. Each takes a value as it stands in a text.
import { passesLuhn, passesMod11And10, passesVerhoeff, remainderOf } from './checksums.ts'

export const validatorNames = ['luhn', 'mod97', 'mod11-10', 'verhoeff'] as const
export type ValidatorName = (typeof validatorNames)[number]

export const validators: Readonly<Record<ValidatorName, (value: string) => boolean>> = {
  luhn: (value) => isChecked(value, passesLuhn),
  mod97: isMod97,
  'mod11-10': (value) => isChecked(value, passesMod11And10),
  verhoeff: (value) => isChecked(value, passesVerhoeff),
}

/** Separators and letters around the digits do not count. */
function isChecked(value: string, passes: (digits: string) => boolean): boolean {
  const digits = value.replaceAll(/\D/g, '')
  return digits.length > 1 && passes(digits)
}

/** ISO/IEC 7064 MOD 97-10 as in IBANs (ISO 13616): the first four characters go to the end, letters count from 10. */
function isMod97(value: string): boolean {
  const characters = value.replaceAll(/[^0-9A-Za-z]/g, '')
  if (characters.length < 5) return false
  const turned = characters.slice(4) + characters.slice(0, 4)
  const digits = turned.replaceAll(/[A-Za-z]/g, (letter) => String(Number.parseInt(letter, 36)))
  return remainderOf(digits, 97) === 1
}
