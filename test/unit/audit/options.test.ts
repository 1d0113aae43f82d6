import { Ajv } from 'ajv'
import t from 'tap'
import { type AuditOptions, auditSchema, compileAudit } from '../../../proxy/audit/options.ts'

const ajv = new Ajv({ useDefaults: true, allErrors: true })
const validate = ajv.compile<AuditOptions>({ type: 'object', properties: { audit: auditSchema } })

function filled(audit: unknown): AuditOptions | undefined {
  const document = audit === undefined ? {} : { audit }
  return validate(document) ? (document as unknown as { audit: AuditOptions }).audit : undefined
}

function compiled(audit: unknown): ReturnType<typeof compileAudit> {
  const options = filled(audit)
  if (options === undefined) throw new Error(ajv.errorsText(validate.errors))
  return compileAudit(options, ['audit'])
}

t.test('defaults', async (t) => {
  t.same(compiled(undefined), {
    settings: {
      dir: './data/audit',
      writer: undefined,
      durability: 'strict',
      onFailure: 'deny',
      keyFile: './data/audit.key',
      segmentBytesMax: 64 * 1024 * 1024,
      segmentAgeMaxMs: 3_600_000,
    },
    problems: [],
  })
})

t.test('what is written', async (t) => {
  const written = {
    dir: '/a',
    writer: 'pod-1',
    durability: 'batch',
    onFailure: 'allow',
    key: { fromFile: '/k' },
    segmentSize: '1MiB',
    segmentAge: '5m',
  }
  t.match(compiled(written).settings, {
    dir: '/a',
    writer: 'pod-1',
    durability: 'batch',
    keyFile: '/k',
    segmentBytesMax: 1024 * 1024,
    segmentAgeMaxMs: 300_000,
  })
})

t.test('what cannot be is a problem in its place', async (t) => {
  t.match(compiled({ payloads: 'sealed' }), {
    settings: undefined,
    problems: [{ path: ['audit', 'payloads'], message: /not yet served/, severity: 'error' }],
  })
  t.match(compiled({ segmentSize: '1KiB' }).problems, [{ path: ['audit', 'segmentSize'] }])
  t.match(compiled({ segmentAge: '1ms' }).problems, [{ path: ['audit', 'segmentAge'] }])
})

t.test('the schema refuses the rest', async (t) => {
  for (const bad of [
    { dirs: '/a' },
    { writer: '../x' },
    { writer: '' },
    { durability: 'fast' },
    { key: { fromEnv: 'K' } },
    { key: {} },
    { dir: '' },
  ]) {
    t.equal(filled(bad), undefined, JSON.stringify(bad))
  }
})
