// Owns the declaration of what becomes of each text of a plain HTTP exchange. Nobody knows its fields, so all are the
// same. Bodies of types that cannot be read are refused where something is to be redacted.
import type { Fields, OperationCoverage } from './posture.ts'

const anything: Fields = { enforced: ['$', '*', '@', '*.*', '*.@', '[]', '[].*', '*.*[].*'] }

export const httpCoverage: readonly OperationCoverage[] = [
  {
    call: 'POST /issues',
    request: anything,
    answer: anything,
    stream: { enforced: ['message: $ +', 'message: *', 'message: @', 'message: *.*[]', 'note: *'] },
  },
]
