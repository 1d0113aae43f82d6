// Owns the table of the packs: numbers that states give to people. Those whose checks prove more come first, since a
// number goes to the first that takes it.
import type { Detector } from './detector.ts'
import { americasIds } from './detectors/national/americas.ts'
import { beneluxIds } from './detectors/national/benelux.ts'
import { centralEuropeIds } from './detectors/national/central-europe.ts'
import { deIds } from './detectors/national/de.ts'
import { documentIds } from './detectors/national/documents.ts'
import { eastAsiaIds } from './detectors/national/east-asia.ts'
import { esIds } from './detectors/national/es.ts'
import { europeIds } from './detectors/national/europe.ts'
import { frIds } from './detectors/national/fr.ts'
import { indiaIds } from './detectors/national/india.ts'
import { itIds } from './detectors/national/it.ts'
import { nordicIds } from './detectors/national/nordic.ts'
import { oceaniaIds } from './detectors/national/oceania.ts'
import { plIds } from './detectors/national/pl.ts'
import { ukIds } from './detectors/national/uk.ts'
import { usIds } from './detectors/national/us.ts'
import { westAsiaAndAfricaIds } from './detectors/national/west-asia-africa.ts'

export const nationalIds: readonly Detector[] = [
  ...frIds,
  ...esIds,
  ...itIds,
  ...ukIds,
  ...deIds,
  ...plIds,
  ...beneluxIds,
  ...nordicIds,
  ...centralEuropeIds,
  ...europeIds,
  ...indiaIds,
  ...eastAsiaIds,
  ...westAsiaAndAfricaIds,
  ...oceaniaIds,
  ...americasIds,
  ...usIds,
  ...documentIds,
]
