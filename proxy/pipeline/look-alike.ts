// Owns the question which names people take for one another: case, compatibility forms, characters that cannot be seen,
// and letters of other scripts that are drawn like Latin ones (after UTS #39, as far as tool names go).

/** Names with one skeleton look alike. */
export function skeletonOf(name: string): string {
  let skeleton = ''
  for (const character of name.normalize('NFKD').replaceAll(/[\p{C}\p{M}\p{Z}]/gu, '')) {
    const small = character.toLowerCase()
    const latin = twins.get(small) ?? small
    skeleton += strokes.get(latin) ?? latin
  }
  return skeleton
}

function pairs(twin: string, latin: string): [string, string][] {
  const letters = Array.from(latin)
  return Array.from(twin, (character, index) => [character, letters[index] ?? character])
}

/** Whichever of them is capital: I, l, 1 and i, O and 0. */
const strokes: ReadonlyMap<string, string> = new Map(pairs('i1|0', 'lllo'))

const twins: ReadonlyMap<string, string> = new Map([
  // Cyrillic
  ...pairs('абвгеһіїјкмнопрстухѕԁԛԝьӏ', 'abbrehiijkmhonpctyxsdqwbl'),
  // Greek
  ...pairs('αβγεηικνορτυχω', 'abyenikvoptuxw'),
  // Armenian, Latin beyond ASCII
  ...pairs('աօոսցզհ', 'wonugqh'),
  ...pairs('ıɡɑøłđħŧ', 'igaoldht'),
  // Dashes and dots
  ...pairs('‐‑‒–—―−﹣－', '---------'),
  ...pairs('․．·', '...'),
])
