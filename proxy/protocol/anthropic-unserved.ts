// Owns what is said of Anthropic's operations that are refused on purpose. What is not here is just unknown.

/** Undefined where there is nothing to say but that there is no adapter. `rest` is the path below the version. */
export function whyUnserved(rest: string): string | undefined {
  const [, family = '', kind = ''] = rest.split('/')
  if (family === 'messages') return kind === 'batches' ? batchesSay : undefined
  if (family === 'files') return filesSay
  if (family === 'complete') return completeSays
  return kept.has(family) ? keptSays : undefined
}

/** The SDK takes `results_url` as it is, with the agent's key. */
const batchesSay =
  "The answers of a batch are fetched from the provider's own address, past this proxy; send its requests one by one."
const filesSay =
  'What is in files cannot be inspected here, so none may be sent or fetched; put the content in messages.'
const completeSays = 'Text completions have no adapter; use messages.'
const keptSays = 'What this operation works on is kept and run at the provider, where it cannot be inspected.'

const kept: ReadonlySet<string> = new Set([
  'agents',
  'deployment_runs',
  'deployments',
  'dreams',
  'environments',
  'memory_stores',
  'sessions',
  'skills',
  'tunnels',
  'user_profiles',
  'vaults',
])
