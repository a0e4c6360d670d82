import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { compileElementTest, compileFieldTest } from './compile-test.ts'
import type { ElementTest, FieldPath, FieldTest, Scalar } from './condition.ts'
import { firstOf, nearElement, nearScalar, nounOf, shown } from './near-element.ts'
import { nearPath } from './near-path.ts'
import { isScalar } from './parse-members.ts'

/*
 * Guesses, for people, what a test that does not hold was meant for. Each guess says what is true of
 * the event, so that a wrong one misleads nobody; the first that fits is told.
 */

/** A test of a field that does not hold. */
export interface Missed {
  readonly path: FieldPath
  readonly test: FieldTest
  readonly value: Json | undefined
  /** What the path starts at: the body, or an element. */
  readonly start: Json
  readonly event: Event
}

/** What is nearly right about the value, in half a sentence; `null` where nothing is. */
export function nearMiss(missed: Missed): string | null {
  const { test, value, start, event } = missed
  switch (test.kind) {
    case 'every': {
      const failing = test.tests.filter((one) => !holds({ ...missed, test: one }))
      return firstOf(failing, (one) => nearMiss({ ...missed, test: one }))
    }
    case 'absent':
      return value === null ? 'it is null, which counts as present' : null
    case 'not':
    case 'differs-from':
      return null
    case 'same-as': {
      const other = test.path.read(event, start)
      if (value === undefined) return nearAbsent(missed)
      if (other === undefined) return `\`${test.path.text}\` is absent`
      return isScalar(value) && isScalar(other) ? nearScalar(value, other) : null
    }
    case 'present':
    case 'element':
    case 'has-all':
    case 'has-only':
    case 'len':
      return value === undefined ? nearAbsent(missed) : nearValue(test, value)
  }
}

function holds({ test, value, event, start }: Missed): boolean {
  return compileFieldTest(test)(value, event, start) === true
}

function nearAbsent({ path, test, start, event }: Missed): string | null {
  const elsewhere = nearPath(
    path,
    start,
    event.record.headers.map(([name]) => name),
  )
  if (elsewhere !== null) return elsewhere
  const isNullAsked = test.kind === 'element' && compileElementTest(test.test)(null) === true
  return isNullAsked ? 'it is absent, and the rule asks for null' : null
}

function nearValue(
  test: Extract<FieldTest, { kind: 'present' | 'element' | 'has-all' | 'has-only' | 'len' }>,
  value: Json,
): string | null {
  if (test.kind === 'present') return null
  if (Array.isArray(value)) return nearList(test, value as readonly Json[]) // as: see isArray
  if (test.kind !== 'element') return `it is no list, but ${nounOf(value)}`
  if (isJsonObject(value)) return 'it is a map: a field below it is read with its own path'
  return isScalar(value) ? nearElement(test.test, value) : null
}

/** Elements of a list that are guessed about: each may be compared with a thousand values. */
const guessedMax = 100

function nearList(
  test: Extract<FieldTest, { kind: 'element' | 'has-all' | 'has-only' | 'len' }>,
  list: readonly Json[],
): string | null {
  switch (test.kind) {
    case 'len':
      return `it has ${list.length} ${list.length === 1 ? 'element' : 'elements'}`
    case 'has-all': {
      const lacking = [...test.members].find((member) => !list.includes(member))
      return lacking === undefined ? null : `it lacks ${shown(lacking)}`
    }
    case 'has-only': {
      const members: ReadonlySet<Json> = test.members
      const other = list.find((element) => !members.has(element))
      if (other === undefined) return null
      return `it holds ${isScalar(other) ? shown(other) : nounOf(other)} as well`
    }
    case 'element': {
      if (list.length === 0) return 'it is an empty list'
      const scalars = list.filter(isScalar)
      if (scalars.length > 0) {
        return firstOf(scalars.slice(0, guessedMax), (element) => ofElement(test.test, element))
      }
      return list.some(isJsonObject)
        ? 'it is a list of maps: only `some` looks into them'
        : 'it is a list of lists, which no test looks into'
    }
  }
}

function ofElement(test: ElementTest, element: Scalar): string | null {
  const near = nearElement(test, element)
  return near === null ? null : `of its element ${shown(element)}: ${near}`
}
