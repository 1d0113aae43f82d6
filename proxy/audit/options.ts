// Owns what operators may write under `audit`: type, JSON Schema and its meaning. It opens nothing.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { durationPattern, parseDuration, parseSize, sizePattern } from '../lib/units.ts'
import { writerPattern } from './layout.ts'

export type AuditOptions = {
  readonly dir: string
  readonly writer?: string
  readonly durability: 'strict' | 'batch'
  readonly onFailure: 'deny' | 'allow'
  readonly key: { readonly fromFile: string }
  readonly payloads: 'none' | 'sealed'
  readonly segmentSize: string
  readonly segmentAge: string
}

export const auditSchema = {
  type: 'object',
  description: 'The tamper-evident log of every decision.',
  additionalProperties: false,
  default: {},
  properties: {
    dir: {
      type: 'string',
      minLength: 1,
      default: './data/audit',
      description: 'Folder of the log; one sub-folder per writer.',
    },
    writer: {
      type: 'string',
      pattern: writerPattern,
      description: 'Name of this process in the log, the same after a restart; absent: made up once and kept.',
    },
    durability: {
      enum: ['strict', 'batch'],
      default: 'strict',
      description: 'strict: no upstream call before its record is on stable storage; batch: at most a second later.',
    },
    onFailure: {
      enum: ['deny', 'allow'],
      default: 'deny',
      description: 'When a record cannot be written: refuse the request, or let it pass and flag it as open.',
    },
    key: {
      type: 'object',
      required: ['fromFile'],
      additionalProperties: false,
      default: { fromFile: './data/audit.key' },
      description: 'Ed25519 key that signs checkpoints; created with mode 0600 on first start.',
      properties: { fromFile: { type: 'string', minLength: 1, description: 'Path of the key file.' } },
    },
    payloads: {
      enum: ['none', 'sealed'],
      default: 'none',
      description: 'Whether content is recorded, encrypted; sealed is not yet served.',
    },
    segmentSize: {
      type: 'string',
      pattern: sizePattern,
      default: '64MiB',
      description: 'A new file is begun when the present one is this large.',
    },
    segmentAge: {
      type: 'string',
      pattern: durationPattern,
      default: '1h',
      description: 'A new file is begun when the present one is this old.',
    },
  },
} as const

export type AuditSettings = {
  readonly dir: string
  readonly writer: string | undefined
  readonly durability: 'strict' | 'batch'
  readonly onFailure: 'deny' | 'allow'
  readonly keyFile: string
  readonly segmentBytesMax: number
  readonly segmentAgeMaxMs: number
}

const segmentBytesMin = 64 * 1024

/** `options` with the schema's defaults filled in; `path` is where they stand in the document. */
export function compileAudit(
  options: AuditOptions,
  path: Path,
): { readonly settings?: AuditSettings; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const error = (key: string, message: string, hint: string): void => {
    problems.push({ path: [...path, key], message, hint, severity: 'error' })
  }
  if (options.payloads === 'sealed') error('payloads', 'sealed payloads are not yet served', 'write payloads: none')
  const segmentBytesMax = parseSize(options.segmentSize) ?? 0
  if (segmentBytesMax < segmentBytesMin) error('segmentSize', 'a segment holds at least 64KiB', 'the default is 64MiB')
  const segmentAgeMaxMs = parseDuration(options.segmentAge) ?? 0
  if (segmentAgeMaxMs < 1000) error('segmentAge', 'a segment lasts at least 1s', 'the default is 1h')
  if (problems.length > 0) return { problems }
  const { dir, writer, durability, onFailure, key } = options
  return {
    settings: { dir, writer, durability, onFailure, keyFile: key.fromFile, segmentBytesMax, segmentAgeMaxMs },
    problems,
  }
}
