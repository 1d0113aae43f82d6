// Owns the classes in which requests are given up under overload, and in which they wait.

/** The first to go comes first. */
export const priorities = ['low', 'normal', 'high', 'critical'] as const
export type Priority = (typeof priorities)[number]

export function prioritySchema(whose: string) {
  return {
    enum: priorities.toReversed(),
    description: `Who goes on longest when server.overload must refuse some, and first where a queue must wait: of ${whose}; normal when absent.`,
  } as const
}

/** What is said of the caller and of the route: the lower of both counts, for a caller's batches may wait, too. */
export function lowerPriority(a: Priority | undefined, b: Priority | undefined): Priority {
  if (a === undefined || b === undefined) return a ?? b ?? 'normal'
  return priorities.indexOf(a) < priorities.indexOf(b) ? a : b
}
