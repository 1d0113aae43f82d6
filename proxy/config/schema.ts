// Owns the document: joins the options of every folder into one JSON Schema and one type. What each key means is its
// folder's business.
import { type AuditOptions, auditSchema } from '../audit/options.ts'
import { type RedactionOptions, redactionSchema } from '../detect/options.ts'
import { type VaultOptions, vaultSchema } from '../detect/vault-options.ts'
import { anonymousSchema, type IdentityOptions, principalsSchema } from '../identity/options.ts'
import {
  limitsSchema,
  type LimitOptions,
  pricesSchema,
  type PriceOptions,
  type StoreOptions,
  storeSchema,
} from '../limits/options.ts'
import {
  type DemoOptions,
  demoSchema,
  type LogOptions,
  logSchema,
  type RouteOptions,
  routesSchema,
  type ServerOptions,
  serverSchema,
} from '../pipeline/options.ts'
import { type PolicyOptions, policySchemas } from '../policy/options.ts'
import { type DetectorDocument, detectorsSchema } from './detectors.ts'
import { type UpstreamsOptions, upstreamsSchema } from '../upstream/options.ts'

export const apiVersion = 'gatewright/v1'

/** A configuration after variables are replaced and the schema has accepted it and filled in its defaults. */
export type Document = IdentityOptions &
  PolicyOptions & {
    readonly apiVersion: typeof apiVersion
    readonly server: ServerOptions
    readonly upstreams: UpstreamsOptions
    readonly routes: readonly RouteOptions[]
    readonly detectors?: readonly DetectorDocument[]
    readonly redaction?: RedactionOptions
    readonly vault: VaultOptions
    readonly limits?: readonly LimitOptions[]
    readonly prices?: readonly PriceOptions[]
    readonly store?: StoreOptions
    readonly demo?: DemoOptions
    readonly audit: AuditOptions
    readonly log: LogOptions
  }

export const configSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'urn:gatewright:config:v1',
  title: 'Gatewright configuration',
  description: 'What a Gatewright proxy serves, whom it knows and which rules it enforces.',
  type: 'object',
  required: ['apiVersion'],
  additionalProperties: false,
  properties: {
    apiVersion: { const: apiVersion, description: 'Version of this format.' },
    server: serverSchema,
    upstreams: { default: {}, ...upstreamsSchema },
    routes: routesSchema,
    principals: principalsSchema,
    anonymous: anonymousSchema,
    ...policySchemas,
    detectors: detectorsSchema,
    redaction: redactionSchema,
    vault: vaultSchema,
    limits: limitsSchema,
    prices: pricesSchema,
    store: storeSchema,
    audit: auditSchema,
    demo: demoSchema,
    log: logSchema,
  },
} as const
