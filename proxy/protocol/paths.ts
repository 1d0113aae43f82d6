// Owns what real clients do to paths: a missing, doubled or extra `/v1`, doubled slashes. And the listing of models,
// which is the same in every format that has it.
import type { Json } from '../lib/json.ts'
import { bodiless } from './bodiless.ts'
import type { Operation, Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { readTexts, type Layout } from './texts.ts'

/** What follows the version, beginning with `/`: `/v1/messages`, `/messages` and `/v1//v1/messages` are the same. */
export function pathBelowVersion(path: string): string {
  let rest = path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path
  for (let count = 0; count < 2 && rest.startsWith('/v1/'); count += 1) rest = rest.slice(3)
  return rest
}

/** An id in a path: OpenAI's own are words, LiteLLM's base64 with its padding, others have a dot or a colon. */
export const idInPath = String.raw`\w(?:[\w.:=~-]|%3[ADad])*`

/** How the upstream url's own path, without a trailing slash, is joined with an operation's path. */
export type JoinPath = (base: string, path: string) => string

/**
 * The base urls of OpenAI's clients have the version in them, so one that has any, `/api/v4` or `/v1beta/openai`, is
 * whole as it is; one without means the format's own. Clients of Azure put its `/openai` before everything.
 */
export const joinOpenai: JoinPath = (base, path) => {
  const rest = path.startsWith('/openai/') && /\/openai(?:\/v1)?$/.test(base) ? path.slice('/openai'.length) : path
  return rest.startsWith('/v1/') && /\/v[0-9][a-z0-9]*(?:\/|$)/.test(base) ? base + rest.slice(3) : base + rest
}

/** A base that ends with the version has it instead of the operation's; the one further up is somebody else's. */
export const joinVersioned: JoinPath = (base, path) => {
  const version = /\/v[0-9][a-z0-9]*$/.test(base) ? leadingVersion.exec(path)?.[0] : undefined
  return base + path.slice(version?.length ?? 0)
}

const leadingVersion = /^\/v[0-9][a-z0-9]*(?=\/)/

/** Some base urls end with the `/api` that every operation begins with. */
export const joinApi: JoinPath = (base, path) =>
  base.endsWith('/api') && path.startsWith('/api/') ? base + path.slice(4) : base + path

/** `GET /models` and `GET /models/{id}`; an id may have an organisation before it. */
export function listing(rest: string): Operation | undefined {
  if (rest === '/models') return bodiless('models.list', '/v1/models', read)
  const id = /^\/models\/((?:[\w:@+-][\w.:@+-]*\/)?[\w:@+-][\w.:@+-]*)$/.exec(rest)?.[1]
  return id === undefined ? undefined : bodiless('models.get', `/v1/models/${id}`, read)
}

/** A catalogue says little, but models that were made to order have their owners' names and texts. */
function read(body: Json, text: string): Reading {
  return readingOf(readTexts(body, text, layout))
}

const layout: Layout = {
  roleAt: () => 'other',
  standing: (key) => (key.startsWith('created') ? 'number' : 'inspected'),
}
