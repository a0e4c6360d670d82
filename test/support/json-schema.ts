import { Ajv, type ValidateFunction } from 'ajv'
import { actionKinds } from '../../src/actions/kinds.ts'
import { ruleFileJsonSchema } from '../../src/rules/rule-json-schema.ts'
import type { JsonSchema } from '../../src/schema/json-schema.ts'

/** A validator that is not ours, and as strict about the schema itself as it can be. */
export function validatorOf(schema: JsonSchema): ValidateFunction {
  // Keys that are asked for where they are not described (`if`, `not`), and keywords of one type beside a list of types, or without one, are meant: they ask it of that type.
  return new Ajv({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: true,
  }).compile(schema)
}

export const rulesSchema = ruleFileJsonSchema(actionKinds)

const parts = new Ajv({ strict: true, strictTypes: false, strictRequired: false })
parts.addSchema(rulesSchema, 'rules')

/** The same for a part of the schema of rule files, which is compiled once for all of them. */
export function partValidator(part: JsonSchema): ValidateFunction {
  const text = JSON.stringify(part).replaceAll('"#/definitions/', '"rules#/definitions/')
  return parts.compile(JSON.parse(text) as JsonSchema) // as: what went in, but for its references
}

/** Every schema in it that describes a key, with the path to it. */
export function describedKeys(
  schema: JsonSchema,
  prefix = '',
): readonly (readonly [path: string, schema: JsonSchema])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
    [`${prefix}${name}`, one] as const,
    ...describedKeys(one, `${prefix}${name}.`),
  ])
  const below = [
    ...(schema.anyOf ?? []),
    ...(schema.items === undefined ? [] : [schema.items]),
    ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
  ]
  return [...own, ...below.flatMap((one) => describedKeys(one, prefix))]
}
