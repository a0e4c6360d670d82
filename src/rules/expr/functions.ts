import { valueCharsMax, type CompiledRegex } from '../regex.ts'
import {
  asInteger,
  canRead,
  Fault,
  isList,
  isMap,
  isNumber,
  kindOf,
  Moment,
  Span,
  tooCostly,
  type Budget,
  type Value,
} from './values.ts'

/** A function of the language over values, none of them a fault. */
export interface ExprFunction {
  /** What is given, the receiver not counted: how many, and what literals among them have to be. */
  readonly params: readonly ('text' | 'any')[]
  readonly call: (budget: Budget, receiver: Value, ...given: readonly Value[]) => Value | Fault
}

/** Called as `f(x)`, the first value being the receiver. */
export const functions: ReadonlyMap<string, ExprFunction> = new Map<string, ExprFunction>([
  ['size', { params: [], call: (budget, of) => sizeOf(budget, of) }],
  ['string', { params: [], call: (_budget, of) => toText(of) }],
  ['int', { params: [], call: (_budget, of) => toInteger(of) }],
  ['double', { params: [], call: (_budget, of) => toDouble(of) }],
  ['timestamp', { params: [], call: (_budget, of) => toMoment(of) }],
  ['duration', { params: [], call: (_budget, of) => toSpan(of) }],
])

/** Called as `x.f(...)`; `matches` and those that go over lists are compiled apart. */
export const methods: ReadonlyMap<string, ExprFunction> = new Map<string, ExprFunction>([
  ['size', { params: [], call: (budget, of) => sizeOf(budget, of) }],
  ['startsWith', ofTwoTexts('startsWith', (text, part) => text.startsWith(part))],
  ['endsWith', ofTwoTexts('endsWith', (text, part) => text.endsWith(part))],
  ['contains', ofTwoTexts('contains', (text, part) => text.includes(part))],
  ['lowerAscii', ofText('lowerAscii', (text) => text.replace(/[A-Z]+/g, (s) => s.toLowerCase()))],
  ['upperAscii', ofText('upperAscii', (text) => text.replace(/[a-z]+/g, (s) => s.toUpperCase()))],
])

/** Whether a regex is found in a value. Above the cap of values there is no answer. */
export function matches(regex: CompiledRegex, value: Value, budget: Budget): boolean | Fault {
  if (typeof value !== 'string') return wrongKind('matches', value)
  if (value.length > valueCharsMax) return new Fault(`a text above ${valueCharsMax} characters`)
  // The linear engine takes a step for about each character, not for each 64 of them.
  if (regex.engine === 'linear') budget.stepsLeft -= value.length
  return canRead(value.length, budget) ? regex.test(value) : tooCostly
}

function ofTwoTexts(name: string, test: (text: string, part: string) => boolean): ExprFunction {
  return {
    params: ['text'],
    call: (budget, text, part = null) => {
      if (typeof text !== 'string') return wrongKind(name, text)
      if (typeof part !== 'string') return wrongKind(name, part)
      return canRead(text.length * looksFor(part), budget) ? test(text, part) : tooCostly
    },
  }
}

/** V8 looks for a longer text in a way that may compare all of it at every place. */
const quickPartMax = 250

/** How often a text may have to be read to find `part` in it. */
function looksFor(part: string): number {
  return part.length <= quickPartMax ? 1 : part.length / charsPerLook
}

/** It compares 16 times as quickly as anything else here goes through a text. */
const charsPerLook = 16

function ofText(name: string, change: (text: string) => string): ExprFunction {
  return {
    params: [],
    call: (budget, text) => {
      if (typeof text !== 'string') return wrongKind(name, text)
      return canRead(text.length, budget) ? change(text) : tooCostly
    },
  }
}

/** Of a text, the code points. */
function sizeOf(budget: Budget, value: Value): Value | Fault {
  if (isList(value)) return BigInt(value.length)
  if (typeof value === 'string') {
    if (!canRead(value.length, budget)) return tooCostly
    let pairs = 0
    for (let i = 1; i < value.length; i++) if (isPairAt(value, i)) pairs += 1
    return BigInt(value.length - pairs)
  }
  if (!isMap(value)) return wrongKind('size', value)
  const { length } = Object.keys(value)
  budget.stepsLeft -= length
  return budget.stepsLeft < 0 ? tooCostly : BigInt(length)
}

function isPairAt(text: string, i: number): boolean {
  const isLow = (text.charCodeAt(i) & 0xfc00) === 0xdc00
  return isLow && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800
}

function toText(value: Value): Value | Fault {
  if (typeof value === 'string') return value
  if (isNumber(value) || typeof value === 'boolean') return String(value)
  if (value instanceof Moment) return new Date(value.ms).toISOString()
  return wrongKind('string', value)
}

function toInteger(value: Value): Value | Fault {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return wrongKind('int', value)
    return asInteger(BigInt(Math.trunc(value)))
  }
  if (value instanceof Moment) return BigInt(Math.floor(value.ms / 1_000))
  // 20 characters: a sign and the 19 digits of 64 bits.
  if (typeof value === 'string' && /^[+-]?\d{1,19}$/.test(value)) return asInteger(BigInt(value))
  return wrongKind('int', value)
}

function toDouble(value: Value): Value | Fault {
  if (isNumber(value)) return Number(value)
  if (
    typeof value === 'string' &&
    /^[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/.test(value)
  ) {
    return Number(value)
  }
  return wrongKind('double', value)
}

/** The times that CEL knows: the years 1 to 9999. */
const firstMs = Date.UTC(2000, 0, 1) - 730_119 * 86_400_000
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/

/** From a text of RFC 3339, or seconds since 1970. */
function toMoment(value: Value): Value | Fault {
  if (value instanceof Moment) return value
  if (isNumber(value) || (typeof value === 'string' && rfc3339.test(value))) {
    const ms = typeof value === 'string' ? Date.parse(value.toUpperCase()) : Number(value) * 1_000
    if (ms >= firstMs && ms <= lastMs) return new Moment(ms)
  }
  return wrongKind('timestamp', value)
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** From a text such as `1h30m`. */
function toSpan(value: Value): Value | Fault {
  if (value instanceof Span) return value
  // The bound on its length is far above what means anything, and keeps the pattern quick.
  if (typeof value !== 'string' || value.length > 64) return wrongKind('duration', value)
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)]
  const written = parts.map(([part]) => part).join('')
  if (parts.length === 0 || written !== value.replace(/^-/, '')) return wrongKind('duration', value)
  const ms = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0),
    0,
  )
  return new Span(value.startsWith('-') ? -ms : ms)
}

function wrongKind(name: string, value: Value): Fault {
  const isShown = isNumber(value) || (typeof value === 'string' && value.length <= 40)
  const found = isShown ? `${kindOf(value)}, ${JSON.stringify(String(value))}` : kindOf(value)
  return new Fault(`\`${name}\` found ${found}`)
}
