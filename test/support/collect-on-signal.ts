// Preloaded into a proxy process (`node --import`, with --expose-gc): at SIGUSR2 it collects garbage and says as a log
// line how much of the heap is left, so that memory can be compared without guessing when a collection happened.
let collections = 0

process.on('SIGUSR2', () => {
  globalThis.gc?.()
  collections += 1
  process.stdout.write(`${JSON.stringify({ collections, heapBytes: process.memoryUsage().heapUsed })}\n`)
})
