import { z } from 'zod'
import { invariant } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'

/*
 * JSON Schema (draft 7) of what people write, for editors and for the reference. Made from the zod
 * schemas that check it, so that the two cannot say different things.
 *
 * Draft 7 and not 2020-12: every version of yaml-language-server knows it, the newer drafts only the
 * latest ones. Where several forms are allowed it says `anyOf` and never `oneOf`, since a value that
 * fits two forms is no mistake.
 */

/** A JSON Schema, as far as one is written here. */
export interface JsonSchema {
  $schema?: string
  $comment?: string
  $ref?: string
  title?: string
  type?: string | readonly string[]
  description?: string
  default?: Json
  examples?: readonly Json[]
  enum?: readonly Json[]
  const?: Json
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  properties?: Readonly<Record<string, JsonSchema>>
  patternProperties?: Readonly<Record<string, JsonSchema>>
  additionalProperties?: JsonSchema | boolean
  propertyNames?: JsonSchema
  required?: readonly string[]
  dependencies?: Readonly<Record<string, readonly string[]>>
  minProperties?: number
  maxProperties?: number
  anyOf?: readonly JsonSchema[]
  allOf?: readonly JsonSchema[]
  not?: JsonSchema
  if?: JsonSchema
  then?: JsonSchema
  else?: JsonSchema
  definitions?: Readonly<Record<string, JsonSchema>>
}

export const draft = 'http://json-schema.org/draft-07/schema#'

/** Another schema of the same document. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/definitions/${name}` }
}

/**
 * What a zod schema takes. `default` and `examples` come from its `meta`, and a default is told in
 * the description as well, since editors show that.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { definitions, ...made } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      // For a schema that transforms, zod leaves these out: of its output they would be no examples.
      const meta = z.globalRegistry.get(zodSchema as unknown as z.ZodType) // as: zod's two types of one object
      for (const key of ['default', 'examples'] as const) {
        if (meta?.[key] !== undefined) Object.assign(jsonSchema, { [key]: meta[key] })
      }
    },
  })
  invariant(
    Object.values(definitions ?? {}).every((one) => nameless(Object(one) as object) === anyJson),
    'only z.json() is made a definition of its own, and left out: it asks nothing',
  )
  delete made.$schema
  // as: zod's type is JSON Schema, of which ours names a part
  return tidy(JSON.parse(JSON.stringify(made).replaceAll('"oneOf":', '"anyOf":')) as JsonSchema)
}

const anyJson = nameless({ ...z.toJSONSchema(z.json(), { target: 'draft-7' }), $schema: undefined })

/** Where the definition is the whole document it calls itself `#`, elsewhere by a number. */
function nameless(schema: object): string {
  return JSON.stringify(schema)
    .replaceAll(/#\/definitions\/__schema\d+/g, '#')
    .replaceAll('{"allOf":[{"$ref":"#"}]}', '{"$ref":"#"}')
}

/** Keys whose value is a schema, a list or a map of them. */
const below = {
  one: ['items', 'additionalProperties', 'propertyNames', 'not', 'if', 'then', 'else'],
  list: ['anyOf', 'allOf'],
  map: ['properties', 'patternProperties', 'definitions'],
} as const

/** A copy in which every schema directly below went through `change`. */
function mapBelow(schema: JsonSchema, change: (below: JsonSchema) => JsonSchema): JsonSchema {
  const copy = { ...schema }
  for (const key of below.one) {
    const value = copy[key]
    if (typeof value === 'object') copy[key] = change(value)
  }
  for (const key of below.list) {
    const value = copy[key]
    if (value !== undefined) copy[key] = value.map(change)
  }
  for (const key of below.map) {
    const value = copy[key]
    if (value === undefined) continue
    copy[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]))
  }
  return copy
}

/** Without what says nothing: bounds of all whole numbers, and the schema of any JSON. */
function tidy(schema: JsonSchema): JsonSchema {
  const { maximum, minimum, $ref, allOf, propertyNames, ...rest } = mapBelow(schema, tidy)
  const isPlainName = propertyNames !== undefined && Object.keys(propertyNames).length <= 1
  const described =
    rest.default === undefined || rest.description === undefined || shown(rest.default) === '{}'
      ? rest
      : { ...rest, description: `${rest.description} Default: \`${shown(rest.default)}\`.` }
  const isAny = $ref !== undefined || (allOf ?? []).some((one) => Object.keys(one).length === 0)
  return {
    ...described,
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(allOf === undefined || isAny ? {} : { allOf }),
    ...(propertyNames === undefined || isPlainName ? {} : { propertyNames }),
  }
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * The same, where values may be a text of `pattern` as well, which is filled in before the value is
 * looked at: a reference to the environment, or a tag.
 */
export function orText(
  schema: JsonSchema,
  pattern: string,
  filled: 'any value' | 'scalars',
): JsonSchema {
  const inner = mapBelow(schema, (one) => orText(one, pattern, filled))
  if (filled === 'any value' && schema.additionalProperties === false) {
    inner.patternProperties = { ...inner.patternProperties, [pattern]: {} } // keys are filled in too
  }
  if (!isNarrow(schema) || (filled === 'scalars' && !isScalar(schema))) return inner
  const { description, default: fallback, examples, ...asked } = inner
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [asked, { type: 'string', pattern }],
  }
}

/** Whether it refuses some text by itself, and not by its branches. */
function isNarrow({ type, enum: values, const: value, pattern }: JsonSchema): boolean {
  if (values !== undefined || value !== undefined || pattern !== undefined) return true
  return type !== undefined && ![type].flat().includes('string')
}

function isScalar({ type = 'string' }: JsonSchema): boolean {
  return ![type].flat().some((one) => one === 'object' || one === 'array')
}
