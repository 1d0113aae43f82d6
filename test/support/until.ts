// How tests wait for what nobody tells them: they ask again and again, until it is there or the test's own timeout ends
// it. The pause between leaves the core to what is waited for.
import { setTimeout } from 'node:timers/promises'

const pauseMs = 2

/** The first answer that is neither undefined nor false. */
export async function until<T>(ask: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await ask()
    if (found !== undefined && found !== false) return found
    await setTimeout(pauseMs)
  }
}
