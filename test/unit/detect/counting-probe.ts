// Owns a probe that counts what detectors read, one by one or in runs.
import type { CharacterClass } from '../../../proxy/detect/characters.ts'
import { Probe } from '../../../proxy/detect/probe.ts'

export class CountingProbe extends Probe {
  reads = 0
  readonly #readTo = new Map<CharacterClass, number>()

  override code(index: number): number {
    this.reads++
    return super.code(index)
  }

  override runEnd(...where: Parameters<Probe['runEnd']>): number {
    const end = super.runEnd(...where)
    const [from, characters] = where
    // Of a class the run that was read last is known.
    const readTo = this.#readTo.get(characters) ?? 0
    this.reads += end - Math.max(from, Math.min(end, readTo)) + 1
    this.#readTo.set(characters, end)
    return end
  }
}
