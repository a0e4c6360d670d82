import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import type { At } from '../schema/yaml-document.ts'
import { foldCase } from './case-folding.ts'
import { isCidr, parseCidr } from './cidr.ts'
import type { ElementTest, Scalar } from './condition.ts'
import { parseGlob, soughtCharsMax } from './glob.ts'
import { refuseImpossibleElement } from './parse-impossible.ts'
import { parseRange } from './parse-interval.ts'
import { foldMembers, isScalar, parseListName, parseMembers } from './parse-members.ts'
import {
  checkOperators,
  elementOperators,
  parseModifiers,
  pathOfTest,
  rangeOperators,
  type ElementOperator,
  type ElementPart,
  type TestContext,
} from './parse-operators.ts'
import { compileRegex } from './regex.ts'

/** UTF-16 units of a text that a test is written with, as of a regex; far above any real one. */
const textCharsMax = 1_000

interface Modifiers {
  readonly ci: boolean
  readonly search: boolean
}

/** Parses what is asked of one element; `null` after reporting why it cannot be asked. */
export function parseElement(source: Json, at: At, context: TestContext): ElementTest | null {
  if (!isJsonObject(source)) return parseValues(source, at, context)
  if (!checkOperators(source, at, context)) return null
  const parts = parseElementParts(source, at, context)
  return parts === null ? null : elementOf(parts)
}

/** All of the parts, which are at least one, on one element. */
export function elementOf(parts: readonly ElementPart[]): ElementTest {
  const tests = parts.map(({ test }) => test)
  const [only] = tests
  return only !== undefined && tests.length === 1 ? only : { kind: 'every', tests }
}

/** A value, or a list of values one of which it has to be. */
function parseValues(source: Json, at: At, context: TestContext): ElementTest | null {
  const values = parseEquals(source, at, context)
  return values === null ? null : { kind: 'one-of', values, ci: false, list: null }
}

/** The tests of one element in a map of operators, perhaps none; operators of wholes are passed by. */
export function parseElementParts(
  source: JsonObject,
  at: At,
  context: TestContext,
): readonly ElementPart[] | null {
  const modifiers = parseModifiers(source, at, context)
  if (modifiers === null) return null
  const parts: ElementPart[] = []
  let isGood = true
  for (const name of elementOperators) {
    const operand = source[name]
    if (operand === undefined) continue
    // The ends of a range are one test, under the first of them.
    if (isRange(name) && name !== rangeOperators.find((end) => source[end] !== undefined)) continue
    const test = parseOperator({ name, operand, source, modifiers }, at, context)
    if (test === null) isGood = false
    else parts.push({ name, test })
  }
  if (!isGood || foldsNothing(parts, modifiers, at, context)) return null
  return refuseImpossibleElement(parts, at, context) ? null : parts
}

function isRange(name: ElementOperator): boolean {
  return (rangeOperators as readonly string[]).includes(name)
}

interface Written {
  readonly name: ElementOperator
  readonly operand: Json
  readonly source: JsonObject
  readonly modifiers: Modifiers
}

function parseOperator(
  { name, operand, source, modifiers }: Written,
  mapAt: At,
  context: TestContext,
): ElementTest | null {
  const at = [...mapAt, name]
  const { ci } = modifiers
  switch (name) {
    case 'equals':
    case 'in': {
      const parse = name === 'in' ? parseListName : parseEquals
      const members = parse(operand, at, context)
      if (members === null) return null
      const list = name === 'in' && typeof operand === 'string' ? operand : null
      return { kind: 'one-of', values: ci ? foldMembers(members) : members, ci, list }
    }
    case 'not': {
      const test = checkNot(operand, at, context) ? parseElement(operand, at, context) : null
      return test === null ? null : { kind: 'not', test }
    }
    case 'prefix':
    case 'suffix':
    case 'contains': {
      const text = parseText(name, operand, at, context)
      const charsMax = name === 'contains' ? soughtCharsMax : textCharsMax
      if (text === null || isTooLong(text, charsMax, at, context)) return null
      return { kind: name, text: ci ? foldCase(text) : text, ci }
    }
    case 'glob':
      return parseGlobTest(operand, ci, at, context)
    case 'regex':
      return parseRegex(operand, modifiers, at, context)
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const interval = parseRange(source, mapAt, context)
      return interval === null ? null : { kind: 'range', interval }
    }
    case 'cidr':
      return parseBlockOfAddresses(operand, at, context)
  }
}

function parseEquals(source: Json, at: At, context: TestContext): ReadonlySet<Scalar> | null {
  const { reporter } = context
  if (isScalar(source)) return new Set([source])
  if (!Array.isArray(source)) {
    const message = `found ${describeValue(source)}, expected a text, a number, true, false or null`
    reporter.error(at, 'wrong-type', message)
    return null
  }
  if (source.length === 0) {
    reporter.error(at, 'impossible', 'no value is in an empty list')
    return null
  }
  return parseMembers(source as readonly Json[], at, context) // as: an array of a Json value
}

/** Whether a test can stand below `not`; reported when it cannot. */
export function checkNot(operand: Json, at: At, context: TestContext): boolean {
  const { reporter } = context
  if (!isJsonObject(operand)) return true
  if (!checkOperators(operand, at, context)) return false
  if (Object.hasOwn(operand, 'exists')) {
    const hint = 'write `exists: true` for present, `exists: false` for absent'
    const message = '`not` is about a value, not about presence'
    reporter.errorAtKey([...at, 'exists'], 'bad-test', message, hint)
    return false
  }
  if (Object.keys(operand).length === 1 && Object.hasOwn(operand, 'not')) {
    reporter.errorAtKey([...at, 'not'], 'bad-test', '`not` of `not`', 'write the inner test')
    return false
  }
  return true
}

function parseText(
  name: 'prefix' | 'suffix' | 'contains' | 'glob' | 'regex' | 'cidr',
  operand: Json,
  at: At,
  { reporter }: TestContext,
): string | null {
  if (typeof operand !== 'string') {
    const isQuotable = typeof operand === 'number' || typeof operand === 'boolean'
    const hint = isQuotable
      ? `for a text, write it in quotes: "${operand}"`
      : Array.isArray(operand)
        ? alternativesHint(name, at)
        : null
    reporter.error(at, 'wrong-type', `found ${describeValue(operand)}, expected a text`, hint)
    return null
  }
  if (operand === '' && name === 'glob') {
    const hint = 'the empty text is `equals: ""`'
    reporter.error(at, 'bad-test', 'an empty `glob` holds for the empty text alone', hint)
    return null
  }
  if (operand === '' && name !== 'cidr') {
    const hint = 'write `exists: true` if it only has to be there'
    reporter.error(at, 'bad-test', `an empty \`${name}\` holds for every text`, hint)
    return null
  }
  return operand
}

/** One text each; below `not` it is `none` that takes several. */
function alternativesHint(name: string, at: At): string {
  const word = at.at(-2) === 'not' ? 'none' : 'any'
  return `alternatives: \`${word}: [ { ${pathOfTest(at.slice(0, -1))}: { ${name}: .. } }, .. ]\``
}

function parseGlobTest(
  operand: Json,
  ci: boolean,
  at: At,
  context: TestContext,
): ElementTest | null {
  const source = parseText('glob', operand, at, context)
  if (source === null || isTooLong(source, textCharsMax, at, context)) return null
  const glob = parseGlob(source, ci)
  const longest = Math.max(0, ...glob.pieces.slice(1, -1).map((piece) => piece.length))
  if (longest <= soughtCharsMax) return { kind: 'glob', glob, ci }
  const message = `a text of ${longest} characters between two stars, above ${soughtCharsMax}`
  context.reporter.error(at, 'bad-test', message, 'the part of it that tells texts apart is enough')
  return null
}

/** Whether a rule asks for a text that is above a bound; reported when it does. */
function isTooLong(text: string, charsMax: number, at: At, { reporter }: TestContext): boolean {
  if (text.length <= charsMax) return false
  const message = `a text of ${text.length} characters, above ${charsMax}`
  reporter.error(at, 'bad-test', message, 'the part of it that tells texts apart is enough')
  return true
}

function parseRegex(
  operand: Json,
  modifiers: Modifiers,
  at: At,
  context: TestContext,
): ElementTest | null {
  const source = parseText('regex', operand, at, context)
  if (source === null) return null
  const compiled = compileRegex(source, modifiers)
  if (compiled.ok) return { kind: 'regex', regex: compiled.regex }
  const place = compiled.offset === null ? '' : `, at character ${compiled.offset + 1}`
  context.reporter.error(at, 'bad-test', compiled.message + place, compiled.hint)
  return null
}

function parseBlockOfAddresses(operand: Json, at: At, context: TestContext): ElementTest | null {
  const source = parseText('cidr', operand, at, context)
  if (source === null) return null
  const cidr = parseCidr(source)
  if (isCidr(cidr)) return { kind: 'cidr', cidr }
  context.reporter.error(at, 'bad-test', cidr.message, cidr.hint)
  return null
}

/** Whether `ci` stands beside values none of which is a text; reported when it does. */
function foldsNothing(
  parts: readonly ElementPart[],
  { ci }: Modifiers,
  at: At,
  { reporter }: TestContext,
): boolean {
  const isFolded = parts.some(({ test }) =>
    test.kind === 'one-of'
      ? test.ci && [...test.values].some((value) => typeof value === 'string')
      : ['prefix', 'suffix', 'contains', 'glob', 'regex'].includes(test.kind),
  )
  if (!ci || isFolded) return false
  reporter.errorAtKey([...at, 'ci'], 'bad-test', '`ci` is about texts, and there is none beside it')
  return true
}
