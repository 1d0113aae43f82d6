// Owns the table of detectors. Numbers go to the first that takes them, so the stricter ones come first.
import type { Detector } from './detector.ts'
import { email } from './detectors/email.ts'
import { iban } from './detectors/iban.ts'
import { ipv4Address, ipv6Address } from './detectors/ip-address.ts'
import { jwt } from './detectors/jwt.ts'
import { paymentCard } from './detectors/payment-card.ts'
import { phone } from './detectors/phone.ts'
import { privateKey } from './detectors/private-key.ts'
import { usItin } from './detectors/national/us.ts'
import { usSsn } from './detectors/us-ssn.ts'
import { vendorKeys } from './detectors/vendor-keys.ts'
import { nationalIds } from './national-ids.ts'

export const detectors: readonly Detector[] = [
  email,
  paymentCard,
  ...nationalIds,
  usSsn,
  ...usItin,
  iban,
  ipv4Address,
  ipv6Address,
  phone,
  privateKey,
  jwt,
  ...vendorKeys,
]
