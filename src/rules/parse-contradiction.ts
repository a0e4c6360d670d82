import type { Json } from '../model/json.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import { compileElementTest } from './compile-test.ts'
import type { Condition, ElementTest, FieldPath, FieldTest, Scalar } from './condition.ts'
import { areApart } from './parse-impossible.ts'
import { both, hasWholeNumber } from './parse-interval.ts'

/*
 * Tests of one condition that cannot hold together, wherever they stand in it: all that has to hold
 * is gathered as facts, and each is held against those before it. Told only where it is certain. Two
 * tests of one field are not, as a rule: a list may satisfy one by this element and the other by
 * that.
 */

/** Something that has to hold for a condition to hold. */
interface Fact {
  readonly path: FieldPath
  readonly test: FieldTest
  /** As written. */
  readonly text: string
  /** It stands below `none`: what is written must not hold, and `test` is the opposite of it. */
  readonly isNegated: boolean
  readonly at: At
}

interface Contradiction {
  readonly at: At
  readonly message: string
}

/** Facts that are held against each other: above it they were generated, and none is looked for. */
const factsMax = 500

/** Reports that a condition can never hold, if that is certain; at most once. */
export function refuseContradiction(condition: Condition, reporter: Reporter): boolean {
  const found = findContradiction(condition, [], reporter)
  if (found === null) return false
  reporter.errorAtKey(found.at, 'impossible', found.message)
  return true
}

function findContradiction(
  condition: Condition,
  above: readonly Fact[],
  reporter: Reporter,
): Contradiction | null {
  const facts = [...above]
  const { certain, choices, lists } = partsOf(condition)
  for (const fact of certain) {
    if (facts.length >= factsMax) return null
    const other = facts.find((one) => excludes(one, fact) || excludes(fact, one))
    if (excludes(fact, fact)) {
      return { at: fact.at, message: `\`${fact.text}\` can never hold` }
    }
    if (other !== undefined) {
      return { at: fact.at, message: messageOf(fact, other, reporter.lineOf(other.at)) }
    }
    facts.push(fact)
  }
  for (const where of lists) {
    const found = findContradiction(where, [], reporter)
    if (found !== null) return found
  }
  for (const { of, at } of choices) {
    const found = of.map((branch) => findContradiction(branch, facts, reporter))
    const [first] = found
    if (first == null || found.some((one) => one === null)) continue
    return { at, message: `no branch of \`any\` can hold: ${first.message}` }
  }
  return null
}

function messageOf(fact: Fact, other: Fact, line: number): string {
  const [text, place] = [`\`${fact.text}\``, `\`${other.text}\` in line ${line}`]
  if (fact.isNegated) return `${text} must not hold, and always does beside ${place}`
  if (other.isNegated) return `${text} can never hold where ${place} must not`
  return `${text} can never hold beside ${place}`
}

interface Parts {
  /** In the order in which they are written. */
  readonly certain: readonly Fact[]
  /** Some branch of each has to hold. */
  readonly choices: readonly { readonly of: readonly Condition[]; readonly at: At }[]
  /** The `where` of each has to hold for some element. */
  readonly lists: readonly Condition[]
}

const noParts: Parts = { certain: [], choices: [], lists: [] }

function partsOf(condition: Condition): Parts {
  switch (condition.kind) {
    case 'test': {
      const { path, test, written, at } = condition
      return {
        ...noParts,
        certain: factsOf({ path, test, text: textAt(path, written), isNegated: false, at }),
      }
    }
    case 'all': {
      const parts = condition.of.map(partsOf)
      return {
        certain: parts.flatMap(({ certain }) => certain),
        choices: parts.flatMap(({ choices }) => choices),
        lists: parts.flatMap(({ lists }) => lists),
      }
    }
    case 'any':
      return { ...noParts, choices: [condition] }
    case 'none':
      // Of a block of several tests it is not certain which one does not hold.
      return { ...noParts, certain: condition.of.flatMap(factsOfNone) }
    case 'some': {
      const { path, where, at } = condition
      const interval = { min: 1, minOpen: false, max: Infinity, maxOpen: false }
      const text = `some: { path: ${path.text} }`
      const test: FieldTest = { kind: 'len', interval }
      const certain: Fact = { path, test, text, isNegated: false, at }
      return { ...noParts, certain: [certain], lists: [where] }
    }
    case 'expr':
      return noParts
  }
}

function factsOfNone(condition: Condition): readonly Fact[] {
  if (condition.kind !== 'test') return []
  const { path, test, written, at } = condition
  return [{ path, test: negated(test), text: textAt(path, written), isNegated: true, at }]
}

function negated(test: FieldTest): FieldTest {
  switch (test.kind) {
    case 'present':
      return { kind: 'absent' }
    case 'absent':
      return { kind: 'present' }
    case 'not':
      return test.test
    case 'same-as':
      return { kind: 'differs-from', path: test.path }
    case 'differs-from':
      return { kind: 'same-as', path: test.path }
    case 'element':
    case 'every':
    case 'has-all':
    case 'has-only':
    case 'len':
      return { kind: 'not', test }
  }
}

/** A map of operators holds when each of its tests does. */
function factsOf(fact: Fact): readonly Fact[] {
  if (fact.test.kind !== 'every') return [fact]
  return fact.test.tests.flatMap((test) => factsOf({ ...fact, test }))
}

/** Whether two facts cannot both hold, as seen from the first. */
function excludes(a: Fact, b: Fact): boolean {
  if (a.path.from === b.path.from && isBelow(b.path, a.path)) {
    return needsPresence(b.test) && leavesNothingBelow(a.test)
  }
  if (a.path.text !== b.path.text || a.path.from !== b.path.from) return false
  if (a.test.kind === 'differs-from' && isSamePath(a.test.path, a.path)) return true
  const isScalar = a.path.from === 'record' // which is never a list
  return isScalar && a.test.kind === 'element' && b.test.kind === 'element'
    ? areApart([a.test.test, b.test.test])
    : testsExclude(a.test, b.test)
}

function isSamePath(a: FieldPath, b: FieldPath): boolean {
  return a.from === b.from && a.text === b.text
}

function isBelow(below: FieldPath, above: FieldPath): boolean {
  return (
    below.steps.length > above.steps.length &&
    above.steps.length > 0 &&
    above.steps.every((step, i) => step === below.steps[i])
  )
}

function needsPresence({ kind }: FieldTest): boolean {
  return ['present', 'element', 'has-all', 'has-only', 'len'].includes(kind)
}

/** A value that is no map, or nothing, has no field below it. */
function leavesNothingBelow({ kind }: FieldTest): boolean {
  return ['absent', 'element', 'has-all', 'has-only', 'len'].includes(kind)
}

function testsExclude(a: FieldTest, b: FieldTest): boolean {
  switch (a.kind) {
    case 'absent':
      return needsPresence(b)
    case 'not':
      return isImplied(b, a.test)
    case 'len':
      if (b.kind === 'len') return !hasWholeNumber(both(a.interval, b.interval))
      return !hasWholeNumber({ ...a.interval, min: Math.max(a.interval.min, leastElements(b)) })
    case 'has-only':
      return leavesOut(a.members, b)
    case 'same-as':
      return b.kind === 'differs-from' && isSamePath(a.path, b.path)
    case 'present':
    case 'element':
    case 'every':
    case 'has-all':
    case 'differs-from':
      return false
  }
}

/** Elements that a list has to have to satisfy a test. */
function leastElements(test: FieldTest): number {
  if (test.kind === 'has-all') return test.members.size
  return test.kind === 'element' ? 1 : 0
}

/** Whether a test asks for a member that is none of `allowed`. */
function leavesOut(allowed: ReadonlySet<Scalar>, test: FieldTest): boolean {
  if (test.kind === 'has-all') return [...test.members].some((member) => !allowed.has(member))
  if (test.kind !== 'element' || allowed.size > valuesMax) return false
  const check = compileElementTest(test.test)
  // Beside `has_only` the value is a list, and its elements are among the allowed.
  return [...allowed].every((member) => check(member) === false)
}

/** Values that are tried one by one; of more it is not asked. */
const valuesMax = 1_000

/** Whether what satisfies `fact` satisfies `test` for certain. */
function isImplied(fact: FieldTest, test: FieldTest): boolean {
  if (fact.kind === 'element' && test.kind === 'element') {
    return impliesElement(fact.test, test.test)
  }
  if (fact.kind === 'has-all' && test.kind === 'element') {
    const check = compileElementTest(test.test)
    return [...fact.members].slice(0, valuesMax).some((member) => check(member) === true)
  }
  return isEqual(fact, test)
}

/** Whether every element that satisfies `fact` satisfies `test`. */
function impliesElement(fact: ElementTest, test: ElementTest): boolean {
  if (isEqual(fact, test)) return true
  if (fact.kind === 'every') return fact.tests.some((one) => impliesElement(one, test))
  if (test.kind === 'every') return test.tests.every((one) => impliesElement(fact, one))
  // Folded, a text stands for its other cases as well, of which the test may ask for one.
  if (fact.kind !== 'one-of' || fact.ci || fact.values.size > valuesMax) return false
  const check = compileElementTest(test)
  return [...fact.values].every((value) => check(value) === true)
}

/** The same test, written twice. A regex is not compared: it does not say whether it minds case. */
function isEqual(a: FieldTest | ElementTest, b: FieldTest | ElementTest): boolean {
  if (a === b) return true
  const [textA, textB] = [textOf(a), textOf(b)]
  return textA !== null && textA === textB
}

function textOf(test: FieldTest | ElementTest): string | null {
  let isComparable = true
  const text = JSON.stringify(test, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'kind' in value) {
      isComparable &&= value.kind !== 'regex'
    }
    if (!(value instanceof Set)) return value
    isComparable &&= value.size <= valuesMax
    return isComparable ? [...value].map((one) => JSON.stringify(one)).sort() : null
  })
  return isComparable ? text : null
}

const shownMax = 40

function textAt(path: FieldPath, written: Json): string {
  const text = JSON.stringify(written)
  return `${path.text}: ${text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}`
}
