// Owns noticing that whoever started this process is gone. npm runs a script under a shell, and a shell such as dash
// that is told to end does so without passing the signal on: the proxy would go on and keep its ports.

const everyMs = 250

/** Under npm only: whoever else starts a proxy may leave it behind on purpose. Windows keeps no such tie and calls nobody. */
export function onParentGone(run: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    run()
  }, everyMs)
  timer.unref()
}
