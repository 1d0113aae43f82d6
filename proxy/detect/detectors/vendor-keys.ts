// Owns the order of the tables of vendors' keys.
import type { Detector } from '../detector.ts'
import { aiKeys } from './secrets/ai.ts'
import { cloudKeys } from './secrets/cloud.ts'
import { codeKeys } from './secrets/code.ts'
import { serviceKeys } from './secrets/services.ts'

export const vendorKeys: readonly Detector[] = [...cloudKeys, ...codeKeys, ...aiKeys, ...serviceKeys]
