import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Interval } from './condition.ts'
import { rangeOperators, type RangeOperator, type TestContext } from './parse-operators.ts'

/** The interval of `gt`, `gte`, `lt` and `lte` in one map; `null` after reporting what is wrong. */
export function parseRange(source: JsonObject, at: At, context: TestContext): Interval | null {
  const { reporter } = context
  let isGood = true
  for (const name of rangeOperators) {
    const operand = source[name]
    if (operand === undefined || typeof operand === 'number') continue
    const hint = typeof operand === 'string' ? 'without quotes if it is meant as a number' : null
    const message = `found ${describeValue(operand)}, expected a number`
    reporter.error([...at, name], 'wrong-type', message, hint)
    isGood = false
  }
  if (!isGood) return null
  const lower = highest(endOf('gt', source), endOf('gte', source))
  const upper = lowest(endOf('lt', source), endOf('lte', source))
  const interval = {
    min: lower?.value ?? -Infinity,
    minOpen: lower?.name === 'gt',
    max: upper?.value ?? Infinity,
    maxOpen: upper?.name === 'lt',
  }
  if (lower === null || upper === null || !isEmpty(interval)) return interval
  reporter.errorAtKey([...at, upper.name], 'impossible', nothingBetween('number', lower, upper))
  return null
}

/** The interval that `len` asks for; a list has at least no element, and a whole number of them. */
export function parseLen(operand: Json, at: At, context: TestContext): Interval | null {
  const { reporter } = context
  if (typeof operand === 'number') {
    if (Number.isInteger(operand) && operand >= 0) {
      return { min: operand, minOpen: false, max: operand, maxOpen: false }
    }
    reporter.error(at, 'impossible', `no list has ${operand} elements`)
    return null
  }
  if (!isJsonObject(operand)) {
    const message = `found ${describeValue(operand)}, expected a whole number, or a map of gt, gte, lt, lte`
    reporter.error(at, 'wrong-type', message)
    return null
  }
  if (!checkEnds(operand, at, context)) return null
  const interval = parseRange(operand, at, context)
  if (interval === null) return null
  if (hasWholeNumber(interval)) return interval
  reporter.error(at, 'impossible', 'no number of elements is in this range')
  return null
}

function checkEnds(operand: JsonObject, at: At, { reporter }: TestContext): boolean {
  const names = Object.keys(operand)
  if (names.length === 0) reporter.error(at, 'empty-condition', 'a range without an end')
  const unknown = names.filter((name) => !(rangeOperators as readonly string[]).includes(name))
  for (const name of unknown) {
    const hint = didYouMean(name, rangeOperators) ?? 'a range has gt, gte, lt, lte'
    const message = `there is no end \`${name}\` of a range`
    reporter.errorAtKey([...at, name], 'unknown-operator', message, hint)
  }
  return names.length > 0 && unknown.length === 0
}

export function isEmpty({ min, minOpen, max, maxOpen }: Interval): boolean {
  return minOpen || maxOpen ? min >= max : min > max
}

/** What is in the one interval and in the other. */
export function both(a: Interval, b: Interval): Interval {
  const lower = a.min > b.min || (a.min === b.min && a.minOpen) ? a : b
  const upper = a.max < b.max || (a.max === b.max && a.maxOpen) ? a : b
  return { min: lower.min, minOpen: lower.minOpen, max: upper.max, maxOpen: upper.maxOpen }
}

/** Whether some length of a list is in it. */
export function hasWholeNumber({ min, minOpen, max, maxOpen }: Interval): boolean {
  const least = Math.max(0, minOpen ? Math.floor(min) + 1 : Math.ceil(min))
  const most = maxOpen ? Math.ceil(max) - 1 : Math.floor(max)
  return least <= most
}

interface End {
  readonly name: RangeOperator
  readonly value: number
}

function endOf(name: RangeOperator, source: JsonObject): End | null {
  const value = source[name]
  return typeof value === 'number' ? { name, value } : null
}

/** Of two lower ends the one that asks for more; the open one where they are equal. */
function highest(open: End | null, closed: End | null): End | null {
  if (open === null || closed === null) return open ?? closed
  return closed.value > open.value ? closed : open
}

function lowest(open: End | null, closed: End | null): End | null {
  if (open === null || closed === null) return open ?? closed
  return closed.value < open.value ? closed : open
}

function nothingBetween(noun: string, lower: End, upper: End): string {
  const [from, to] = [lower, upper].map(({ name, value }) => `\`${name}: ${value}\``)
  return `no ${noun} is ${from} and ${to}`
}
