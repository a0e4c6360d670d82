import { compileElementTest } from '../compile-test.ts'
import type { ElementTest, FieldPath, FieldTest, Scalar } from '../condition.ts'
import { impliesElement, isWithin } from './implies-element.ts'

/**
 * Whether every value of a field, absent included, that satisfies `a` satisfies `b` as well, or leaves
 * it in doubt. False where that is not certain: what one element of a list satisfies says nothing of
 * another.
 */
export function impliesField(a: FieldTest, b: FieldTest): boolean {
  if (b.kind === 'every') return b.tests.every((one) => impliesField(a, one))
  if (a.kind === 'every') return a.tests.some((one) => impliesField(one, b))
  if (b.kind === 'not') return refutesField(a, b.test)
  switch (b.kind) {
    case 'present':
      return needsValue(a)
    case 'absent':
      return a.kind === 'absent' || (a.kind === 'not' && a.test.kind === 'present')
    case 'element':
      if (a.kind === 'element') return impliesElement(a.test, b.test)
      return a.kind === 'has-all' && [...a.members].some((one) => satisfies(one, b.test))
    case 'has-all':
      return a.kind === 'has-all' && [...b.members].every((one) => a.members.has(one))
    case 'has-only':
      return a.kind === 'has-only' && [...a.members].every((one) => b.members.has(one))
    case 'len':
      return a.kind === 'len' && isWithin(a.interval, b.interval)
    case 'same-as':
    case 'differs-from':
      return a.kind === b.kind && isSamePath(a.path, b.path)
  }
}

function satisfies(value: Scalar, test: ElementTest): boolean {
  return compileElementTest(test)(value) === true
}

/** Whether no value that satisfies `a` satisfies `b`. */
export function refutesField(a: FieldTest, b: FieldTest): boolean {
  if (b.kind === 'every') return b.tests.some((one) => refutesField(a, one))
  if (a.kind === 'every') return a.tests.some((one) => refutesField(one, b))
  if (b.kind === 'not') return impliesField(a, b.test)
  if (a.kind === 'not') return impliesField(b, a.test)
  if (a.kind === 'absent') return needsValue(b)
  if (b.kind === 'absent') return needsValue(a)
  const differ = [a, b].some(({ kind }) => kind === 'differs-from')
  const same = [a, b].some(({ kind }) => kind === 'same-as')
  return differ && same && 'path' in a && 'path' in b && isSamePath(a.path, b.path)
}

/** Whether an absent field cannot satisfy it. */
export function needsValue(test: FieldTest): boolean {
  switch (test.kind) {
    case 'present':
    case 'element':
    case 'has-all':
    case 'has-only':
    case 'len':
      return true
    case 'not':
      return test.test.kind === 'absent'
    case 'every':
      return test.tests.some(needsValue)
    case 'absent':
    case 'same-as':
    case 'differs-from':
      return false
  }
}

export function isSamePath(a: FieldPath, b: FieldPath): boolean {
  return a.from === b.from && a.text === b.text
}
