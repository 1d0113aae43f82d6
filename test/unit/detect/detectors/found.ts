// What a test says of a detector: the values that a text has, in their order.
import { scanText } from '../../../../proxy/detect/scan-text.ts'

export function found(text: string, ...names: string[]): string[] {
  return scanText(text, names).map((finding) => text.slice(finding.start, finding.end))
}
