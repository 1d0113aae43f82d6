// Owns how the floor is started.
import { forkServer } from '../children.ts'
import type { Contender } from './contender.ts'

export async function startFloor(upstreamPort: number, connections = 256): Promise<Contender> {
  const running = await forkServer('floor.ts', String(upstreamPort), String(connections))
  return {
    id: 'floor',
    title: 'node:http + undici, pass-through',
    port: running.port,
    pids: [running.pid],
    path: '/openai/v1/chat/completions',
    headers: { authorization: 'Bearer bench' },
    expected: {},
    stop: () => running.stop(),
  }
}
