import type { Json, JsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import { blockKeys, type ElementTest, type FieldTest } from './condition.ts'
import { synonymHint } from './operator-synonyms.ts'

/** What the tests of a rule are parsed against. */
export interface TestContext {
  /** The `lists` of the file. */
  readonly lists: ReadonlyMap<string, Json>
  readonly reporter: Reporter
}

/** Of one element: the value itself, or a member of the list that the value is. */
export const elementOperators = [
  'equals',
  'in',
  'prefix',
  'suffix',
  'contains',
  'glob',
  'regex',
  'gt',
  'gte',
  'lt',
  'lte',
  'cidr',
  'not',
] as const

/** Of the value as a whole. */
export const wholeOperators = [
  'exists',
  'has_all',
  'has_only',
  'len',
  'same_as',
  'differs_from',
] as const

/** No tests of their own: how the tests beside them are meant. */
const modifiers = ['ci', 'search'] as const

export type ElementOperator = (typeof elementOperators)[number]
export type WholeOperator = (typeof wholeOperators)[number]
export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'
type TextOperator = 'prefix' | 'suffix' | 'contains' | 'glob' | 'regex'

export const rangeOperators: readonly RangeOperator[] = ['gt', 'gte', 'lt', 'lte']
const textOperators: readonly TextOperator[] = ['prefix', 'suffix', 'contains', 'glob', 'regex']

/** A test of one element, under the operator that it was written with. */
export interface ElementPart {
  readonly name: ElementOperator
  readonly test: ElementTest
}

/** A test of the value as a whole, under the operator that it was written with. */
export interface WholePart {
  readonly name: WholeOperator
  readonly test: FieldTest
}

/** Every key of a map of tests. */
export const operators: readonly string[] = [...elementOperators, ...wholeOperators, ...modifiers]

/** Reports keys that are no operators; `false` when there was one, or no test at all. */
export function checkOperators(source: JsonObject, at: At, { reporter }: TestContext): boolean {
  const names = Object.keys(source)
  if (names.length === 0) {
    reporter.error(at, 'empty-condition', 'a map without a test')
    return false
  }
  const unknown = names.filter((name) => !operators.includes(name))
  for (const name of unknown) {
    const message = `there is no test \`${name}\``
    reporter.errorAtKey([...at, name], 'unknown-operator', message, operatorHint(name, at))
  }
  return unknown.length === 0
}

function operatorHint(name: string, at: At): string {
  if ((blockKeys as readonly string[]).includes(name)) {
    return `\`${name}\` stands beside paths and holds whole conditions`
  }
  const below = `a field below is written with its path: \`${pathOfTest(at)}.${name}\``
  const synonym = synonymHint(name)
  if (synonym !== null) return `${synonym}; ${below}`
  return didYouMean(name, operators) ?? `${below}; tests are ${operators.join(', ')}`
}

/** The path that a test is about, as written. */
export function pathOfTest(at: At): string {
  return String(at.findLast((step) => step !== 'not'))
}

/** `search` stands beside `regex`, and `ci` beside a test of texts; `null` after reporting. */
export function parseModifiers(
  source: JsonObject,
  at: At,
  { reporter }: TestContext,
): { readonly ci: boolean; readonly search: boolean } | null {
  const { ci = false, search = false } = source
  let isGood = true
  for (const [name, value] of [
    ['ci', ci],
    ['search', search],
  ] as const) {
    if (typeof value === 'boolean') continue
    const message = `found ${describeValue(value)}, expected true or false`
    reporter.error([...at, name], 'wrong-type', message)
    isGood = false
  }
  if (source['search'] !== undefined && source['regex'] === undefined) {
    const message = '`search` says how a `regex` is looked for, and there is none beside it'
    reporter.errorAtKey([...at, 'search'], 'bad-test', message)
    isGood = false
  }
  const isText = textOperators.some((name) => source[name] !== undefined)
  const isValue = source['equals'] !== undefined || source['in'] !== undefined
  if (source['ci'] !== undefined && !isText && !isValue) {
    const message = '`ci` is about the tests of texts beside it, and there is none'
    const hint =
      source['not'] === undefined
        ? '`{ equals: text, ci: true }` equals a text whatever its case'
        : 'write it with the test that it is about: `not: { equals: text, ci: true }`'
    reporter.errorAtKey([...at, 'ci'], 'bad-test', message, hint)
    isGood = false
  }
  return isGood ? { ci: ci === true, search: search === true } : null
}
