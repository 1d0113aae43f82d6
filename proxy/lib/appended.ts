// Owns adding to a short list that is kept for long. Pushing and spreading leave room for sixteen more behind it.

/** A list that is as long as it looks: 24 bytes for one item, where a push takes 152. */
export function appended<Item>(list: readonly Item[], item: Item): readonly Item[] {
  return list.length === 0 ? [item] : list.concat([item])
}
