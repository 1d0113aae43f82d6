// Owns an order in which several things are said at once.

/** Each list keeps its own order. They begin one after the other and then go on in any; `picks` says with which, over and over. */
export function interleaved<T>(lists: readonly (readonly T[])[], picks: readonly number[]): T[] {
  const rest = lists.filter((list) => list.length > 0).map((list) => [...list])
  const sizes = rest.map((list) => list.length)
  const out: T[] = []
  for (let turn = 0; rest.some((list) => list.length > 0); turn += 1) {
    const begun = rest.findLastIndex((list, index) => list.length < (sizes[index] ?? 0))
    const open = rest.filter((list, index) => list.length > 0 && index <= begun + 1)
    const next = open[(picks[turn % picks.length] ?? 0) % open.length]?.shift()
    if (next !== undefined) out.push(next)
  }
  return out
}
