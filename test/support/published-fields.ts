// Reads the fields that formats have by their SDKs' types beside those that the adapters declare: lists in
// test/fixtures/*/published-fields.txt, each under the call and the way it belongs to.
import { existsSync, readFileSync } from 'node:fs'
import type { OperationCoverage } from '../../proxy/protocol/posture.ts'
import type { ProtocolName } from '../../proxy/protocol/protocol.ts'

export function publishedFields(protocol: ProtocolName): OperationCoverage[] {
  const file = new URL(`../fixtures/${protocol}/published-fields.txt`, import.meta.url)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n\n').slice(1).map(readList) : []
}

function readList(text: string): OperationCoverage {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const [call = '', way = ''] = /^(\S+ \S+) (request|answer|stream)$/.exec(head)?.slice(1) ?? []
  if (way === '') throw new Error(`This is no call and way: ${head}`)
  const fields = lines.map((line) => line.trim().split(' = '))
  return {
    call,
    [way]: {
      enforced: fields.flatMap(([field = '', label]) => (label === undefined ? [field] : [])),
      opaque: Object.fromEntries(fields.flatMap(([field, label]) => (label === undefined ? [] : [[field, label]]))),
    },
  }
}
