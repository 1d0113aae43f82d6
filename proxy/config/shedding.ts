// Owns the signals of overload that the configuration asks for, and what reads them.
import { LoopDelay } from '../pipeline/loop-delay.ts'
import type { ServerSettings } from '../pipeline/options.ts'
import { Shedder, type Signal } from '../pipeline/shedder.ts'
import type { Surroundings } from './surroundings.ts'

export type Shedding = { readonly shedder: Shedder; readonly close: () => void }

type Around = Pick<Surroundings, 'clock' | 'metrics'>

/** Undefined where nothing is asked for: then nothing is measured either. */
export function openShedding({ overload }: ServerSettings, { clock, metrics }: Around): Shedding | undefined {
  if (overload === undefined) return undefined
  const { loopDelayMs, inflight } = overload
  const signals: Signal[] = []
  const delay = loopDelayMs === undefined ? undefined : new LoopDelay(clock)
  if (delay !== undefined && loopDelayMs !== undefined)
    signals.push({ name: 'event-loop', max: loopDelayMs, read: () => delay.ms })
  if (inflight !== undefined) signals.push({ name: 'inflight', max: inflight, read: () => metrics.inflight.level })
  return { shedder: new Shedder(signals, clock), close: () => delay?.close() }
}
