import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { foldCase } from './case-folding.ts'
import type { ElementTest, FieldTest, Interval, Scalar, Truth } from './condition.ts'
import { fitsPieces } from './glob.ts'
import { isTooLongTogether, regexesIn, type RegexMode } from './regex-units.ts'
import { valueCharsMax } from './regex.ts'
import { sameJson } from './same-json.ts'
import { allOf, negate, someElement } from './truth.ts'

/*
 * The tests of docs/rules.md, 2, compiled to closures. A test of an element is compiled on its own;
 * a test of a field then says what it means for what is there: nothing, a single value, or a list
 * of values. A list in a list is no value that a test can hold for: only one level is looked into,
 * so that no event can make matching go deep. Hot, all of it: called for every event and rule, so
 * nothing is allocated, and cheap tests go first.
 */

/** Whether a value satisfies a test of elements. Total. */
export type ElementCheck = (element: Json) => Truth

/** Whether a field does; `undefined` is an absent one. `event` and `start` are for other paths. */
export type FieldCheck = (value: Json | undefined, event: Event, start: Json | undefined) => Truth

export function compileFieldTest(test: FieldTest, regexes: RegexMode = 'reading'): FieldCheck {
  switch (test.kind) {
    case 'present':
      return (value) => value !== undefined
    case 'absent':
      return (value) => value === undefined
    case 'element':
      return compileSome(test.test, regexes)
    case 'not': {
      const inner = compileFieldTest(test.test, regexes)
      return (value, event, start) => negate(inner(value, event, start))
    }
    case 'every':
      return everyField(
        byCost(test.tests, costOfField).map((one) => compileFieldTest(one, regexes)),
      )
    case 'has-all': {
      const members = [...test.members]
      return (value) => Array.isArray(value) && hasAll(value as readonly Json[], members) // as: see isArray
    }
    case 'has-only': {
      const members: ReadonlySet<Json> = test.members
      return (value) => Array.isArray(value) && hasOnly(value as readonly Json[], members) // as: see isArray
    }
    case 'len': {
      const isIn = inInterval(test.interval)
      return (value) => Array.isArray(value) && isIn(value.length)
    }
    case 'same-as': {
      const { read } = test.path
      return (value, event, start) => sameJson(value, read(event, start))
    }
    case 'differs-from': {
      const { read } = test.path
      return (value, event, start) => !sameJson(value, read(event, start))
    }
  }
}

/** The value itself, or some member of the list that it is. */
function compileSome(test: ElementTest, regexes: RegexMode): FieldCheck {
  const check = compileElementTest(test, regexes)
  if (regexes === 'reading' && regexesIn(test) > 0) return compileSomeRegex(test, check)
  return (value) => {
    if (value === undefined) return false
    if (!Array.isArray(value)) return check(value)
    return someElement(value as readonly Json[], check) // as: isArray forgets what the members are
  }
}

/** The same of a test with a regex, which is in doubt about a list whose texts are too long together. */
function compileSomeRegex(test: ElementTest, check: ElementCheck): FieldCheck {
  const inDoubt = compileElementTest(test, 'in-doubt')
  return (value) => {
    if (value === undefined) return false
    if (!Array.isArray(value)) return check(value)
    const list = value as readonly Json[] // as: isArray forgets what the members are
    return someElement(list, isTooLongTogether(list) ? inDoubt : check)
  }
}

function everyField(checks: readonly FieldCheck[]): FieldCheck {
  const [first] = checks
  if (first !== undefined && checks.length === 1) return first
  return (value, event, start) => {
    let truth: Truth = true
    for (let i = 0; i < checks.length; i++) {
      truth = allOf(truth, checks[i]?.(value, event, start) ?? true)
      if (truth === false) return false
    }
    return truth
  }
}

/** Members that are looked for one by one; of more, the list is made a set for one look each. */
const soughtMax = 16

function hasAll(list: readonly Json[], members: readonly Scalar[]): boolean {
  if (list.length < members.length) return false
  if (members.length > soughtMax) {
    const held = new Set(list)
    return members.every((member) => held.has(member))
  }
  for (let i = 0; i < members.length; i++) {
    // as: `includes` is asked, and -0 is 0 to it
    if (!list.includes(members[i] as Json)) return false
  }
  return true
}

function hasOnly(list: readonly Json[], members: ReadonlySet<Json>): boolean {
  for (let i = 0; i < list.length; i++) {
    if (!members.has(list[i] as Json)) return false // as: within its length
  }
  return true
}

/** A single text that is too long for a regex puts it in doubt in either mode. */
export function compileElementTest(
  test: ElementTest,
  regexes: RegexMode = 'reading',
): ElementCheck {
  switch (test.kind) {
    case 'one-of':
      return oneOf(test.values, test.ci)
    case 'prefix':
    case 'suffix':
    case 'contains':
      return textTest(partTest(test.kind, test.text), test.ci)
    case 'glob':
      return textTest(fitsPieces(test.glob.pieces), test.ci)
    case 'regex': {
      const { regex } = test
      if (regexes === 'in-doubt') {
        return (element) => (typeof element === 'string' ? 'value-too-long' : false)
      }
      return (element) => {
        if (typeof element !== 'string') return false
        return element.length > valueCharsMax ? 'value-too-long' : regex.test(element)
      }
    }
    case 'range': {
      const isIn = inInterval(test.interval)
      return (element) => typeof element === 'number' && isIn(element)
    }
    case 'cidr':
      return textTest(test.cidr.contains, false)
    case 'not': {
      const inner = compileElementTest(test.test, regexes)
      return (element) => negate(inner(element))
    }
    case 'every':
      return everyElement(
        byCost(test.tests, costOfElement).map((one) => compileElementTest(one, regexes)),
      )
  }
}

function everyElement(checks: readonly ElementCheck[]): ElementCheck {
  return (element) => {
    let truth: Truth = true
    for (let i = 0; i < checks.length; i++) {
      truth = allOf(truth, checks[i]?.(element) ?? true)
      if (truth === false) return false
    }
    return truth
  }
}

/** A set knows 1 from "1", and takes 0 for -0, as `===` does. */
function oneOf(values: ReadonlySet<Scalar>, ci: boolean): ElementCheck {
  const members: ReadonlySet<Json> = values
  if (ci) {
    return (element) => members.has(typeof element === 'string' ? foldCase(element) : element)
  }
  const [only] = values
  if (values.size === 1) return (element) => element === only
  return (element) => members.has(element)
}

function partTest(kind: 'prefix' | 'suffix' | 'contains', text: string): (text: string) => boolean {
  switch (kind) {
    case 'prefix':
      return (element) => element.startsWith(text)
    case 'suffix':
      return (element) => element.endsWith(text)
    case 'contains':
      return (element) => element.includes(text)
  }
}

function textTest(holds: (text: string) => boolean, ci: boolean): ElementCheck {
  if (ci) return (element) => typeof element === 'string' && holds(foldCase(element))
  return (element) => typeof element === 'string' && holds(element)
}

function inInterval({ min, minOpen, max, maxOpen }: Interval): (value: number) => boolean {
  if (minOpen) {
    return maxOpen ? (value) => value > min && value < max : (value) => value > min && value <= max
  }
  return maxOpen ? (value) => value >= min && value < max : (value) => value >= min && value <= max
}

/** Cheapest first, otherwise as written. */
export function byCost<T>(parts: readonly T[], costOf: (part: T) => number): readonly T[] {
  return parts.toSorted((a, b) => costOf(a) - costOf(b))
}

/** Roughly what a test costs; of meaning beside each other only. */
export function costOfField(test: FieldTest): number {
  switch (test.kind) {
    case 'present':
    case 'absent':
    case 'len':
      return 1
    case 'element':
      return costOfElement(test.test)
    case 'not':
      return costOfField(test.test)
    case 'every':
      return sum(test.tests.map(costOfField))
    case 'has-all':
    case 'has-only':
    case 'same-as':
    case 'differs-from':
      return 20
  }
}

function costOfElement(test: ElementTest): number {
  switch (test.kind) {
    case 'one-of':
      return test.ci ? 15 : test.values.size === 1 ? 1 : 4
    case 'range':
      return 1
    case 'prefix':
    case 'suffix':
    case 'contains':
      return test.ci ? 15 : 3
    case 'glob':
      return test.ci ? 20 : 8
    case 'cidr':
      return 20
    case 'regex':
      return 50
    case 'not':
      return costOfElement(test.test)
    case 'every':
      return sum(test.tests.map(costOfElement))
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
