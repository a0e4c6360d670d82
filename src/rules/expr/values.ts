import type { Json } from '../../model/json.ts'

/*
 * Values of expressions and what operators make of them. A number of an event is a double, as JSON
 * has it; a whole number in an expression is a 64-bit integer, as CEL has it. Where the two meet they
 * are compared by what they stand for, and reckoned with as doubles: `event.n + 1` is what it looks
 * like. Nothing here throws: what has no meaning is a `Fault`.
 */

export type Value =
  Json | bigint | Moment | Span | readonly Value[] | { readonly [key: string]: Value }

/** Why there is no value. */
export class Fault {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** A point in time. */
export class Moment {
  /** Milliseconds since 1970. */
  readonly ms: number

  constructor(ms: number) {
    this.ms = ms
  }
}

/** A length of time. */
export class Span {
  readonly ms: number

  constructor(ms: number) {
    this.ms = ms
  }
}

/** What one evaluation may cost, and has cost so far. */
export interface Budget {
  stepsLeft: number
}

/**
 * Steps of one evaluation; a step is about one operator applied to one element, or 64 characters
 * looked at. A list of 10,000 elements fits with a handful of operators for each, two such lists in
 * each other do not. All of them take some milliseconds.
 */
export const stepsMax = 100_000

/** UTF-16 units for one step, of what runs at the speed of memory. */
const charsPerStep = 64
/** Lists in lists that are compared; an event nested deeper is not, since comparing calls itself. */
const depthMax = 200

export const tooCostly = new Fault(`it takes more than ${stepsMax} steps on this event`)

/** Takes the cost of `chars` characters off the budget; false when nothing is left. */
export function canRead(chars: number, budget: Budget): boolean {
  budget.stepsLeft -= Math.ceil(chars / charsPerStep)
  return budget.stepsLeft >= 0
}

/** The kind of a value, in a word for messages. */
export function kindOf(value: Value): string {
  if (value === null) return 'null'
  if (isNumber(value)) return 'a number'
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'boolean') return 'true or false'
  if (isList(value)) return 'a list'
  if (value instanceof Moment) return 'a time'
  return value instanceof Span ? 'a duration' : 'a map'
}

export function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isMap(value: Value): value is { readonly [key: string]: Value } {
  if (typeof value !== 'object' || value === null || isList(value)) return false
  return !(value instanceof Moment || value instanceof Span)
}

/** Deep, and false between values of two kinds; `1` equals `1.0`. */
export function equal(a: Value, b: Value, budget: Budget, depth = 0): boolean | Fault {
  if (--budget.stepsLeft < 0) return tooCostly
  if (depth > depthMax) return new Fault(`lists or maps nested more than ${depthMax} deep`)
  // Of two kinds of number on purpose: JavaScript compares them by what they stand for.
  if (isNumber(a) && isNumber(b)) return a == b
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length !== b.length) return false
    return canRead(a.length, budget) ? a === b : tooCostly
  }
  if (a === b) return true
  if (a instanceof Moment) return b instanceof Moment && a.ms === b.ms
  if (a instanceof Span) return b instanceof Span && a.ms === b.ms
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false
    for (const [i, value] of a.entries()) {
      const isSame = equal(value, b[i] ?? null, budget, depth + 1)
      if (isSame !== true) return isSame
    }
    return true
  }
  if (!isMap(a) || !isMap(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false
    const isSame = equal(a[key] ?? null, b[key] ?? null, budget, depth + 1)
    if (isSame !== true) return isSame
  }
  return true
}

export type Ordering = '<' | '<=' | '>' | '>='

export function compare(op: Ordering, a: Value, b: Value, budget: Budget): boolean | Fault {
  if (isNumber(a) && isNumber(b)) return ordered(op, a, b)
  if (typeof a === 'string' && typeof b === 'string') {
    return canRead(Math.min(a.length, b.length), budget) ? ordered(op, a, b) : tooCostly
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return ordered(op, Number(a), Number(b))
  if (a instanceof Moment && b instanceof Moment) return ordered(op, a.ms, b.ms)
  if (a instanceof Span && b instanceof Span) return ordered(op, a.ms, b.ms)
  return noMeaning(op, a, b)
}

function ordered(op: Ordering, a: number | bigint | string, b: number | bigint | string): boolean {
  switch (op) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}

/** Whether a list has an equal element, or a map the key. */
export function isIn(value: Value, within: Value, budget: Budget): boolean | Fault {
  if (isMap(within)) return typeof value === 'string' && Object.hasOwn(within, value)
  if (!isList(within)) return noMeaning('in', value, within)
  for (const element of within) {
    const isSame = equal(value, element, budget)
    if (isSame !== false) return isSame
  }
  return false
}

export type Arithmetic = '+' | '-' | '*' | '/' | '%'

export function reckon(op: Arithmetic, a: Value, b: Value, budget: Budget): Value | Fault {
  if (typeof a === 'bigint' && typeof b === 'bigint') return reckonIntegers(op, a, b)
  if (isNumber(a) && isNumber(b)) return reckonDoubles(op, Number(a), Number(b))
  if (op === '+') {
    if (typeof a === 'string' && typeof b === 'string') {
      return canRead(a.length + b.length, budget) ? a + b : tooCostly
    }
    if (isList(a) && isList(b)) {
      budget.stepsLeft -= a.length + b.length
      return budget.stepsLeft < 0 ? tooCostly : [...a, ...b]
    }
  }
  if (op === '+' || op === '-') {
    const sign = op === '+' ? 1 : -1
    if (a instanceof Moment && b instanceof Span) return new Moment(a.ms + sign * b.ms)
    if (a instanceof Span && b instanceof Span) return new Span(a.ms + sign * b.ms)
    if (op === '+' && a instanceof Span && b instanceof Moment) return new Moment(a.ms + b.ms)
    if (op === '-' && a instanceof Moment && b instanceof Moment) return new Span(a.ms - b.ms)
  }
  return noMeaning(op, a, b)
}

function reckonIntegers(op: Arithmetic, a: bigint, b: bigint): bigint | Fault {
  if ((op === '/' || op === '%') && b === 0n) return new Fault('a division by zero')
  return asInteger(integerOf(op, a, b))
}

function integerOf(op: Arithmetic, a: bigint, b: bigint): bigint {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      return a % b
  }
}

/** An integer of CEL has 64 bits; one beyond them is a fault, not another number. */
export function asInteger(value: bigint): bigint | Fault {
  return BigInt.asIntN(64, value) === value ? value : new Fault('an integer beyond 64 bits')
}

function reckonDoubles(op: Arithmetic, a: number, b: number): number | Fault {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '%':
      // CEL has it for integers only; a whole number of an event is meant to be one.
      if (!Number.isInteger(a) || !Number.isInteger(b)) {
        return new Fault('`%` is for whole numbers')
      }
      return b === 0 ? new Fault('a division by zero') : a % b
  }
}

function noMeaning(op: string, a: Value, b: Value): Fault {
  return new Fault(`\`${op}\` says nothing about ${kindOf(a)} and ${kindOf(b)}`)
}
