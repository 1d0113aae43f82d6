// Owns the list prices of the large providers as data: what anybody pays for text, without batches, priority tiers or
// agreements. Of models whose price depends on the length of the prompt the one for long prompts is listed, so that nothing
// costs more than is said here. It is as old as `pricesAsOf`; `prices` in the configuration comes before it.

/** US dollars for a million tokens. */
export type ListPrice = {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

export const pricesAsOf = '2026-11-21'

/**
 * Where the numbers come from. Anthropic's are from its own page. Those of OpenAI and Gemini could only be read in copies of
 * the pages that are named here, of different days since September 2026, so check them before you bill by them.
 */
export const priceSources = [
  'https://platform.claude.com/docs/en/about-claude/pricing',
  'https://developers.openai.com/api/docs/pricing',
  'https://ai.google.dev/gemini-api/docs/pricing',
] as const

type Row = readonly [models: string, input: number, output: number, cacheRead?: number, cacheWrite?: number]

const rows: readonly Row[] = [
  // Anthropic; caches are written for five minutes or, at the price that is listed, for an hour.
  ['claude-fable-5-1 claude-mythos-5-1', 10, 50, 0.25, 20],
  ['claude-fable-5 claude-mythos-5', 10, 50, 1, 20],
  ['claude-opus-5-5', 4, 20, 0.2, 8],
  ['claude-opus-5 claude-opus-4-8 claude-opus-4-7 claude-opus-4-6 claude-opus-4-5', 5, 25, 0.5, 10],
  ['claude-opus-4-1 claude-opus-4 claude-opus-4-0', 15, 75, 1.5, 30],
  ['claude-sonnet-5-5', 2, 10, 0.1, 4],
  ['claude-sonnet-5', 2, 10, 0.2, 4],
  ['claude-sonnet-4-6 claude-sonnet-4-5 claude-sonnet-4 claude-sonnet-4-0 claude-3-7-sonnet', 3, 15, 0.3, 6],
  ['claude-haiku-5-5', 0.5, 2.5, 0.05, 1],
  ['claude-haiku-4-5', 1, 5, 0.1, 2],
  ['claude-3-5-haiku', 0.8, 4, 0.08, 1.6],
  // OpenAI
  ['gpt-6-astra', 10, 50, 1, 12.5],
  ['gpt-6-sol', 2, 10, 0.2, 2.5],
  ['gpt-6-luna', 0.1, 0.5, 0.01, 0.125],
  ['gpt-5.6-sol', 4, 20, 0.4],
  ['gpt-5.6-terra', 2, 12, 0.2],
  ['gpt-5.6-luna', 0.2, 1.2, 0.02],
  ['gpt-5.5-pro gpt-5.4-pro', 30, 180],
  ['gpt-5.5', 5, 30, 0.5],
  ['gpt-5.4', 2.5, 15, 0.25],
  ['gpt-5.4-mini', 0.75, 4.5, 0.075],
  ['gpt-5.4-nano', 0.2, 1.25, 0.02],
  ['gpt-5.3-codex gpt-5.2 gpt-5.2-codex', 1.75, 14, 0.175],
  ['gpt-5.1 gpt-5 gpt-5-codex', 1.25, 10, 0.125],
  ['gpt-5-mini', 0.25, 2, 0.025],
  ['gpt-5-nano', 0.05, 0.4, 0.005],
  ['gpt-4.1', 2, 8, 0.5],
  ['gpt-4.1-mini', 0.4, 1.6, 0.1],
  ['gpt-4.1-nano', 0.1, 0.4, 0.025],
  ['gpt-4o', 2.5, 10, 1.25],
  ['gpt-4o-mini', 0.15, 0.6, 0.075],
  ['o3', 2, 8, 0.5],
  ['o4-mini o3-mini', 1.1, 4.4, 0.55],
  ['text-embedding-3-small', 0.02, 0],
  ['text-embedding-3-large', 0.13, 0],
  // Gemini
  ['gemini-3.5-flash', 1.5, 9],
  ['gemini-3.1-pro gemini-3.1-pro-preview', 4, 18],
  ['gemini-3.1-flash-lite', 0.25, 1.5],
  ['gemini-3-flash gemini-3-flash-preview', 0.5, 3],
  ['gemini-2.5-pro', 2.5, 15],
  ['gemini-2.5-flash', 0.3, 2.5],
  ['gemini-2.5-flash-lite', 0.1, 0.4],
]

export const listPrices: ReadonlyMap<string, ListPrice> = new Map(
  rows.flatMap(([models, input, output, cacheRead, cacheWrite]) =>
    models.split(' ').map((model): [string, ListPrice] => [
      model,
      {
        input,
        output,
        ...(cacheRead === undefined ? undefined : { cacheRead }),
        ...(cacheWrite === undefined ? undefined : { cacheWrite }),
      },
    ]),
  ),
)
