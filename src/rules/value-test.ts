import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'

/*
 * The tests of rules.md, 2, compiled to closures. A test is compiled for one element; `fieldTest`
 * then says what it means for a whole field: absent, a single value, or a list of values. A list in
 * a list is no value that a test can hold for: only one level is looked into, so that no event can
 * make matching go deep.
 */

type Scalar = null | boolean | number | string

/** Whether a field's value satisfies a test; `undefined` is an absent field. */
export type FieldTest = (value: Json | undefined) => boolean

/** Whether one element does: the value itself, or a member of the list that the value is. */
type ElementTest = (element: Json) => boolean

export interface TestContext {
  /** The `lists` of the file. */
  readonly lists: ReadonlyMap<string, Json>
  readonly reporter: Reporter
}

/** Members of one list in a rule; a longer one belongs into a service that is asked. */
const membersMax = 10_000

const operators = [
  'equals',
  'in',
  'prefix',
  'suffix',
  'contains',
  'gt',
  'gte',
  'lt',
  'lte',
  'exists',
  'not',
] as const

type Operator = (typeof operators)[number]

const laterOperators: readonly string[] = [
  'glob',
  'regex',
  'search',
  'cidr',
  'some',
  'has_all',
  'has_only',
  'len',
  'ci',
  'differs_from',
  'same_as',
]

/** Compiles the test of one path; `null` after reporting why it cannot be one. */
export function compileTest(source: Json, at: At, context: TestContext): FieldTest | null {
  if (!isJsonObject(source)) {
    const element = compileElement(source, at, context)
    return element === null ? null : someElement(element.test)
  }
  if (!checkOperators(source, at, context)) return null
  const exists = compileExists(source, at, context)
  if (exists === null) return null
  const { not } = source
  const onElements = Object.entries(source).filter(([name]) => name !== 'exists')
  if (onElements.length === 0) return (value) => (value !== undefined) === exists.wanted
  if (not === undefined || onElements.length > 1) {
    const element = compileElement(Object.fromEntries(onElements), at, context)
    return element === null ? null : someElement(element.test)
  }
  // A lone `not`: no element may satisfy it. Beside `exists: true` alone it is still lone, since
  // `exists` speaks of the field and not of its elements.
  const inner = compileNot(not, [...at, 'not'], context)
  if (inner === null) return null
  const none = noElement(inner)
  return exists.isThere ? (value) => value !== undefined && none(value) : none
}

function someElement(test: ElementTest): FieldTest {
  return (value) => {
    if (value === undefined) return false
    return Array.isArray(value) ? value.some(test) : test(value)
  }
}

function noElement(test: ElementTest): FieldTest {
  const some = someElement(test)
  return (value) => !some(value)
}

/** A test of one element, and the few values that it can hold for, where they are known. */
interface Element {
  readonly test: ElementTest
  readonly candidates: readonly Scalar[] | null
}

function compileElement(source: Json, at: At, context: TestContext): Element | null {
  if (isJsonObject(source)) return compileOperators(source, at, context)
  const members = Array.isArray(source) ? membersOf(source, at, context) : [source as Scalar] // as: neither map nor list
  if (members === null) return null
  return { test: isOneOf(members), candidates: members }
}

/** A set knows 1 from "1", and takes 0 for -0, as `===` does. */
function isOneOf(members: readonly Scalar[]): ElementTest {
  const [only] = members
  if (members.length === 1) return (element) => element === only
  const set: ReadonlySet<Json> = new Set(members)
  return (element) => set.has(element)
}

function membersOf(list: readonly Json[], at: At, { reporter }: TestContext): Scalar[] | null {
  if (list.length === 0) {
    reporter.error(at, 'impossible', 'no value is in an empty list')
    return null
  }
  if (list.length > membersMax) {
    reporter.error(at, 'too-many', `a list of ${list.length} members, above ${membersMax}`)
    return null
  }
  const scalars = list.filter(isScalarValue)
  if (scalars.length === list.length) return scalars
  const index = list.findIndex((member) => !isScalarValue(member))
  reporter.error(
    [...at, index],
    'wrong-type',
    `found ${describeValue(list[index])} in a list of values, expected a text, a number, true, false or null`,
    'alternatives that are tests of their own are written with `any`',
  )
  return null
}

function isScalarValue(value: Json): value is Scalar {
  return value === null || typeof value !== 'object'
}

function compileOperators(
  source: { readonly [key: string]: Json },
  at: At,
  context: TestContext,
): Element | null {
  const parts: { readonly name: Operator; readonly element: Element }[] = []
  for (const name of operators) {
    const operand = source[name]
    if (operand === undefined || name === 'exists') continue
    const element = compileOperator(name, operand, [...at, name], context)
    if (element === null) return null
    parts.push({ name, element })
  }
  if (isImpossible(source, parts, at, context)) return null
  const tests = parts.map(({ element }) => element.test)
  const candidates = parts.find(({ element }) => element.candidates !== null)?.element.candidates
  return { test: allOf(tests), candidates: candidates ?? null }
}

function allOf(tests: readonly ElementTest[]): ElementTest {
  const [first, second] = tests
  if (first !== undefined && second === undefined) return first
  return (element) => tests.every((test) => test(element))
}

function compileOperator(
  name: Exclude<Operator, 'exists'>,
  operand: Json,
  at: At,
  context: TestContext,
): Element | null {
  switch (name) {
    case 'equals':
      return compileEquals(operand, at, context)
    case 'in':
      return compileIn(operand, at, context)
    case 'not': {
      const inner = compileNot(operand, at, context)
      return inner === null ? null : { test: (element) => !inner(element), candidates: null }
    }
    case 'prefix':
    case 'suffix':
    case 'contains':
      return compileTextTest(name, operand, at, context)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return compileRange(name, operand, at, context)
  }
}

function compileEquals(operand: Json, at: At, { reporter }: TestContext): Element | null {
  if (isScalarValue(operand)) return { test: isOneOf([operand]), candidates: [operand] }
  const hint = Array.isArray(operand) ? 'for one of several, write the list without `equals`' : null
  const message = `found ${describeValue(operand)}, expected a text, a number, true, false or null`
  reporter.error(at, 'wrong-type', message, hint)
  return null
}

function compileIn(operand: Json, at: At, context: TestContext): Element | null {
  const { lists, reporter } = context
  if (typeof operand !== 'string') {
    const hint = Array.isArray(operand)
      ? 'write the list without `in`, or put it into `lists`'
      : null
    const message = `found ${describeValue(operand)}, expected the name of a list of this file`
    reporter.error(at, 'wrong-type', message, hint)
    return null
  }
  const list = lists.get(operand)
  if (list === undefined) {
    const message = `there is no list \`${operand}\` in this file`
    const known =
      lists.size === 0 ? 'the file has no `lists`' : `lists are ${[...lists.keys()].join(', ')}`
    reporter.error(at, 'unknown-list', message, didYouMean(operand, lists.keys()) ?? known)
    return null
  }
  if (!Array.isArray(list)) {
    reporter.error(at, 'wrong-type', `\`${operand}\` is ${describeValue(list)}, expected a list`)
    return null
  }
  if (list.length === 0) {
    reporter.error(at, 'impossible', `no value is in \`${operand}\`: the list is empty`)
    return null
  }
  const members = membersOf(list as readonly Json[], ['lists', operand], context) // as: an array of a Json value
  return members === null ? null : { test: isOneOf(members), candidates: members }
}

function compileNot(operand: Json, at: At, context: TestContext): ElementTest | null {
  const { reporter } = context
  if (isJsonObject(operand)) {
    if (!checkOperators(operand, at, context)) return null
    if (Object.hasOwn(operand, 'exists')) {
      const hint = 'write `exists: true` for present, `exists: false` for absent'
      reporter.errorAtKey(
        [...at, 'exists'],
        'bad-test',
        '`not` is about a value, not about presence',
        hint,
      )
      return null
    }
    if (Object.keys(operand).length === 1 && Object.hasOwn(operand, 'not')) {
      reporter.errorAtKey([...at, 'not'], 'bad-test', '`not` of `not`', 'write the inner test')
      return null
    }
  }
  return compileElement(operand, at, context)?.test ?? null
}

function compileTextTest(
  name: 'prefix' | 'suffix' | 'contains',
  operand: Json,
  at: At,
  { reporter }: TestContext,
): Element | null {
  if (typeof operand !== 'string') {
    const isQuotable = typeof operand === 'number' || typeof operand === 'boolean'
    const hint = isQuotable ? `for a text, write it in quotes: "${operand}"` : null
    reporter.error(at, 'wrong-type', `found ${describeValue(operand)}, expected a text`, hint)
    return null
  }
  if (operand === '') {
    const hint = 'write `exists: true` if it only has to be there'
    reporter.error(at, 'bad-test', `an empty \`${name}\` holds for every text`, hint)
    return null
  }
  const tests = {
    prefix: (element: Json) => typeof element === 'string' && element.startsWith(operand),
    suffix: (element: Json) => typeof element === 'string' && element.endsWith(operand),
    contains: (element: Json) => typeof element === 'string' && element.includes(operand),
  }
  return { test: tests[name], candidates: null }
}

type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'

function compileRange(
  name: RangeOperator,
  operand: Json,
  at: At,
  { reporter }: TestContext,
): Element | null {
  if (typeof operand !== 'number') {
    const hint = typeof operand === 'string' ? 'without quotes if it is meant as a number' : null
    reporter.error(at, 'wrong-type', `found ${describeValue(operand)}, expected a number`, hint)
    return null
  }
  const tests = {
    gt: (element: Json) => typeof element === 'number' && element > operand,
    gte: (element: Json) => typeof element === 'number' && element >= operand,
    lt: (element: Json) => typeof element === 'number' && element < operand,
    lte: (element: Json) => typeof element === 'number' && element <= operand,
  }
  return { test: tests[name], candidates: null }
}

/** Reports keys that are no operators; `false` when there was one, or no key at all. */
function checkOperators(
  source: { readonly [key: string]: Json },
  at: At,
  { reporter }: TestContext,
): boolean {
  const names = Object.keys(source)
  if (names.length === 0) {
    reporter.error(at, 'empty-condition', 'a map without a test')
    return false
  }
  const known: readonly string[] = operators
  const unknown = names.filter((name) => !known.includes(name))
  for (const name of unknown) {
    if (laterOperators.includes(name)) {
      reporter.errorAtKey([...at, name], 'not-supported-yet', `\`${name}\` is not supported yet`)
      continue
    }
    const near = didYouMean(name, [...known, ...laterOperators])
    const path = String(at.at(-1))
    const hint = ['any', 'all', 'none'].includes(name)
      ? `\`${name}\` stands beside paths and holds whole conditions`
      : `a field below is written with its path: \`${path}.${name}\`; tests are ${known.join(', ')}`
    reporter.errorAtKey(
      [...at, name],
      'unknown-operator',
      `there is no test \`${name}\``,
      near ?? hint,
    )
  }
  return unknown.length === 0
}

/** What `exists` asks for; `isThere` when it is written and true. */
function compileExists(
  source: { readonly [key: string]: Json },
  at: At,
  { reporter }: TestContext,
): { readonly wanted: boolean; readonly isThere: boolean } | null {
  const exists = source['exists']
  if (exists === undefined) return { wanted: true, isThere: false }
  if (typeof exists !== 'boolean') {
    const message = `found ${describeValue(exists)}, expected true or false`
    reporter.error([...at, 'exists'], 'wrong-type', message)
    return null
  }
  const [beside] = Object.keys(source).filter((name) => name !== 'exists')
  if (!exists && beside !== undefined) {
    const message = `an absent field has no value for \`${beside}\` to hold for`
    reporter.errorAtKey([...at, 'exists'], 'impossible', message)
    return null
  }
  return { wanted: exists, isThere: exists }
}

const textOperators: readonly Operator[] = ['prefix', 'suffix', 'contains']
const rangeOperators: readonly Operator[] = ['gt', 'gte', 'lt', 'lte']

/** Whether no single value can satisfy all operators of one map; reported where it is so. */
function isImpossible(
  source: { readonly [key: string]: Json },
  parts: readonly { readonly name: Operator; readonly element: Element }[],
  at: At,
  { reporter }: TestContext,
): boolean {
  const text = parts.find(({ name }) => textOperators.includes(name))?.name
  const range = parts.find(({ name }) => rangeOperators.includes(name))?.name
  const refuse = (name: Operator, message: string): true => {
    reporter.errorAtKey([...at, name], 'impossible', message)
    return true
  }
  if (text !== undefined && range !== undefined) {
    return refuse(range, `no value is a text (\`${text}\`) and a number (\`${range}\`)`)
  }
  const interval = emptyInterval(source)
  if (interval !== null) return refuse(interval.upper, interval.message)
  const finite = parts.find(({ element }) => element.candidates !== null)
  if (finite === undefined) return false
  let left = finite.element.candidates ?? []
  for (const { name, element } of parts) {
    left = left.filter((candidate) => element.test(candidate))
    if (left.length === 0) {
      return refuse(name, `no value of \`${finite.name}\` can satisfy \`${name}\``)
    }
  }
  return false
}

function emptyInterval(source: {
  readonly [key: string]: Json
}): { readonly upper: RangeOperator; readonly message: string } | null {
  for (const lower of ['gt', 'gte'] as const) {
    for (const upper of ['lt', 'lte'] as const) {
      const from = source[lower]
      const to = source[upper]
      if (typeof from !== 'number' || typeof to !== 'number') continue
      const isEmpty = lower === 'gte' && upper === 'lte' ? from > to : from >= to
      if (isEmpty)
        return { upper, message: `no number is \`${lower}: ${from}\` and \`${upper}: ${to}\`` }
    }
  }
  return null
}
