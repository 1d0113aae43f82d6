// Owns the paths that Azure gives to OpenAI's operations. A deployment is a model under a name of its owner's choosing,
// so it is what rules over models see.
import { isObject } from '../lib/json.ts'
import type { Operation } from './protocol.ts'

export type AzurePath = {
  /** What stands before the operation and stays there. */
  readonly prefix: string
  readonly deployment: string | undefined
  /** As Azure has it where the version stands in the query, or nowhere. */
  readonly unversioned: boolean
  /** The operation's path as OpenAI has it. */
  readonly rest: string
}

/** Undefined where the path is none of Azure's. */
export function azurePath(path: string): AzurePath | undefined {
  const [, prefix = '', deployment, rest = ''] = deploymentForm.exec(path) ?? []
  if (deployment !== undefined) return { prefix, deployment, rest, unversioned: true }
  if (!path.startsWith('/openai/')) return undefined
  const unversioned = !path.startsWith('/openai/v1/')
  return { prefix: '/openai', deployment: undefined, rest: path.slice('/openai'.length), unversioned }
}

/** The SDK takes `/openai` for part of its base URL, so it may be part of the upstream's. A name has a letter in it. */
const deploymentForm = /^((?:\/openai)?\/deployments\/((?=[\d._-]*[A-Za-z])[\w.-]{1,128}))(\/.*)$/

/** The operation as it is called on Azure; undefined where it is not called like this. */
export function onAzure(operation: Operation, azure: AzurePath): Operation | undefined {
  const { prefix, deployment, unversioned } = azure
  if (!unversioned) return { ...operation, path: prefix + operation.path }
  // What belongs to a deployment is called below it, and nothing else is.
  if (deployed.has(operation.name) !== (deployment !== undefined)) return undefined
  const rest = operation.path.replace(/^\/v1(?=\/)/, '')
  if (deployment === undefined) return { ...operation, path: prefix + rest }
  return {
    ...operation,
    path: prefix + rest,
    pathFor: (model) => prefix.slice(0, -deployment.length) + encodeURIComponent(model) + rest,
    readRequest(body, text, headers) {
      if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
      const named = body.model ?? deployment
      // Which of the two the provider believes is not ours to guess.
      if (named !== deployment) return { ok: false, message: 'The body names another model than the path.' }
      return operation.readRequest({ ...body, model: deployment }, text, headers)
    },
  }
}

const deployed: ReadonlySet<string> = new Set([
  'chat.completions',
  'completions',
  'embeddings',
  'images.generations',
  'audio.speech',
])
