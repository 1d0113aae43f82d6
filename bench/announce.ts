// Owns how a process of the bench starts to serve: on a free port of the loopback, told to the parent that forked it.
import type { AddressInfo, Server } from 'node:net'

export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  // The parent has ended or wants this process to.
  process.on('disconnect', () => process.exit(0))
}
