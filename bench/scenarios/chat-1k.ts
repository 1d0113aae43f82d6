// Owns the plain chat: about 1 KB of request with an address to hide, about 1 KB of answer.
import type { Scenario } from './scenario.ts'

const prose =
  'Our largest customer reports that invoices for the March period arrive twice since the last release, once as a PDF ' +
  'and once as plain text, and that both carry the same number. Finance has stopped the reminders by hand. '

const requestBody = JSON.stringify({
  model: 'gpt-4o-mini',
  temperature: 0.2,
  max_tokens: 400,
  messages: [
    { role: 'system', content: 'You answer support questions. Be brief, and say what to do next.' },
    { role: 'user', content: `${prose}What do we tell them?` },
    { role: 'assistant', content: 'That a fix is on its way, and that the second invoice may be ignored.' },
    {
      role: 'user',
      content: `${prose}Draft the mail to grace.hopper@navy.example.org, and say that the fix is out on Monday.`,
    },
  ],
})

const answerBody = JSON.stringify({
  id: 'chatcmpl-bench00000000000000000000',
  object: 'chat.completion',
  created: 1_795_219_200,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'Dear Grace,\n\nthank you for telling us about the doubled invoices. We found the cause: since the last ' +
          'release each invoice of the March period was rendered by the old and by the new service. ' +
          'The fix is out on Monday. You need to do nothing, and the second copy may be deleted; no reminder will be ' +
          'sent for it. Should one arrive all the same, please forward it to billing@support.example.com.\n\nKind ' +
          'regards,\nyour support team',
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 168, completion_tokens: 97, total_tokens: 265 },
  service_tier: 'default',
  system_fingerprint: 'fp_0000000000',
})

export const chat1k: Scenario = {
  id: 'chat-1k',
  title: `chat, ${Buffer.byteLength(requestBody)} bytes there, ${Buffer.byteLength(answerBody)} back`,
  body: requestBody,
  answer: [
    Buffer.from(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\n' +
        `content-length: ${Buffer.byteLength(answerBody)}\r\n\r\n${answerBody}`,
    ),
  ],
  pauseMs: 0,
  connectionsMin: 0,
  shareOfMost: 0.5,
  lastText: 'system_fingerprint',
}
