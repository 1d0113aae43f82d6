// Owns the table of wire formats: to add one, add its file and a line here.
import { anthropicProtocol } from './anthropic.ts'
import { httpProtocol } from './http.ts'
import { openaiProtocol } from './openai.ts'
import type { Protocol, ProtocolName } from './protocol.ts'

export const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  openai: openaiProtocol,
  anthropic: anthropicProtocol,
  http: httpProtocol,
}
