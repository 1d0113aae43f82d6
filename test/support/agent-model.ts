// A model on a real socket that plays an agent's loop with whatever it is shown: it calls a tool with the first word of the
// user's text that looks like a value or a token, as a number where it is one, and then says what the tool has said. Streams come in pieces of three
// characters. It keeps every body that it was sent.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export type AgentModel = {
  readonly url: string
  /** Bodies as text, oldest first. */
  readonly bodies: string[]
  close(): Promise<void>
}

type Message = { readonly role: string; readonly content: unknown }
type Body = { readonly stream?: boolean; readonly messages?: readonly Message[] }
type Turn = { readonly call: string } | { readonly say: string }

export async function startAgentModel(): Promise<AgentModel> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((value) => {
      bodies.push(JSON.stringify(value))
      const body = value as Body
      if (body.messages === undefined) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(nothing)
        return
      }
      const write = request.url?.includes('/messages') === true ? anthropic : openai
      write(turnOf(body), body.stream === true, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function turnOf({ messages }: Body): Turn {
  const last = textOf(messages?.at(-1))
  const result = /\{"result":"([^"]*)"\}/.exec(last.replaceAll('\\', ''))?.[1]
  if (result !== undefined) return { say: `The tool says: ${result} Done.` }
  const value = /\S*@\S+|[A-Z][A-Z0-9_]+_[0-9a-z]{10}|[0-9]{9,}/.exec(last)?.[0] ?? 'nobody'
  return { call: JSON.stringify({ to: /^[0-9]+$/.test(value) ? Number(value) : value, text: 'Hello' }) }
}

/** What it says in formats that it does not speak. */
const nothing = JSON.stringify({ id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-4o', output: [] })

function textOf(message: Message | undefined): string {
  const content = message?.content
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}

function pieces(text: string): string[] {
  return text.match(/[^]{1,3}/g) ?? []
}

function openai(turn: Turn, stream: boolean, response: ServerResponse): void {
  const call = { id: 'call_1', type: 'function', function: { name: 'send_mail' } }
  const finish = 'call' in turn ? 'tool_calls' : 'stop'
  const head = { id: 'chatcmpl-1', created: 1, model: 'gpt-4o' }
  if (!stream) {
    const message =
      'call' in turn
        ? {
            role: 'assistant',
            content: null,
            tool_calls: [{ ...call, function: { ...call.function, arguments: turn.call } }],
          }
        : { role: 'assistant', content: turn.say }
    const choices = [{ index: 0, message, finish_reason: finish, logprobs: null }]
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ...head, object: 'chat.completion', choices }))
    return
  }
  const event = (delta: unknown, finish_reason: string | null = null): void => {
    const chunk = { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if ('call' in turn) {
    event({ role: 'assistant', tool_calls: [{ index: 0, ...call, function: { ...call.function, arguments: '' } }] })
    for (const piece of pieces(turn.call)) event({ tool_calls: [{ index: 0, function: { arguments: piece } }] })
  } else {
    event({ role: 'assistant', content: '' })
    for (const content of pieces(turn.say)) event({ content })
  }
  event({}, finish)
  response.end('data: [DONE]\n\n')
}

function anthropic(turn: Turn, stream: boolean, response: ServerResponse): void {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', stop_sequence: null, usage }
  const stop_reason = 'call' in turn ? 'tool_use' : 'end_turn'
  const block =
    'call' in turn
      ? { type: 'tool_use', id: 'toolu_1', name: 'send_mail', input: JSON.parse(turn.call) as unknown }
      : { type: 'text', text: turn.say }
  if (!stream) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ ...message, content: [block], stop_reason }))
    return
  }
  const event = (data: { type: string; [member: string]: unknown }): void =>
    void response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  event({ type: 'message_start', message: { ...message, content: [], stop_reason: null } })
  const opening = 'call' in turn ? { ...block, input: {} } : { type: 'text', text: '' }
  event({ type: 'content_block_start', index: 0, content_block: opening })
  for (const piece of pieces('call' in turn ? turn.call : turn.say)) {
    const delta =
      'call' in turn ? { type: 'input_json_delta', partial_json: piece } : { type: 'text_delta', text: piece }
    event({ type: 'content_block_delta', index: 0, delta })
  }
  event({ type: 'content_block_stop', index: 0 })
  event({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage })
  event({ type: 'message_stop' })
  response.end()
}
