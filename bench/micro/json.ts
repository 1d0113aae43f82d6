// Owns the cases of reading and writing JSON: one chat request, strictly, and against what Node itself takes.
import { applyEdits } from '../../proxy/lib/edit.ts'
import { parseJson } from '../../proxy/lib/json.ts'
import { chat1k } from '../scenarios/chat-1k.ts'
import type { Case } from './timing.ts'

const bytes = Buffer.from(chat1k.body)
const limits = { depthMax: 64, keysMax: 100_000 }
const edit = { address: { path: ['messages', 3, 'content'] }, text: 'Draft the mail to [EMAIL_1].' }

export const jsonCases: readonly Case[] = [
  { name: 'JSON.parse, chat request (to compare)', run: () => JSON.parse(bytes.toString()) as unknown },
  { name: 'parseJson, chat request', run: () => parseJson(bytes, limits) },
  { name: 'applyEdits, one text of it', run: () => applyEdits(chat1k.body, [edit]) },
]
