import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import type { At } from '../schema/yaml-document.ts'
import type { FieldPath, FieldTest, Scalar } from './condition.ts'
import { isFieldPath, parseFieldPath } from './field-path.ts'
import { checkNot, elementOf, parseElement, parseElementParts } from './parse-element.ts'
import { refuseImpossibleField } from './parse-impossible.ts'
import { parseLen } from './parse-interval.ts'
import { parseMembers } from './parse-members.ts'
import {
  checkOperators,
  wholeOperators,
  type ElementPart,
  type TestContext,
  type WholeOperator,
  type WholePart,
} from './parse-operators.ts'

/** Where a test stands. */
export interface Place extends TestContext {
  /** Where its paths start: the event, or the element of the `some` that it stands in. */
  readonly from: 'event' | 'element'
}

/** Parses what is asked of the value at a path; `null` after reporting why it cannot be asked. */
export function parseTest(source: Json, at: At, place: Place): FieldTest | null {
  if (!isJsonObject(source)) {
    const test = parseElement(source, at, place)
    return test === null ? null : { kind: 'element', test }
  }
  if (!checkOperators(source, at, place)) return null
  return parseOperators(source, at, place)
}

function parseOperators(source: JsonObject, at: At, place: Place): FieldTest | null {
  const { not, ...besideNot } = source
  const isWholeNot = not !== undefined && isOfWhole(not)
  const wholes = parseWholes(source, at, place)
  const negated = isWholeNot ? parseWholeNot(not, [...at, 'not'], place) : undefined
  const parts = parseElementParts(isWholeNot ? besideNot : source, at, place)
  if (wholes === null || negated === null || parts === null) return null
  if (refuseImpossibleField(wholes, parts, at, place)) return null
  const tests = wholes.map(({ test }) => test)
  if (negated !== undefined) tests.push(negated)
  if (parts.length > 0) tests.push(ofElements(parts))
  const [only] = tests
  if (only !== undefined && tests.length === 1) return only
  if (only !== undefined) return { kind: 'every', tests }
  place.reporter.error(at, 'empty-condition', 'a map without a test')
  return null
}

/** A lone `not` is satisfied by no element; beside other tests, by the one that satisfies them. */
function ofElements(parts: readonly ElementPart[]): FieldTest {
  const test = elementOf(parts)
  if (test.kind !== 'not') return { kind: 'element', test }
  return { kind: 'not', test: { kind: 'element', test: test.test } }
}

function parseWholeNot(operand: Json, at: At, place: Place): FieldTest | null {
  if (!checkNot(operand, at, place)) return null
  const test = parseTest(operand, at, place)
  return test === null ? null : { kind: 'not', test }
}

/** Whether a test speaks of the value as a whole, below `not` as well. */
function isOfWhole(test: Json): boolean {
  if (!isJsonObject(test)) return false
  const { not } = test
  return (
    wholeOperators.some((name) => test[name] !== undefined) || (not !== undefined && isOfWhole(not))
  )
}

function parseWholes(source: JsonObject, at: At, place: Place): readonly WholePart[] | null {
  const parts: WholePart[] = []
  let isGood = true
  for (const name of wholeOperators) {
    const operand = source[name]
    if (operand === undefined) continue
    const test = parseWhole(name, operand, [...at, name], place)
    if (test === null) isGood = false
    else parts.push({ name, test })
  }
  return isGood ? parts : null
}

function parseWhole(name: WholeOperator, operand: Json, at: At, place: Place): FieldTest | null {
  switch (name) {
    case 'exists':
      return parseExists(operand, at, place)
    case 'has_all':
    case 'has_only': {
      const members = parseWanted(name, operand, at, place)
      return members === null
        ? null
        : { kind: name === 'has_all' ? 'has-all' : 'has-only', members }
    }
    case 'len': {
      const interval = parseLen(operand, at, place)
      return interval === null ? null : { kind: 'len', interval }
    }
    case 'same_as':
    case 'differs_from': {
      const path = parseOtherPath(operand, at, place)
      return path === null ? null : { kind: name === 'same_as' ? 'same-as' : 'differs-from', path }
    }
  }
}

function parseExists(operand: Json, at: At, { reporter }: Place): FieldTest | null {
  if (typeof operand === 'boolean') return { kind: operand ? 'present' : 'absent' }
  const message = `found ${describeValue(operand)}, expected true or false`
  reporter.error(at, 'wrong-type', message)
  return null
}

function parseWanted(
  name: 'has_all' | 'has_only',
  operand: Json,
  at: At,
  place: Place,
): ReadonlySet<Scalar> | null {
  const { reporter } = place
  if (!Array.isArray(operand)) {
    const message = `found ${describeValue(operand)}, expected a list of values`
    reporter.error(at, 'wrong-type', message, 'a list is written `[one, two]`, or `- ` per line')
    return null
  }
  if (operand.length > 0) return parseMembers(operand as readonly Json[], at, place) // as: an array of a Json value
  const [meaning, hint] =
    name === 'has_all'
      ? ['every list', 'write `len: { gte: 0 }` if it only has to be a list']
      : ['the empty list alone', 'write `len: 0`']
  reporter.error(at, 'bad-test', `an empty \`${name}\` holds for ${meaning}`, hint)
  return null
}

function parseOtherPath(operand: Json, at: At, { reporter, from }: Place): FieldPath | null {
  if (typeof operand !== 'string') {
    const message = `found ${describeValue(operand)}, expected a path`
    reporter.error(at, 'wrong-type', message, 'for a value write `equals`, or `not`')
    return null
  }
  const path = parseFieldPath(operand, from)
  if (isFieldPath(path)) return path
  reporter.error(at, 'bad-path', path.message, path.hint)
  return null
}
