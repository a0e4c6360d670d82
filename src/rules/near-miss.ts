import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue, quote } from '../schema/describe.ts'
import { nearestName } from '../schema/did-you-mean.ts'
import { foldCase } from './case-folding.ts'
import { isMapped, parseAddress } from './cidr.ts'
import { compileElementTest, compileFieldTest } from './compile-test.ts'
import type { ElementTest, FieldPath, FieldTest, Interval, Scalar } from './condition.ts'
import { parseGlob } from './glob.ts'
import { nearPath } from './near-path.ts'
import { isScalar } from './parse-members.ts'
import { compileRegex } from './regex.ts'

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
      if (scalars.length > 0) return firstOf(scalars, (element) => ofElement(test.test, element))
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

/** The value is one that the test does not hold for. */
function nearElement(test: ElementTest, value: Scalar): string | null {
  switch (test.kind) {
    case 'every': {
      const failing = test.tests.filter((one) => compileElementTest(one)(value) === false)
      return firstOf(failing, (one) => nearElement(one, value))
    }
    case 'not':
      return null
    case 'one-of':
      return nearMember(test.values, value)
    case 'range':
      return nearRange(test.interval, value)
    case 'prefix':
    case 'suffix':
    case 'contains':
    case 'glob':
    case 'regex':
      return typeof value === 'string' ? nearText(test, value) : noText(value)
    case 'cidr':
      return typeof value === 'string' ? nearAddress(test.cidr.source, value) : noText(value)
  }
}

function noText(value: Scalar): string {
  return `it is ${nounOf(value)}, the rule asks for a text`
}

/** Members that a value is compared with; the nearest of more is not looked for. */
const comparedMax = 1_000

function nearMember(values: ReadonlySet<Scalar>, value: Scalar): string | null {
  const members = [...values].slice(0, comparedMax)
  const near = firstOf(members, (member) => nearScalar(value, member))
  if (near !== null || typeof value !== 'string') return near
  const texts = members.filter((member) => typeof member === 'string')
  const nearest = nearestName(value, texts)
  if (nearest !== null) return `it looks like ${shown(nearest)}`
  return firstOf(texts, (text) => agreesUpTo(value, text))
}

/** Two values that differ, and yet are one to a reader. */
function nearScalar(value: Scalar, asked: Scalar): string | null {
  if (typeof value !== typeof asked || value === null || asked === null) {
    const isSame = String(value) === String(asked).trim() || String(value).trim() === String(asked)
    return isSame && value !== asked
      ? `it is ${typed(value)}, the rule asks for ${typed(asked)}`
      : null
  }
  if (typeof value !== 'string' || typeof asked !== 'string') return null
  return nearSpelling(value, (text) => text === asked, foldCase(asked))
}

/** Spellings of a text under which a test would hold, in the order in which they are told. */
function nearSpelling(
  value: string,
  check: (text: string) => boolean,
  folded: string | null,
): string | null {
  if (folded !== null && foldCase(value) === folded) return 'it differs only in case'
  if (check(value.trimEnd())) return 'it is off by white space at the end'
  if (check(value.trimStart())) return 'it is off by white space at the beginning'
  if (check(value.trim())) return 'it is off by white space at both ends'
  if (check(value.normalize('NFC')) || check(value.normalize('NFD'))) {
    return 'it differs only in how its accents are composed'
  }
  return null
}

/** Characters that two texts have to share to be said to agree: fewer say nothing. */
const agreeingMin = 3

/** Where a text leaves what is asked for, if more than half of that has been passed. */
function agreesUpTo(value: string, asked: string): string | null {
  let length = 0
  while (length < asked.length && value.charAt(length) === asked.charAt(length)) length++
  if (length < agreeingMin || length * 2 <= asked.length) return null
  if (length === asked.length) return `it begins with ${shown(asked)} and goes on`
  return `it agrees up to character ${length}, with ${shown(asked.slice(0, length))}`
}

type TextTest = Extract<ElementTest, { kind: 'prefix' | 'suffix' | 'contains' | 'glob' | 'regex' }>

function nearText(test: TextTest, value: string): string | null {
  const check = compileElementTest(test)
  const foldedTest = ignoringCase(test)
  if (foldedTest !== null && compileElementTest(foldedTest)(value) === true) {
    return 'it differs only in case'
  }
  const spelling = nearSpelling(value, (text) => check(text) === true, null)
  if (spelling !== null) return spelling
  switch (test.kind) {
    case 'prefix':
      return value.includes(test.text)
        ? elsewhere('at the beginning')
        : agreesUpTo(value, test.text)
    case 'suffix':
      return value.includes(test.text) ? elsewhere('at the end') : null
    case 'glob': {
      const first = test.glob.pieces[0] ?? ''
      return value.startsWith(first) ? null : agreesUpTo(value, first)
    }
    case 'contains':
    case 'regex':
      return null
  }
}

function elsewhere(where: string): string {
  return `it holds the text, but not ${where}`
}

/** The same test with `ci`; `null` where it has that already. A regex may have it: that is no harm. */
function ignoringCase(test: TextTest): TextTest | null {
  if (test.kind === 'regex') {
    const { source } = test.regex
    const compiled = compileRegex(source, { ci: true, search: true })
    return compiled.ok ? { kind: 'regex', regex: compiled.regex } : null
  }
  if (test.ci) return null
  if (test.kind === 'glob') {
    return { kind: 'glob', glob: parseGlob(test.glob.source, true), ci: true }
  }
  return { kind: test.kind, text: foldCase(test.text), ci: true }
}

function nearRange({ min, max }: Interval, value: Scalar): string | null {
  if (typeof value === 'string') {
    const isNumber = value.trim() !== '' && Number.isFinite(Number(value))
    return isNumber ? `it is ${typed(value)}, the rule asks for a number` : null
  }
  if (typeof value !== 'number') return `it is ${nounOf(value)}, the rule asks for a number`
  const end = value < min || (value === min && min !== max) ? min : max
  const isJust = Math.abs(value - end) <= Math.max(1, Math.abs(end) * nearShare)
  if (!isJust) return null
  return value === end
    ? `it is ${end}, where the range ends`
    : `it is just outside: the range ends at ${end}`
}

/** Share of a bound that a number may be beyond it and still count as near. */
const nearShare = 0.05

const words = new Uint32Array(4)

function nearAddress(block: string, value: string): string | null {
  if (!parseAddress(value, words)) {
    const bare = value
      .trim()
      .replace(/^\[(.*)\](:\d+)?$/, '$1')
      .replace(/%.*$/, '')
    const host = bare.replace(/^([\d.]+)(:\d+|\/\d+)$/, '$1')
    return parseAddress(host, words)
      ? `it is no address alone, but holds ${shown(host)}`
      : 'it is no IP address'
  }
  const isIpv4 = isMapped(words)
  parseAddress(block.split('/')[0] ?? '', words)
  if (isIpv4 === isMapped(words)) return null
  return isIpv4
    ? 'it is an address of IPv4, the block is of IPv6'
    : 'it is an address of IPv6, the block is of IPv4'
}

/** A value, told from one that looks the same: `the string "0"`, `the number 0`. */
function typed(value: Scalar): string {
  if (typeof value === 'string') return `the string ${quote(value)}`
  return typeof value === 'number' ? `the number ${value}` : String(value)
}

function shown(value: Scalar): string {
  return typeof value === 'string' ? quote(value) : String(value)
}

function nounOf(value: Json): string {
  return value === null ? 'null' : describeValue(value)
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
