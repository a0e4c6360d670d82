import type { Json } from '../model/json.ts'
import { describeValue, quote } from '../schema/describe.ts'
import { nearestName } from '../schema/did-you-mean.ts'
import { foldCase } from './case-folding.ts'
import { isMapped, parseAddress } from './cidr.ts'
import { compileElementTest } from './compile-test.ts'
import type { ElementTest, Interval, Scalar } from './condition.ts'
import { parseGlob } from './glob.ts'
import { compileRegex } from './regex.ts'

/** What is nearly right about a value that a test does not hold for; `null` where nothing is. */
export function nearElement(test: ElementTest, value: Scalar): string | null {
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
export function nearScalar(value: Scalar, asked: Scalar): string | null {
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

/** A value in quotes where it is a text. */
export function shown(value: Scalar): string {
  return typeof value === 'string' ? quote(value) : String(value)
}

/** A value of any kind, by its noun. */
export function nounOf(value: Json): string {
  return value === null ? 'null' : describeValue(value)
}

/** The first that is found. */
export function firstOf<T>(items: readonly T[], find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item)
    if (found !== null) return found
  }
  return null
}
