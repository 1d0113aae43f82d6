// Owns calling a model by the name that it has at the upstream: in the body, or in the path of formats that say it there.
// Rules, limits and the record know the name that was asked for.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Permitted } from './exchange.ts'

export function aliasEdits(x: Permitted): readonly Edit[] {
  const sent = aliasOf(x)
  if (sent === undefined || x.body.form !== 'json' || !isObject(x.body.value)) return []
  const { operation, body } = x
  if (operation.nameModel !== undefined) return operation.nameModel(body.value, sent)
  const { model } = x.body.value
  return typeof model === 'string' ? [{ address: { path: ['model'] }, text: sent, was: model }] : []
}

/** `path`: as it would be without. */
export function aliasedPath(x: Permitted, path: string): string {
  const sent = aliasOf(x)
  return sent === undefined ? path : (x.operation.pathFor?.(sent) ?? path)
}

function aliasOf(x: Permitted): string | undefined {
  const model = x.content?.model
  return model === undefined ? undefined : x.route.aliases?.get(model)
}
