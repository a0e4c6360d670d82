import type { Json } from '../model/json.ts'
import type { JsonSchema } from '../schema/json-schema.ts'
import { membersMax } from './parse-members.ts'
import type { ElementOperator, WholeOperator } from './parse-operators.ts'

/*
 * What can be asked of a value (docs/rules.md, 2), for editors and for the reference. The parser
 * decides; a test compares the names here with its own, and runs every example.
 */

export interface OperatorSpec {
  readonly description: string
  /** What may stand behind it. */
  readonly operand: JsonSchema
  /** A whole test, a value for which it holds and one for which it does not; `undefined`: absent. */
  readonly example: {
    readonly test: Json
    readonly holds: Json | undefined
    readonly fails: Json | undefined
  }
}

type Operator = ElementOperator | WholeOperator | 'ci' | 'search'

export const scalarTypes: readonly string[] = ['string', 'number', 'boolean', 'null']
export const scalarSchema: JsonSchema = { type: scalarTypes }

const members: JsonSchema = {
  type: 'array',
  items: scalarSchema,
  minItems: 1,
  maxItems: membersMax,
}
const text: JsonSchema = { type: 'string', minLength: 1 }
const path: JsonSchema = { type: 'string', minLength: 1 }

const rangeSchema: JsonSchema = {
  type: 'object',
  properties: {
    gt: { type: 'number', description: 'More than this.', examples: [0] },
    gte: { type: 'number', description: 'This or more.', examples: [2] },
    lt: { type: 'number', description: 'Less than this.', examples: [10] },
    lte: { type: 'number', description: 'This or less.', examples: [3] },
  },
  minProperties: 1,
  additionalProperties: false,
}

/** By name, in the order of the reference. */
export const operatorReference: Readonly<Record<Operator, OperatorSpec>> = {
  equals: {
    description: 'Equals the value, or one of the list: the plain test, for use beside others.',
    operand: { ...members, type: [...scalarTypes, 'array'] },
    example: { test: { equals: 'edit', ci: true }, holds: 'Edit', fails: 'edits' },
  },
  in: {
    description: 'Is in a list of `lists`, by its name.',
    operand: { type: 'string' },
    example: { test: { in: 'quiet-wikis' }, holds: 'testwiki', fails: 'enwiki' },
  },
  prefix: {
    description: 'Is a text that starts with it.',
    operand: text,
    example: { test: { prefix: 'Talk:' }, holds: 'Talk:C++', fails: 'User talk:C++' },
  },
  suffix: {
    description: 'Is a text that ends with it.',
    operand: text,
    example: {
      test: { suffix: '.wikipedia.org' },
      holds: 'de.wikipedia.org',
      fails: 'wikidata.org',
    },
  },
  contains: {
    description: 'Is a text that contains it.',
    operand: text,
    example: { test: { contains: 'bot' }, holds: 'a robot', fails: 'a person' },
  },
  glob: {
    description:
      'Is a text that fits, from its first character to its last; `*` is any run of characters, ' +
      '`\\*` a star.',
    operand: text,
    example: { test: { glob: 'User:*/sandbox' }, holds: 'User:Ann/sandbox', fails: 'User:Ann' },
  },
  regex: {
    description:
      'Is a text in which it is found: a regex of RE2, in linear time. Starts with `^`, unless ' +
      '`search: true` stands beside it. Named groups are read as `{{match.<name>}}`.',
    operand: text,
    example: {
      test: { regex: '^(?P<space>[A-Z][a-z]+):' },
      holds: 'Talk:C++',
      fails: 'C++',
    },
  },
  gt: {
    description: 'Is a number above it. Two ends make an interval.',
    operand: { type: 'number' },
    example: { test: { gt: 0, lte: 100 }, holds: 100, fails: 0 },
  },
  gte: {
    description: 'Is this number or one above it.',
    operand: { type: 'number' },
    example: { test: { gte: 20_000 }, holds: 20_000, fails: '20000' },
  },
  lt: {
    description: 'Is a number below it.',
    operand: { type: 'number' },
    example: { test: { lt: 0 }, holds: -1, fails: 0 },
  },
  lte: {
    description: 'Is this number or one below it.',
    operand: { type: 'number' },
    example: { test: { lte: 3 }, holds: 3, fails: 3.5 },
  },
  cidr: {
    description: 'Is an IP address in that block, of IPv4 or IPv6.',
    operand: text,
    example: { test: { cidr: '10.0.0.0/8' }, holds: '10.20.30.40', fails: '192.0.2.1' },
  },
  not: {
    description:
      'Does not satisfy the test; true where the field is absent. Alone, no element of a list may ' +
      'satisfy it.',
    operand: { $ref: '#/definitions/test' },
    example: { test: { not: ['bot', 'import'] }, holds: undefined, fails: 'bot' },
  },
  exists: {
    description: 'true: is there, null included. false: is absent.',
    operand: { type: 'boolean' },
    example: { test: { exists: true }, holds: null, fails: undefined },
  },
  has_all: {
    description: 'Is a list that holds all of these.',
    operand: members,
    example: { test: { has_all: ['a', 'b'] }, holds: ['b', 'c', 'a'], fails: ['a'] },
  },
  has_only: {
    description: 'Is a list that holds nothing but these; the empty list does.',
    operand: members,
    example: { test: { has_only: ['a', 'b'] }, holds: ['a', 'a'], fails: ['a', 'c'] },
  },
  len: {
    description: 'Is a list of that many elements, or of a number in that range.',
    operand: { ...rangeSchema, type: ['integer', 'object'], minimum: 0 },
    example: { test: { len: { gte: 2, lt: 4 } }, holds: [1, 2], fails: [1] },
  },
  same_as: {
    description:
      'Equals the value at another path, whole lists and maps compared; absent equals absent.',
    operand: path,
    example: { test: { same_as: 'other' }, holds: { a: 1, b: 2 }, fails: { a: 1 } },
  },
  differs_from: {
    description: 'Does not equal the value at another path; absent differs from all that is there.',
    operand: path,
    example: { test: { differs_from: 'other' }, holds: undefined, fails: { b: 2, a: 1 } },
  },
  ci: {
    description: 'true: the tests of texts beside it ignore case (Unicode simple case folding).',
    operand: { type: 'boolean' },
    example: { test: { prefix: 'talk:', ci: true }, holds: 'TALK:C++', fails: 'C++' },
  },
  search: {
    description: 'true: `regex` need not start at the beginning of the text.',
    operand: { type: 'boolean' },
    example: { test: { regex: '[0-9]{4}', search: true }, holds: 'in 1999', fails: 'in 99' },
  },
}
