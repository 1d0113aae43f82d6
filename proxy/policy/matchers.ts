// Owns the table of conditions a rule may have, in the order in which they are asked: cheap ones first, because one
// that does not hold spares the rest.
import type { Matcher } from './matcher.ts'
import { between } from './matchers/between.ts'
import { findings } from './matchers/findings.ts'
import { from } from './matchers/from.ts'
import { methods } from './matchers/methods.ts'
import { models } from './matchers/models.ts'
import { paths } from './matchers/paths.ts'
import { principals } from './matchers/principals.ts'
import { routes } from './matchers/routes.ts'
import { tags } from './matchers/tags.ts'
import { tools } from './matchers/tools.ts'
import { upstreams } from './matchers/upstreams.ts'
import { when } from './matchers/when.ts'
import type { Conditions } from './options.ts'

type Table = { readonly [Key in keyof Required<Conditions>]: Matcher<Key> }

export const matchers: Table = {
  routes,
  upstreams,
  methods,
  models,
  tools,
  tags,
  principals,
  paths,
  findings,
  from,
  between,
  when,
}

export const matcherKeys = Object.keys(matchers) as readonly (keyof Conditions)[]
