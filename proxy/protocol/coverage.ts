// Owns the table of what every wire format declares of its fields. A format that is not in it does not compile.
import { anthropicCoverage } from './anthropic-coverage.ts'
import { geminiCoverage } from './gemini-coverage.ts'
import { httpCoverage } from './http-coverage.ts'
import { mcpCoverage } from './mcp-coverage.ts'
import { ollamaCoverage } from './ollama-coverage.ts'
import { chatCoverage, listingCoverage } from './openai-chat-coverage.ts'
import { plainCoverage } from './openai-plain-coverage.ts'
import { realtimeCoverage } from './openai-realtime-coverage.ts'
import { responsesCoverage } from './openai-responses-coverage.ts'
import type { OperationCoverage } from './posture.ts'
import type { ProtocolName } from './protocol.ts'

export const coverage: Readonly<Record<ProtocolName, readonly OperationCoverage[]>> = {
  openai: [...chatCoverage, ...responsesCoverage, ...realtimeCoverage, ...plainCoverage, ...listingCoverage],
  anthropic: anthropicCoverage,
  gemini: geminiCoverage,
  ollama: ollamaCoverage,
  mcp: mcpCoverage,
  http: httpCoverage,
}
