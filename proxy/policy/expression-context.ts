// Owns the names and CEL types that an expression sees, and how facts become CEL values. A name whose value is not
// known is absent, so using it is an evaluation error, which is unknown.
import type { Facts } from './facts.ts'
import { isObject, type Json } from '../lib/json.ts'
import type { Attribute } from './actions.ts'

class PrincipalValue {
  id = ''
  org: string | undefined
  team: string | undefined
  roles: readonly string[] = []
}

class ClientValue {
  ip = ''
}

export const principalType = {
  ctor: PrincipalValue,
  fields: { id: 'string', org: 'string', team: 'string', roles: 'list<string>' },
}
export const clientType = { ctor: ClientValue, fields: { ip: 'string' } }

/** Fields of the variables that are objects, for checks that the type checker leaves out. */
export const objectFields: Readonly<Record<string, readonly string[]>> = {
  principal: Object.keys(principalType.fields),
  client: Object.keys(clientType.fields),
}

export const variableTypes: Readonly<Record<Attribute, string>> = {
  model: 'string',
  operation: 'string',
  stream: 'bool',
  maxTokens: 'int',
  messages: 'int',
  tools: 'list<string>',
  tool: 'string',
  via: 'string',
  args: 'dyn',
  tags: 'list<string>',
  method: 'string',
  path: 'string',
  description: 'string',
  uri: 'string',
  name: 'string',
  findings: 'map<string, int>',
  principal: 'Principal',
  route: 'string',
  upstream: 'string',
  client: 'Client',
  headers: 'map<string, string>',
  time: 'google.protobuf.Timestamp',
}

/** Types of variables as people say them. */
export const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  bool: 'true or false',
  int: 'a number',
  'list<string>': 'a list of texts',
}

/** Every name is a getter, so that only what an expression uses is converted. CEL integers are BigInts. */
export class ExpressionContext {
  readonly #facts: Facts
  #principal: PrincipalValue | undefined

  constructor(facts: Facts) {
    this.#facts = facts
  }

  get model(): string | undefined {
    return this.#facts.action.model
  }
  get operation(): string | undefined {
    return this.#facts.action.operation
  }
  get stream(): boolean | undefined {
    return this.#facts.action.stream
  }
  get maxTokens(): bigint | undefined {
    return integer(this.#facts.action.maxTokens)
  }
  get messages(): bigint | undefined {
    return integer(this.#facts.action.messages)
  }
  get tools(): readonly string[] | undefined {
    return this.#facts.action.tools
  }
  get tool(): string | undefined {
    return this.#facts.action.tool
  }
  get via(): string | undefined {
    return this.#facts.action.via
  }
  get args(): Json | undefined {
    return this.#facts.action.disputedArgs === undefined
      ? this.#facts.action.args
      : withUnknown(this.#facts.action.args, this.#facts.action.disputedArgs)
  }
  get tags(): readonly string[] | undefined {
    return this.#facts.tags
  }
  get method(): string | undefined {
    return this.#facts.action.method
  }
  get path(): string | undefined {
    return this.#facts.action.path
  }
  get description(): string | undefined {
    return this.#facts.action.description
  }
  get uri(): string | undefined {
    return this.#facts.action.uri
  }
  get name(): string | undefined {
    return this.#facts.action.name
  }
  get findings(): Readonly<Record<string, bigint>> | undefined {
    return this.#facts.counts
  }
  get principal(): PrincipalValue {
    return (this.#principal ??= Object.assign(new PrincipalValue(), this.#facts.query.principal))
  }
  get route(): string {
    return this.#facts.query.route
  }
  get upstream(): string {
    return this.#facts.query.upstream
  }
  get client(): ClientValue {
    return Object.assign(new ClientValue(), { ip: this.#facts.query.client.ip })
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#facts.query.headers
  }
  get time(): Date {
    return new Date(this.#facts.query.timeMs)
  }
}

/** A count that is not a whole number is no CEL int; BigInt() throws, which makes the expression unknown. */
function integer(count: number | undefined): bigint | undefined {
  return count === undefined ? undefined : BigInt(count)
}

/** Whoever looks at such a member, or asks whether there is one, knows nothing. */
function withUnknown(args: Json | undefined, names: readonly string[]): Json | undefined {
  if (!isObject(args)) return args
  const known = { ...args }
  for (const name of names) {
    Object.defineProperty(known, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        throw new Error('tools differ in what this is')
      },
    })
  }
  return known
}
