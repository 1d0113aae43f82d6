// Owns the table of detectors. Numbers go to the first that takes them, so the stricter ones come first.
import type { Detector } from './detector.ts'
import { base58Address, bech32Address, cashAddress, etherAddress } from './detectors/crypto-address.ts'
import { datesOfBirth } from './detectors/date-of-birth.ts'
import {
  bankAccount,
  bankRouting,
  drivingLicence,
  medicalLicence,
  medicalRecord,
  passport,
} from './detectors/documents.ts'
import { email } from './detectors/email.ts'
import { domesticAccount, iban } from './detectors/iban.ts'
import { ipv4Address, ipv6Address } from './detectors/ip-address.ts'
import { labelledMacAddress, macAddress } from './detectors/mac-address.ts'
import { paymentCard } from './detectors/payment-card.ts'
import { gluedPhone, phone } from './detectors/phone.ts'
import { secretDetectors } from './detectors/secrets.ts'
import { usItin } from './detectors/national/us.ts'
import { usSsn } from './detectors/us-ssn.ts'
import { nationalIds } from './national-ids.ts'

export const detectors: readonly Detector[] = [
  email,
  domesticAccount,
  paymentCard,
  ...nationalIds,
  usSsn,
  ...usItin,
  iban,
  ipv4Address,
  ipv6Address,
  phone,
  gluedPhone,
  base58Address,
  bech32Address,
  cashAddress,
  etherAddress,
  macAddress,
  labelledMacAddress,
  ...datesOfBirth,
  passport,
  ...drivingLicence,
  medicalRecord,
  medicalLicence,
  bankAccount,
  ...bankRouting,
  ...secretDetectors,
]
