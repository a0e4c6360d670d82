import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import type { At } from '../schema/yaml-document.ts'
import { compileCondition } from './compile-condition.ts'
import { compileElementTest } from './compile-test.ts'
import type { Condition, ElementTest, FieldTest, Regex } from './condition.ts'
import { seesTooMuch } from './regex-units.ts'

/*
 * What the named groups of a condition's regexes saw. Only regexes that must hold count, and those
 * of an `any` whose branch holds: what is below `none` or `not` did not hold when a rule fires. It
 * is read when a rule has fired, not while it is matched: most events that are matched fire nothing.
 */

export interface Captures {
  /** Every name that can be captured, in the order of the rule. */
  readonly names: readonly string[]
  /**
   * Texts of the groups that took part, for an event for which the condition holds. Of a list, the
   * first element that satisfies is read. Has no prototype: a name may be any.
   */
  readonly read: (event: Event) => Readonly<Record<string, string>>
}

export function capturesOf(condition: Condition): Captures {
  const names = [...new Set(namesIn(condition).map(({ name }) => name))]
  const reader = names.length === 0 ? null : readerOf(condition)
  return {
    names,
    read: (event) => {
      const found = Object.create(null) as Found // as: without a prototype
      reader?.(event, undefined, found)
      return found
    },
  }
}

/** A group, and the test that it stands in. */
export interface CaptureName {
  readonly name: string
  readonly at: At
}

/** Names that two tests of one way to hold share: which text would be meant? Told at the later one. */
export function namesTwice(condition: Condition): readonly CaptureName[] {
  switch (condition.kind) {
    case 'all': {
      const seen = new Set<string>()
      const within = condition.of.flatMap(namesTwice)
      const across = condition.of.flatMap((part) => {
        const names = namesIn(part)
        const twice = names.filter(({ name }) => seen.has(name))
        for (const { name } of names) seen.add(name)
        return twice
      })
      return [...within, ...across]
    }
    case 'any':
      return condition.of.flatMap(namesTwice)
    case 'some':
      return namesTwice(condition.where)
    case 'test':
    case 'none':
    case 'expr':
      return []
  }
}

function namesIn(condition: Condition): readonly CaptureName[] {
  switch (condition.kind) {
    case 'test': {
      const { test, at } = condition
      const regexes = elementTestsOf(test).flatMap(regexesOf)
      return regexes.flatMap(({ groups }) => groups.map((name) => ({ name, at })))
    }
    case 'all':
    case 'any':
      return condition.of.flatMap(namesIn)
    case 'some':
      return namesIn(condition.where)
    case 'none':
    case 'expr':
      return []
  }
}

type Found = Record<string, string>

/** Adds to `found` what a condition that holds captured; a name that is there already stays. */
type Reader = (event: Event, element: Json | undefined, found: Found) => void

/** `null` where there is nothing to capture. */
function readerOf(condition: Condition): Reader | null {
  if (namesIn(condition).length === 0) return null
  switch (condition.kind) {
    case 'test': {
      const { path, test } = condition
      const readers = elementTestsOf(test).map(elementReader)
      return (event, element, found) => {
        const value = path.read(event, element)
        for (const read of readers) read(value, found)
      }
    }
    case 'all': {
      const readers = condition.of.map(readerOf)
      return (event, element, found) => {
        for (const read of readers) read?.(event, element, found)
      }
    }
    case 'any': {
      const branches = condition.of.map((branch) => ({
        check: compileCondition(branch),
        read: readerOf(branch),
      }))
      return (event, element, found) => {
        for (const { check, read } of branches) {
          if (read !== null && check(event, element) === true) read(event, element, found)
        }
      }
    }
    case 'some': {
      const { path, where } = condition
      const check = compileCondition(where)
      const read = readerOf(where)
      const isTooMuch = seesTooMuch(where)
      return (event, element, found) => {
        const list = path.read(event, element)
        if (!Array.isArray(list)) return
        const elements = list as readonly Json[] // as: isArray forgets what the members are
        // In doubt no regex holds: what held is beside them, and captures nothing.
        if (isTooMuch?.(elements, event) === true) return
        const first = elements.find((one) => check(event, one) === true)
        if (first !== undefined) read?.(event, first, found)
      }
    }
    case 'none':
    case 'expr':
      return null
  }
}

function elementReader(test: ElementTest): (value: Json | undefined, found: Found) => void {
  const regexes = regexesOf(test)
  const check = compileElementTest(test)
  return (value, found) => {
    const elements = Array.isArray(value) ? (value as readonly Json[]) : [value ?? null] // as: see isArray
    const first = elements.find((one) => check(one) === true)
    if (typeof first !== 'string') return
    for (const regex of regexes) {
      for (const [name, text] of Object.entries(regex.captures(first) ?? {})) found[name] ??= text
    }
  }
}

/** The tests of an element that hold when a test of a field does. */
function elementTestsOf(test: FieldTest): readonly ElementTest[] {
  if (test.kind === 'element') return [test.test]
  return test.kind === 'every' ? test.tests.flatMap(elementTestsOf) : []
}

function regexesOf(test: ElementTest): readonly Regex[] {
  if (test.kind === 'regex') return [test.regex]
  return test.kind === 'every' ? test.tests.flatMap(regexesOf) : []
}
