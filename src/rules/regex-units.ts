import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import type { Condition, ElementTest, FieldTest } from './condition.ts'
import { valueCharsMax } from './regex.ts'

/*
 * How much text the regexes of a condition would see of one event. The cap of a regex is on the sum:
 * were it on each element, a list of many long texts would multiply the worst that a pattern can
 * cost. Above it the regexes are in doubt, all of them, so that it cannot matter which are asked
 * first. Only lengths are read here, and no further than the cap.
 */

/**
 * How a test is compiled: its regexes read texts, or each is in doubt about any text, since they
 * would see too much together.
 */
export type RegexMode = 'reading' | 'in-doubt'

/** How many regexes there are in a test, those below `not` included. */
export function regexesIn(test: FieldTest | ElementTest): number {
  if (test.kind === 'regex') return 1
  if (test.kind === 'element' || test.kind === 'not') return regexesIn(test.test)
  if (test.kind !== 'every') return 0
  return test.tests.reduce((sum, one) => sum + regexesIn(one), 0)
}

/** Whether the texts of a list are together too long for a regex that would see them all. Hot. */
export function isTooLongTogether(list: readonly Json[]): boolean {
  return unitsOfList(list) > valueCharsMax
}

/** UTF-16 units; of what is no text 0, of a list those of its texts, counted up to the cap. */
function unitsOf(value: Json | undefined): number {
  if (typeof value === 'string') return value.length
  return Array.isArray(value) ? unitsOfList(value as readonly Json[]) : 0 // as: isArray forgets what the members are
}

function unitsOfList(list: readonly Json[]): number {
  let units = 0
  for (let i = 0; i < list.length && units <= valueCharsMax; i++) {
    const one = list[i]
    if (typeof one === 'string') units += one.length
  }
  return units
}

/**
 * Whether the regexes in the `where` of a `some` would see too much of a list, over all of its
 * elements; `null` where there is none. A `some` within it counts as a part of it, and has then no
 * need to be asked itself.
 */
export function seesTooMuch(
  where: Condition,
): ((list: readonly Json[], event: Event) => boolean) | null {
  const units = unitsSeenBy(where)
  return units === null ? null : (list, event) => sumOver(list, units, event) > valueCharsMax
}

/** UTF-16 units that regexes would see of one element, right up to the cap and above it just more. */
type UnitsSeen = (event: Event, element: Json) => number

function sumOver(list: readonly Json[], unitsSeen: UnitsSeen, event: Event): number {
  let units = 0
  for (let i = 0; i < list.length && units <= valueCharsMax; i++) {
    units += unitsSeen(event, list[i] as Json) // as: within its length
  }
  return units
}

function unitsSeenBy(condition: Condition): UnitsSeen | null {
  switch (condition.kind) {
    case 'test': {
      const { read } = condition.path
      const regexes = regexesIn(condition.test)
      return regexes === 0 ? null : (event, element) => regexes * unitsOf(read(event, element))
    }
    case 'all':
    case 'any':
    case 'none': {
      const parts = condition.of.map(unitsSeenBy).filter((part) => part !== null)
      if (parts.length === 0) return null
      return (event, element) => {
        let units = 0
        for (let i = 0; i < parts.length && units <= valueCharsMax; i++) {
          units += parts[i]?.(event, element) ?? 0
        }
        return units
      }
    }
    case 'some': {
      const { read } = condition.path
      const inner = unitsSeenBy(condition.where)
      if (inner === null) return null
      return (event, element) => {
        const list = read(event, element)
        return Array.isArray(list) ? sumOver(list as readonly Json[], inner, event) : 0 // as: see isArray
      }
    }
    case 'expr':
      return null
  }
}
