// Owns the order of the detectors of secrets: formats that speak for themselves, then what only its surroundings give away.
import type { Detector } from '../detector.ts'
import { jwt, jwtInBase64 } from './jwt.ts'
import { privateKey, privateKeyInBase64 } from './private-key.ts'
import { authorizationHeader, basicAuthorization, curlCredentials, registryAuth } from './secrets/authorization.ts'
import { awsSecretBesideId } from './secrets/aws-pair.ts'
import { commandPassword } from './secrets/command-line.ts'
import { connectionString, netrcPassword } from './secrets/connection-string.ts'
import { foreignPasswords } from './secrets/foreign-password.ts'
import { genericSecret } from './secrets/generic.ts'
import { passwordHashes } from './secrets/password-hash.ts'
import { secureString } from './secrets/secure-string.ts'
import { sqlPassword } from './secrets/sql-password.ts'
import { urlCredentials } from './secrets/url-credentials.ts'
import { vendorKeys } from './vendor-keys.ts'

export const secretDetectors: readonly Detector[] = [
  privateKey,
  privateKeyInBase64,
  jwt,
  jwtInBase64,
  ...vendorKeys,
  awsSecretBesideId,
  ...passwordHashes,
  urlCredentials,
  connectionString,
  netrcPassword,
  sqlPassword,
  authorizationHeader,
  basicAuthorization,
  registryAuth,
  curlCredentials,
  commandPassword,
  secureString,
  genericSecret,
  ...foreignPasswords,
]
