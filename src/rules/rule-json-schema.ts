import type { z } from 'zod'
import { laterKeys } from '../schema/check-shape.ts'
import { draft, jsonSchemaOf, orText, ref, type JsonSchema } from '../schema/json-schema.ts'
import type { ActionKind } from './action-kind.ts'
import { actionsMax } from './compile-steps.ts'
import { blockKeys, type BlockKey } from './condition.ts'
import { operatorReference, scalarSchema, scalarTypes } from './operator-reference.ts'
import { blocksMax } from './parse-condition.ts'
import { caseSchema, defaultsSchema, ruleFileSchema, ruleSchema } from './rule-schema.ts'

/*
 * The schema of a rule file, for editors. Keys with a zod schema are taken from there; conditions,
 * which have a parser of their own, are written here and in operator-reference.ts.
 */

/** A tag that `for_each` fills in before anything else is read. */
const eachTag = '\\{\\{\\s*each[.]'

/** What reads the record that the event came in. */
const recordPaths: Readonly<Record<string, JsonSchema & { description: string }>> = {
  '@topic': { description: 'The topic of the record.', examples: ['mediawiki.page_change.v1'] },
  '@key': {
    description:
      'The key of the record as text; absent where it has none, or one that is no UTF-8.',
    examples: [{ prefix: 'enwiki:' }],
  },
  '@partition': { description: 'The partition of the record.', examples: [0] },
  '@offset': { description: 'The offset of the record.', examples: [{ gte: 1_000 }] },
  '@timestamp': {
    description: 'The time of the record, in milliseconds since 1970.',
    examples: [{ gte: 1_790_000_000_000 }],
  },
}

/** A header of the record: `@headers.<name>`. */
const headerDescription = 'The last header of the record that has this name, as text.'

/** Keys of a condition that are no paths. */
const blockReference: Readonly<
  Record<
    BlockKey,
    JsonSchema & { description: string; examples: NonNullable<JsonSchema['examples']> }
  >
> = {
  any: {
    ...ref('conditions'),
    description: 'One of these conditions holds at least.',
    examples: [[{ kind: 'edit' }, { 'page.length': { gt: 20_000 } }]],
  },
  all: {
    ...ref('conditions'),
    description: 'All of these conditions hold.',
    examples: [[{ any: [{ a: 1 }, { b: 1 }] }, { any: [{ c: 1 }, { d: 1 }] }]],
  },
  none: {
    ...ref('conditions'),
    description: 'None of these conditions holds.',
    examples: [[{ 'user.is_bot': true }, { title: { prefix: 'Talk:' } }]],
  },
  some: {
    type: 'object',
    description:
      'One and the same element of the list at `path` satisfies `where`, whose paths start there.',
    properties: {
      path: {
        type: 'string',
        minLength: 1,
        description: 'Path of a list.',
        examples: ['slots'],
      },
      where: {
        ...ref('condition'),
        description: 'Tests of one element; its paths start at the element.',
        examples: [{ role: 'main', size: { gt: 0 } }],
      },
    },
    required: ['path', 'where'],
    additionalProperties: false,
    examples: [{ path: 'slots', where: { role: 'main', size: { gt: 0 } } }],
  },
  expr: {
    type: 'string',
    minLength: 1,
    description:
      'A CEL expression over `event` and `record` (and `element` below `some`) that has to be true. ' +
      'Stands beside a test that rules most events out, or beside `full_scan: true`.',
    examples: ['event.revision.size > event.old.size * 2'],
  },
  full_scan: {
    const: true,
    description: 'true: `expr` may be evaluated for every event of the topics.',
    examples: [true],
  },
}

/** The JSON Schema of a rule file whose actions are `kinds`. */
export function ruleFileJsonSchema(kinds: readonly ActionKind[]): JsonSchema {
  const shared = {
    ...conditionDefinitions(),
    ...actionDefinitions(kinds),
    case: caseJsonSchema(),
    rule: ruleJsonSchema(),
  }
  const file = withLater(ruleFileSchema)
  const rule: JsonSchema = {
    if: { required: ['for_each'] },
    then: ref(forEach('rule')),
    else: ref('rule'),
  }
  return {
    $schema: draft,
    ...file,
    properties: {
      ...file.properties,
      defaults: { ...file.properties?.['defaults'], ...withLater(defaultsSchema) },
      lists: { ...file.properties?.['lists'], additionalProperties: listSchema },
      rules: { ...file.properties?.['rules'], additionalProperties: rule },
    },
    definitions: {
      ...shared,
      // Within a rule with `for_each` any value may be a tag that is filled in.
      ...Object.fromEntries(
        Object.entries(shared).map(([name, one]) => [
          forEach(name),
          toForEach(orText(one, eachTag, 'any value')),
        ]),
      ),
    },
  }
}

function forEach(name: string): string {
  return `${name}-for-each`
}

/** References lead to the definitions of the same kind. */
function toForEach(schema: JsonSchema): JsonSchema {
  // as: a schema is JSON, and so is what becomes of it
  return JSON.parse(
    JSON.stringify(schema).replaceAll(/("\$ref":"#\/definitions\/[\w-]+)"/g, `$1${forEach('')}"`),
  ) as JsonSchema
}

/** Keys that the language names and this version refuses are told as such where they are written. */
function withLater(schema: z.ZodObject): JsonSchema {
  const made = jsonSchemaOf(schema)
  const later = (laterKeys.get(schema)?.keys ?? []).map((key) => [key, notYet] as const)
  return { ...made, properties: { ...made.properties, ...Object.fromEntries(later) } }
}

const notYet: JsonSchema = { not: {}, description: 'Not supported yet: refused at load.' }

const listSchema: JsonSchema = {
  type: ['array', 'object'],
  description: 'Values for `in`, a map for the pipe `lookup`, or `{ file }` of one of the two.',
  properties: {
    file: {
      description: 'Path from the folder of this file: a text a line, or JSON.',
      examples: ['lists/ids.txt'],
    },
  },
}

function conditionDefinitions(): Readonly<Record<string, JsonSchema>> {
  const operators = Object.entries(operatorReference).map(
    ([name, { description, operand, example }]) =>
      [name, { ...operand, description, examples: [operandOf(name, example.test)] }] as const,
  )
  const record = Object.entries(recordPaths).map(
    ([path, told]) => [path, { ...ref('test'), ...told }] as const,
  )
  return {
    condition: {
      type: 'object',
      description:
        'Paths to tests, all of which must hold; and `any`, `all`, `none`, `some`, `expr`.',
      properties: Object.fromEntries([
        ...blockKeys.map((key) => [key, blockReference[key]] as const),
        ...record,
      ]),
      patternProperties: {
        '^@headers\\..': { ...ref('test'), description: headerDescription },
      },
      dependencies: { full_scan: ['expr'] },
      additionalProperties: ref('test'),
      minProperties: 1,
    },
    conditions: { type: 'array', items: ref('condition'), minItems: 1, maxItems: blocksMax },
    // One schema for all forms and no `anyOf`: editors then tell what is wrong with the form written.
    test: {
      description: 'A value, a list of values one of which it is, or a map of tests.',
      type: [...scalarTypes, 'array', 'object'],
      items: scalarSchema,
      minItems: 1,
      properties: Object.fromEntries(operators),
      dependencies: { search: ['regex'] },
      minProperties: 1,
      additionalProperties: false,
    },
  }
}

function operandOf(name: string, test: JsonSchema['default']): NonNullable<JsonSchema['default']> {
  const map = test as Readonly<Record<string, NonNullable<JsonSchema['default']>>> // as: every example is a map of operators
  return map[name] ?? false
}

function actionDefinitions(kinds: readonly ActionKind[]): Readonly<Record<string, JsonSchema>> {
  const own = kinds.map(({ name, schema }) => [`do-${name}`, jsonSchemaOf(schema)] as const)
  const names = kinds.map(({ name }) => name)
  const oneAction: JsonSchema = {
    description: `One action (${names.map((name) => `\`${name}\``).join(', ')}), or a list of them.`,
    properties: Object.fromEntries(
      own.map(([name, { description, examples }]) => [
        name.slice('do-'.length),
        { ...ref(name), description: description ?? '', examples: examples ?? [] },
      ]),
    ),
    allOf: neverBoth(names),
    minProperties: 1,
    additionalProperties: false,
  }
  return {
    ...Object.fromEntries(own),
    action: { type: 'object', ...oneAction },
    do: {
      type: ['object', 'array'],
      ...oneAction,
      items: ref('action'),
      minItems: 1,
      maxItems: actionsMax,
    },
  }
}

/** Said with `not`: editors stop to offer keys where `maxProperties` is reached by a key half typed. */
function neverBoth(names: readonly string[]): readonly JsonSchema[] {
  return names.flatMap((name, i) =>
    names.slice(i + 1).map((other) => ({ not: { type: 'object', required: [name, other] } })),
  )
}

const isAbstract: JsonSchema = {
  properties: { abstract: { const: true } },
  required: ['abstract'],
}

function caseJsonSchema(): JsonSchema {
  return withParts(
    { ...withLater(caseSchema), required: ['do'] },
    {
      when: ref('condition'),
      unless: ref('conditions'),
      do: ref('do'),
    },
  )
}

function ruleJsonSchema(): JsonSchema {
  const rule = withLater(ruleSchema)
  delete rule.required
  return {
    ...withParts(rule, {
      when: ref('condition'),
      unless: ref('conditions'),
      do: ref('do'),
      cases: { items: ref('case') },
    }),
    // What is not written may come from a base, or be left to the rules that extend this one.
    if: { not: { anyOf: [{ required: ['extends'] }, isAbstract] } },
    then: { required: ['topics'], anyOf: [{ required: ['do'] }, { required: ['cases'] }] },
  }
}

/** What some keys hold, beside what is said of them already. */
function withParts(schema: JsonSchema, parts: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const told = Object.entries(parts).map(
    ([key, part]) => [key, { ...schema.properties?.[key], ...part }] as const,
  )
  return { ...schema, properties: { ...schema.properties, ...Object.fromEntries(told) } }
}
