// Owns the floor: the least that a proxy of node:http and undici can do, bodies piped both ways, nothing looked at.
// argv[2] is the port of the upstream, argv[3] how many connections to it there may be.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Pool } from 'undici'
import { announce } from './announce.ts'

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'host',
  'expect',
])
const upstream = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: Number(process.argv[3] ?? 256) })

const server = createServer((request, response) => {
  upstream
    .request({
      path: (request.url ?? '/').replace(/^\/openai/, ''),
      method: request.method ?? 'GET',
      headers: endToEnd(request.headers),
      body: request,
    })
    .then(
      (answer) => {
        response.writeHead(answer.statusCode, endToEnd(answer.headers))
        answer.body.pipe(response)
      },
      () => response.writeHead(502).end(),
    )
})
server.keepAliveTimeout = 60_000

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = {}
  for (const name in headers) if (!hopByHop.has(name)) kept[name] = headers[name]
  return kept
}

announce(server)
