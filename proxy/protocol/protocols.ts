// Owns the table of wire formats: to add one, add its file and a line here.
import { anthropicProtocol } from './anthropic.ts'
import { geminiProtocol } from './gemini.ts'
import { httpProtocol } from './http.ts'
import { mcpProtocol } from './mcp.ts'
import { ollamaProtocol } from './ollama.ts'
import { openaiProtocol } from './openai.ts'
import type { Protocol } from './protocol.ts'

export const protocols: ReadonlyMap<string, Protocol> = new Map(
  [openaiProtocol, anthropicProtocol, geminiProtocol, ollamaProtocol, mcpProtocol, httpProtocol].map((protocol) => [
    protocol.name,
    protocol,
  ]),
)
