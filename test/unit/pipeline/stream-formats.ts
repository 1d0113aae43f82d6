// Writes event streams as upstreams do, and reads them as clients do: an event parser and an assembler of its own, so
// that a mistake in the proxy's is not repeated here.

/** What is said on one channel, piece by piece. */
export type Said =
  | { readonly kind: 'text'; readonly at: number; readonly pieces: readonly string[] }
  | { readonly kind: 'arguments'; readonly at: number; readonly name: string; readonly pieces: readonly string[] }

export type Format = {
  /**
   * Whole events, the format's own end included. `order` says whose turn it is; what is left over follows in order.
   * `ending` is how channels end, where the format leaves a choice: by an event of their own, with their last piece, or
   * only with the stream.
   */
  write(said: readonly Said[], order?: readonly number[], ending?: Ending): string[]
  /** What a client has made of it so far: channel → text. Throws where an event is not what the format allows. */
  assemble(text: string): Map<string, string>
  /** The data of the event that ends a stream. */
  isTerminal(event: WireEvent): boolean
}

export type Ending = 'own' | 'with-last' | 'none'

export type WireEvent = { readonly event: string; readonly data: string }

/** WHATWG HTML §9.2.6, for any line end. What follows the last blank line is dropped. */
export function parseEvents(text: string): WireEvent[] {
  const blocks = text.replaceAll(/\r\n?/g, '\n').split('\n\n')
  blocks.pop()
  return blocks.flatMap((block) => {
    const lines = block.split('\n').map((line) => /^(data|event|id|)(?:: ?(.*))$/s.exec(line))
    if (lines.some((line) => line === null)) throw new Error(`not an event: ${JSON.stringify(block)}`)
    const data = lines.filter((line) => line?.[1] === 'data').map((line) => line?.[2] ?? '')
    const event = lines.findLast((line) => line?.[1] === 'event')?.[2] ?? 'message'
    return data.length === 0 ? [] : [{ event, data: data.join('\n') }]
  })
}

export const openai: Format = {
  write(said, order, ending = 'own') {
    let written = 0
    // The first choice as OpenAI writes it, the others as most servers behind its format do.
    const chunk = (index: number, delta: object, finish: string | null = null): string => {
      const choices = [{ index, delta, finish_reason: finish }]
      const more = index === 0 ? { obfuscation: 'a1B2c3D4'.slice(0, (written += 5) % 9) } : {}
      return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`
    }
    const events = said.map((one) => {
      const finish = (i: number): string | null =>
        ending === 'with-last' && i === one.pieces.length - 1 ? 'stop' : null
      if (one.kind === 'text')
        return [
          chunk(one.at, { role: 'assistant', content: '' }),
          ...one.pieces.map((content, i) => chunk(one.at, { content }, finish(i))),
        ]
      const call = (rest: object): object => ({ tool_calls: [{ index: 0, ...rest }] })
      const open = chunk(
        one.at,
        call({ id: `call_${one.at}`, type: 'function', function: { name: one.name, arguments: '' } }),
      )
      return [open, ...one.pieces.map((piece, i) => chunk(one.at, call({ function: { arguments: piece } }), finish(i)))]
    })
    const ends = ending === 'own' ? said.map(({ at }) => chunk(at, {}, 'stop')) : []
    return [': hello\n\n', ...shuffled(events, order), ...ends, 'data: [DONE]\n\n']
  },
  assemble(text) {
    const texts = new Map<string, string>()
    for (const { data } of parseEvents(text)) {
      if (data === '[DONE]') continue
      const { choices = [] } = JSON.parse(data) as OpenAiChunk
      for (const { index, delta } of choices) {
        if (typeof delta.content === 'string') append(texts, `text:${index}`, delta.content)
        for (const call of delta.tool_calls ?? []) append(texts, `arguments:${index}`, call.function?.arguments ?? '')
      }
    }
    return texts
  },
  isTerminal: ({ data }) => data === '[DONE]',
}

type OpenAiChunk = {
  readonly choices?: readonly {
    readonly index: number
    readonly delta: {
      readonly content?: string | null
      readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[]
    }
  }[]
}

export const anthropic: Format = {
  write(said, order) {
    let written = 0
    // Anthropic makes its events alike in length by spaces.
    const event = (value: { readonly type: string } & Record<string, unknown>): string => {
      const space = ' '.repeat((written += 7) % 16)
      return `event: ${value.type}\ndata: ${JSON.stringify(value).slice(0, -1)}${space}}\n\n`
    }
    const blocks = said.map((one) => {
      const index = one.at
      const start =
        one.kind === 'text'
          ? { type: 'text', text: '' }
          : { type: 'tool_use', id: `toolu_${index}`, name: one.name, input: {} }
      const deltas = one.pieces.map((piece) =>
        event({
          type: 'content_block_delta',
          index,
          delta:
            one.kind === 'text'
              ? { type: 'text_delta', text: piece }
              : { type: 'input_json_delta', partial_json: piece },
        }),
      )
      return [
        event({ type: 'content_block_start', index, content_block: start }),
        ...deltas,
        event({ type: 'content_block_stop', index }),
      ]
    })
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    }
    return [
      event({ type: 'message_start', message }),
      event({ type: 'ping' }),
      ...shuffled(blocks, order),
      event({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 9 },
      }),
      event({ type: 'message_stop' }),
    ]
  },
  assemble(text) {
    const texts = new Map<string, string>()
    const open = new Set<number>()
    for (const { event, data } of parseEvents(text)) {
      const value = JSON.parse(data) as AnthropicEvent
      if (event !== value.type) throw new Error(`${event} is named after another`)
      if (value.type === 'content_block_start') open.add(value.index)
      if (value.type === 'content_block_stop' && !open.delete(value.index))
        throw new Error('a block ends that is not open')
      if (value.type !== 'content_block_delta') continue
      if (!open.has(value.index)) throw new Error('a delta outside of its block')
      const { delta } = value
      if (delta.type === 'text_delta') append(texts, `text:${value.index}`, delta.text)
      if (delta.type === 'input_json_delta') append(texts, `arguments:${value.index}`, delta.partial_json)
    }
    return texts
  },
  isTerminal: ({ event }) => event === 'message_stop',
}

type AnthropicEvent =
  | { readonly type: 'content_block_start' | 'content_block_stop'; readonly index: number }
  | {
      readonly type: 'content_block_delta'
      readonly index: number
      readonly delta:
        | { readonly type: 'text_delta'; readonly text: string }
        | { readonly type: 'input_json_delta'; readonly partial_json: string }
    }
  | { readonly type: 'message_stop' }

function append(texts: Map<string, string>, channel: string, text: string): void {
  texts.set(channel, (texts.get(channel) ?? '') + text)
}

/** Each list keeps its own order; `order` says from which the next is taken. */
function shuffled(lists: readonly (readonly string[])[], order: readonly number[] = []): string[] {
  const queues = lists.map((list) => [...list])
  const taken = order.flatMap((turn) => queues[turn % Math.max(1, queues.length)]?.shift() ?? [])
  return [...taken, ...queues.flat()]
}
