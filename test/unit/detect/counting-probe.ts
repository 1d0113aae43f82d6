// Owns a probe that counts what detectors read, one by one or in runs.
import { Probe } from '../../../proxy/detect/probe.ts'

export class CountingProbe extends Probe {
  reads = 0

  override code(index: number): number {
    this.reads++
    return super.code(index)
  }

  override runEnd(...where: Parameters<Probe['runEnd']>): number {
    const end = super.runEnd(...where)
    this.reads += end - where[0] + 1
    return end
  }
}
