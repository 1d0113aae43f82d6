// Owns how node:http is reached: where anything is imported from it, Node looks at all it has, and so loads its own fetch and
// WebSocket, which nothing here uses. Its types alone may be imported as ever.
export const { Agent, createServer, METHODS, ServerResponse, STATUS_CODES } = process.getBuiltinModule('node:http')
export type Agent = InstanceType<typeof Agent>
export type ServerResponse = InstanceType<typeof ServerResponse>
