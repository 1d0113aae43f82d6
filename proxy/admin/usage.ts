// Owns the API over what was used: `GET /v1/usage?by=org,model&from=2026-11-01&to=2026-11-30&format=csv`.
import { parseUsageQuery, usageCsv, usageJson } from '../pipeline/usage-format.ts'
import type { UsageLog } from '../pipeline/usage-log.ts'
import { refusal, type ApiReply, type ApiRequest, type AsyncApiRoute } from './api.ts'
import type { Json } from '../lib/json.ts'

export function usageApi(log: UsageLog): AsyncApiRoute {
  return (request) => (request.segments.length === 1 ? reply(request, log) : undefined)
}

const parameters = ['by', 'from', 'to', 'format']

async function reply({ query }: ApiRequest, log: UsageLog): Promise<ApiReply> {
  // A misspelt question must not be answered as if it had not been asked.
  const unknown = [...query.keys()].find((name) => !parameters.includes(name))
  if (unknown !== undefined) return refusal(400, `there is no "${unknown}": one of ${parameters.join(', ')}`)
  const doubled = parameters.find((name) => query.getAll(name).length > 1)
  if (doubled !== undefined) return refusal(400, `"${doubled}" is there twice; "by" takes several names with commas`)
  const asked = Object.fromEntries(
    ['by', 'from', 'to'].flatMap((name) => {
      const value = query.get(name)
      return value === null ? [] : [[name, value]]
    }),
  )
  const parsed = parseUsageQuery(asked)
  if ('error' in parsed) return refusal(400, parsed.error)
  const rows = await log.rows(parsed)
  const format = query.get('format') ?? 'json'
  if (format === 'csv') return { status: 200, body: null, csv: usageCsv(rows, parsed.by) }
  if (format !== 'json') return refusal(400, 'the format is json or csv')
  return { status: 200, body: JSON.parse(usageJson(rows)) as Json }
}
