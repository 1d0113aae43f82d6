// Owns how several rules over one entity become one decision: per entity, per form in which a value stands, and per value
// where rules let some be.
import type { Allowed } from './allow.ts'
import type { Catalogue } from './catalogue.ts'
import { redactionActions, restorePlaces } from './options.ts'
import type { Direction, FormAction, RedactionRuleOptions } from './options.ts'
import type { CompiledRule, EntityAction, Plan } from './redaction.ts'
import type { Mattering } from './overlap.ts'
import type { Detector } from './detector.ts'
import { layeredScanner } from './layered-scanner.ts'
import { changes } from './replace.ts'
import { compileScanner, type Scanner } from './scanner.ts'

type Form = 'string' | 'number' | 'key'

export function newPlan(direction: Direction, rules: readonly CompiledRule[], { detectors }: Catalogue): Plan {
  const entities = new Set(rules.flatMap((rule) => rule.entities))
  const offers: Record<Form, Offers> = {
    string: offersOf(direction, rules, 'string'),
    number: offersOf(direction, rules, 'number'),
    key: offersOf(direction, rules, 'key'),
  }
  const enforced = new Set(Object.values(offers).flatMap((some) => enforcedIn(some).map(([entity]) => entity)))
  const ofForm = (form: Form): Plan => ({
    direction,
    entities,
    scanner: scannerOf(offers[form], detectors),
    enforced,
    issuesTokens: enforcedIn(offers[form]).some(([, { action }]) => action === 'token'),
    actionFor: (entity, value) => actionIn(offers[form], entity, value),
    forForm: (other) => forms[other],
  })
  const string = ofForm('string')
  const forms: Record<Form, Plan> = {
    string,
    number: rules.some(({ options }) => differs(options.numbers)) ? ofForm('number') : string,
    key: rules.some(({ options }) => differs(options.keys)) ? ofForm('key') : string,
  }
  return string
}

function actionIn(offers: Offers, entity: string, value: string | undefined): EntityAction | undefined {
  return offers.get(entity)?.find(({ allowed }) => value === undefined || allowed?.(value) !== true)?.action
}

/**
 * What is only observed is looked for by itself, so that it hides nothing from a rule that acts. What a rule lets be may
 * overlap what another one hides: then the value is hidden.
 */
function scannerOf(offers: Offers, detectors: readonly Detector[]): Scanner {
  const matters: Mattering = (entity, value) => changes(actionIn(offers, entity, value))
  const acting = [...offers].filter(([, [strictest]]) => changes(strictest?.action))
  const isAlike = acting.every(([, [strictest]]) => strictest?.allowed === undefined)
  const hiding = compileScanner(new Set(acting.map(([entity]) => entity)), detectors, isAlike ? undefined : matters)
  if (acting.length === offers.size) return hiding
  const watched = [...offers].filter(([, some]) => some.some(({ action }) => !changes(action)))
  const watching = compileScanner(new Set(watched.map(([entity]) => entity)), detectors)
  if (acting.length === 0) return { ...watching, scanPart: hiding.scanPart, watched: watching }
  // External detectors find entities that no scanner here knows.
  return layeredScanner(hiding, watching, matters)
}

/** The strictest action over each entity, where that changes or blocks something. */
function enforcedIn(offers: Offers): readonly (readonly [string, EntityAction])[] {
  return [...offers].flatMap(([entity, [first]]) =>
    first !== undefined && changes(first.action) ? [[entity, first.action] as const] : [],
  )
}

function differs(action: FormAction | undefined): boolean {
  return action !== undefined && action !== 'redact'
}

type Offer = { readonly action: EntityAction; readonly allowed: Allowed | undefined }
type Offers = ReadonlyMap<string, readonly Offer[]>

/** By entity, the strictest rule first: the next one decides over values that it lets be. */
function offersOf(direction: Direction, rules: readonly CompiledRule[], form: Form): Map<string, Offer[]> {
  const offers = new Map<string, Offer[]>()
  for (const { options, entities, allowed } of rules) {
    const offer = { action: actionOf(options, direction, form), allowed }
    for (const entity of entities) {
      const others = offers.get(entity) ?? []
      const place = others.findIndex(({ action }) => isStricter(offer.action, action))
      others.splice(place === -1 ? others.length : place, 0, offer)
      offers.set(entity, others)
    }
  }
  return offers
}

function actionOf(options: RedactionRuleOptions, direction: Direction, form: Form): EntityAction {
  const { id, mode = 'enforce', restore = restorePlaces, restoreTo = [], format = 'auto' } = options
  const asked = form === 'number' ? options.numbers : form === 'key' ? options.keys : 'redact'
  const action = asked === 'block' ? 'block' : asked === 'leave' ? 'tag' : options.action
  return { rule: id, action, mode, restore: direction === 'request' ? restore : [], restoreTo, format }
}

/** A rule that is enforced beats one that only watches; then the stricter action; then the earlier rule. */
function isStricter(offered: EntityAction, current: EntityAction): boolean {
  if (offered.mode !== current.mode) return offered.mode === 'enforce'
  return redactionActions.indexOf(offered.action) > redactionActions.indexOf(current.action)
}
