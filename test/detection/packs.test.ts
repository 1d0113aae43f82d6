// What the packs find of the rows about national numbers that have a check: nearly all, and hardly any that are wrong.
import t from 'tap'
import { scanText } from '../../proxy/detect/scan-text.ts'
import { rowsOf, skip } from './rows.ts'

const checked = `
  AU_ABN AU_ACN AU_MEDICARE AU_TFN CA_SIN DE_HEALTH_INSURANCE DE_ID_CARD DE_LANR DE_PASSPORT DE_SOCIAL_SECURITY
  DE_TAX_ID ES_NIE ES_NIF FI_PERSONAL_IDENTITY_CODE IN_AADHAAR IN_GSTIN IT_FISCAL_CODE KR_BRN KR_FRN KR_RRN
  NG_NIN PL_PESEL SE_ORGANISATIONSNUMMER SE_PERSONNUMMER SG_NRIC_FIN TH_TNIN TR_NATIONAL_ID UK_DRIVING_LICENCE UK_NHS
  UK_NINO US_ITIN US_MBI US_NPI ZA_ID_NUMBER
`
  .trim()
  .split(/\s+/)

void t.test('numbers of every country with a pack', { skip }, async (t) => {
  const count = { positive: 0, found: 0, negative: 0, flagged: 0 }
  for (const row of rowsOf('recognizer-tests')) {
    const label = checked.find((name) => row.entity === `other:${name}`)
    if (label === undefined) continue
    const findings = scanText(row.text, [`pii:${label.slice(0, 2).toLowerCase()}`])
    const hits = row.spans.filter(({ start, end }) => findings.some((f) => f.start < end && start < f.end))
    count.positive += row.spans.length
    count.found += hits.length
    if (row.label === 'neg') count.negative++
    if (row.label === 'neg' && findings.length > 0) count.flagged++
    if (hits.length < row.spans.length) t.comment(`missed: ${row.text}`)
    if (row.label === 'neg' && findings.length > 0) t.comment(`flagged: ${row.text}`)
  }
  t.comment(JSON.stringify(count))
  t.ok(count.positive > 100 && count.negative > 80)
  t.ok(count.found / count.positive >= 0.97)
  t.ok(count.flagged / count.negative <= 0.02)
})
