import { compileElementTest } from './compile-test.ts'
import type { ElementTest, FieldPath, FieldTest, Scalar } from './condition.ts'
import type { Fact } from './parse-facts.ts'
import { areApart } from './parse-impossible.ts'
import { both, hasWholeNumber } from './parse-interval.ts'

/** Whether two facts cannot both hold, as seen from the first. */
export function excludes(a: Fact, b: Fact): boolean {
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
