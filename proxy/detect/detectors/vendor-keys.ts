// Owns the keys that vendors issue with a recognisable beginning, and those that only the word beside them gives away.
// One row each; how rows are matched is in ../key-shapes.ts. Shapes are from the vendors' documentation.
import type { Detector } from '../detector.ts'
import { labelledKey, prefixedKey } from '../key-shapes.ts'

const hexadecimal = '0-9a-f'
const alphanumeric = 'A-Za-z0-9'
const urlSafe = 'A-Za-z0-9_-'

export const vendorKeys: readonly Detector[] = [
  prefixedKey('aws-access-key-id', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], { body: 'A-Z2-7', lengths: [16, 16] }),
  prefixedKey('aws-access-key-id', ['A3T'], { body: 'A-Z0-9', lengths: [17, 17] }),
  labelledKey(
    'aws-secret-access-key',
    [
      'aws_secret',
      'aws-secret',
      'awssecret',
      'secret_access_key',
      'secretaccesskey',
      'secret access key',
      'secret_key',
      'aws_key',
    ],
    { body: 'A-Za-z0-9/+', length: 40, ending: '' },
  ),
  prefixedKey('github-token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], { body: alphanumeric, lengths: [36, 255] }),
  prefixedKey('github-token', ['github_pat_'], { body: 'A-Za-z0-9_', lengths: [36, 255] }),
  prefixedKey(
    'gitlab-token',
    [
      'glpat-',
      'gldt-',
      'glrt-',
      'glptt-',
      'glft-',
      'glimt-',
      'glagent-',
      'gloas-',
      'glsoat-',
      'glffct-',
      'glcbt-',
      'GR1348941',
    ],
    { body: `.${urlSafe}`, lengths: [20, 320] },
  ),
  prefixedKey('openai-key', ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-None-'], {
    body: urlSafe,
    lengths: [40, 320],
  }),
  prefixedKey('openai-key', ['sk-'], { body: alphanumeric, lengths: [48, 48], infix: 'T3BlbkFJ' }),
  prefixedKey('anthropic-key', ['sk-ant-'], { body: urlSafe, lengths: [40, 320] }),
  prefixedKey('google-api-key', ['AIza'], { body: urlSafe, lengths: [35, 35] }),
  prefixedKey('slack-token', ['xoxb-', 'xoxp-', 'xoxs-', 'xoxo-', 'xoxe-', 'xoxe.', 'xapp-'], {
    body: `.${urlSafe}`,
    lengths: [20, 320],
    isDigitNeeded: true,
  }),
  prefixedKey('slack-token', ['xoxa-', 'xoxr-'], { body: urlSafe, lengths: [10, 320], isDigitNeeded: true }),
  prefixedKey(
    'slack-webhook',
    ['https://hooks.slack.com/services/', 'https://hooks.slack.com/workflows/', 'https://hooks.slack.com/triggers/'],
    { body: 'A-Za-z0-9/+_', lengths: [36, 120] },
  ),
  prefixedKey('stripe-key', ['sk_live_', 'sk_test_', 'sk_prod_', 'rk_live_', 'rk_test_', 'rk_prod_', 'whsec_'], {
    body: alphanumeric,
    lengths: [10, 255],
  }),
  prefixedKey('twilio-key', ['SK'], { body: hexadecimal, lengths: [32, 32], isDigitNeeded: true }),
  prefixedKey('sendgrid-key', ['SG.'], { body: `=.${urlSafe}`, lengths: [60, 72] }),
  prefixedKey('npm-token', ['npm_'], { body: alphanumeric, lengths: [36, 36] }),
  prefixedKey('pypi-token', ['pypi-Ag'], { body: urlSafe, lengths: [50, 1000] }),
  prefixedKey('huggingface-token', ['hf_', 'api_org_'], { body: alphanumeric, lengths: [34, 40] }),
  labelledKey(
    'azure-storage-key',
    ['accountkey', 'account_key', 'account-key', 'storage_key', 'storagekey', 'storage-key'],
    {
      body: 'A-Za-z0-9/+',
      length: 86,
      ending: '==',
    },
  ),
  prefixedKey('databricks-token', ['dapi'], { body: `${hexadecimal}-`, lengths: [32, 34], isDigitNeeded: true }),
  prefixedKey('digitalocean-token', ['dop_v1_', 'doo_v1_', 'dor_v1_'], { body: hexadecimal, lengths: [64, 64] }),
  prefixedKey('doppler-token', ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.', 'dp.scim.', 'dp.audit.'], {
    body: `.${urlSafe}`,
    lengths: [40, 80],
  }),
  prefixedKey('vault-token', ['hvs.', 'hvb.', 'hvr.'], { body: urlSafe, lengths: [24, 320] }),
]
