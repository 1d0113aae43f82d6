// Makes what OpenAI's Responses API answers, whole and streamed, of given output items.
import { answer } from './scripted-upstream.ts'

export const message = (id: string, text: string) => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
export const call = (id: string, name: string, args: string) => ({
  type: 'function_call',
  id,
  call_id: `call_${id}`,
  name,
  arguments: args,
  status: 'completed',
})
/** An output item. */
export type Item = ReturnType<typeof message> | ReturnType<typeof call>

export function response(output: readonly Item[], status = 'completed'): object {
  const usage = { input_tokens: 3, input_tokens_details: { cached_tokens: 0 }, output_tokens: 2, total_tokens: 5 }
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1764000000,
    status,
    model: 'gpt-5.1',
    output,
    tools: [],
    usage,
  }
}

/** The events of a whole stream, texts in pieces of a few characters. */
function stream(output: readonly Item[], upTo = Infinity): string {
  const events: Record<string, unknown>[] = [{ type: 'response.created', response: response([], 'in_progress') }]
  for (const [output_index, item] of output.entries()) {
    const at = { item_id: item.id, output_index }
    const isMessage = 'content' in item
    const text = 'content' in item ? (item.content[0]?.text ?? '') : item.arguments
    const empty = 'content' in item ? { ...item, content: [] } : { ...item, arguments: '' }
    events.push({ type: 'response.output_item.added', output_index, item: { ...empty, status: 'in_progress' } })
    const part = { type: 'output_text', text: '', annotations: [] }
    if (isMessage) events.push({ type: 'response.content_part.added', ...at, content_index: 0, part })
    const name = isMessage ? 'response.output_text' : 'response.function_call_arguments'
    const index = isMessage ? { content_index: 0 } : {}
    for (const delta of text.match(/.{1,5}/gs) ?? []) events.push({ type: `${name}.delta`, ...at, ...index, delta })
    events.push({ type: `${name}.done`, ...at, ...index, ...(isMessage ? { text } : { arguments: text }) })
    if (isMessage) events.push({ type: 'response.content_part.done', ...at, content_index: 0, part: { ...part, text } })
    events.push({ type: 'response.output_item.done', output_index, item })
  }
  events.push({ type: 'response.completed', response: response(output) })
  return events
    .slice(0, upTo)
    .map(
      (event, sequence_number) =>
        `event: ${String(event['type'])}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`,
    )
    .join('')
}

export const streamed = (output: readonly Item[], upTo?: number): string =>
  answer(200, stream(output, upTo), { 'content-type': 'text/event-stream' })
