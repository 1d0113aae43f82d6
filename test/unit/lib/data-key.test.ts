import t from 'tap'
import { isDataKey } from '../../../proxy/lib/data-key.ts'

t.test('keys that are plainly names are left out', async (t) => {
  const words = `role content system_fingerprint prompt_tokens completion_tokens_details rejected_prediction_tokens
    ephemeral_5m_input_tokens max_completion_tokens preferred_contact_method internationalization _meta $ref $defs
    finishReason additionalProperties unevaluatedProperties additionalPropertiesOfTheThing numberOfItems includeServerSideToolInvocations
    cachedContentTokenCount toolUsePromptTokensDetails userID ETag Authorization Content-Type x-request-id X-Amz-Date
    DB_PASSWORD AUTHENTICATION utf8 sha256 SHA256 gpt-4o gpt-3.5-turbo b64_json com.example.thing 0 404 50256 added cafe`
  for (const key of ['', ...words.split(/\s+/)]) t.notOk(isDataKey(key), key)
})

t.test('every other key is data', async (t) => {
  const spaced = ['Ada Lovelace', '+49 170', 'key: x', 'AKIA QWER', 'naïve', '\u212aelvin', 'a\u0000b']
  const long = ['a'.repeat(21), 'ab_'.repeat(22)]
  const values = `ada@example.org a@b @type application/json /users/{id} $a$b 1234567 12-34 123-45 1.1.1.1 10.20.3.4
    2026-11-22 ::1 2001:db8::1 aa:bb:cc:dd:ee:ff aa-bb-cc-dd-ee-ff AABB.CCDD.EEFF ABCDE1234F QQ123456C
    AKIAZ5GMHYJKLMNOPQR2 AKIAQWERTYUIOPASDFGH hf_abcdefghijklmnopqrstuvwxyzABCDEFGH hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH
    glpat-aBcdEFgHijKLmnoPQrst glpat-fN_IwnymxJluVxr_clj3 EMAIL_kzqbmnxdvr password=Hunter2xyz9 Hunter2xyz9`
  for (const key of [...spaced, ...long, ...values.split(/\s+/)]) t.ok(isDataKey(key), key)
})
