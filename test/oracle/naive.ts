import type { Event } from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'
import { isInBlock } from './naive-addresses.ts'
import { elementSpecimens, specimens } from './naive-expressions.ts'
import { containsText, endsWithText, equalsText, fitsGlob, startsWithText } from './naive-texts.ts'

/*
 * A second reading of the rule language (docs/rules.md, 2), straight from its words, over the raw
 * value of a rule file. It knows no index, no tree and no order of evaluation, and it shares no
 * code with the real one, so that a mistake would have to be made twice to go unseen.
 *
 * Slow on purpose: everything is evaluated, nothing is kept. It trusts that the loader has accepted
 * the rule, and throws on what it does not know.
 */

/** In the order in which they are named where there are two. */
const doubts = ['value-too-long', 'expr-error'] as const

type Doubt = (typeof doubts)[number]

export type Truth = boolean | Doubt

export type RawMap = { readonly [key: string]: Json }

/** A rule file as its YAML reads. */
export interface RawFile {
  readonly lists: RawMap
  readonly rules: RawMap
}

/** That a rule fires for an event, or that nobody can say. */
export interface NaiveFiring {
  readonly rule: string
  /** Index among `cases`, 0 without any; `null` in doubt. */
  readonly way: number | null
  readonly doubt: Doubt | null
  /** Texts of the named groups; none in doubt. */
  readonly captures: ReadonlyMap<string, string>
}

/** The rules of `lane` that fire for `event`, in the order of the file. */
export function naiveFirings(file: RawFile, lane: string, event: Event): readonly NaiveFiring[] {
  return Object.entries(file.rules).flatMap(([name, source]) => {
    const rule = mapOf(source)
    if ((rule['lane'] ?? 'default') !== lane) return []
    if (!readsTopic(name, file, event.record.topic)) return []
    return firingOf(name, rule, { lists: file.lists, event, start: event.body }) ?? []
  })
}

/** Whether a block of tests holds for an event. */
export function naiveHolds(when: Json, event: Event, lists: RawMap = {}): Truth {
  return block(when, { lists, event, start: event.body }).truth
}

/** Whether the test of a path holds for a value; comparisons read `event`. */
export function naiveHoldsFor(
  test: Json,
  value: Json | undefined,
  event: Event,
  lists: RawMap,
): Truth {
  return field(test, value, { lists, event, start: event.body }).truth
}

/* Rules */

function firingOf(name: string, rule: RawMap, place: Place): NaiveFiring | null {
  const condition = both(rule, place)
  const cases =
    rule['cases'] === undefined
      ? [always]
      : listOf(rule['cases']).map((one) => both(mapOf(one), place))
  if (and([condition, or(cases)]).truth === false) return null
  const way = cases.findIndex(({ truth }) => truth === true)
  // One that is in doubt and stands before the one that holds might be the one to take.
  const before = way === -1 ? cases : cases.slice(0, way)
  const doubt = worst([condition, ...before].map(({ truth }) => truth))
  if (doubt !== null) return { rule: name, way: null, doubt, captures: nothing }
  const { captures } = and([condition, cases[way] ?? always])
  return { rule: name, way, doubt: null, captures }
}

/** `when` and none of `unless`. */
function both(source: RawMap, place: Place): Finding {
  const when = source['when'] === undefined ? always : block(source['when'], place)
  const unless = listOf(source['unless'] ?? []).map((one) => block(one, place))
  return and([when, not(or(unless))])
}

function readsTopic(name: string, file: RawFile, topic: string): boolean {
  const topics = mapOf(file.rules[name] ?? {})['topics'] ?? []
  if (Array.isArray(topics)) return fitsOne(topics as Json, topic) // as: isArray forgets readonly
  const { include, exclude, unclaimed } = mapOf(topics)
  if (!fitsOne(include ?? [], topic) || fitsOne(exclude ?? [], topic)) return false
  if (unclaimed !== true) return true
  return !Object.entries(file.rules).some(
    ([other, rule]) => other !== name && namesLiterally(mapOf(rule)['topics'] ?? [], topic),
  )
}

function namesLiterally(topics: Json, topic: string): boolean {
  if (Array.isArray(topics)) return topics.includes(topic)
  return listOf(mapOf(topics)['include'] ?? []).includes(topic)
}

function fitsOne(patterns: Json, topic: string): boolean {
  return listOf(patterns).some((pattern) => fitsGlob(topic, textOf(pattern), false))
}

/* Three values, and the captures of what holds */

interface Finding {
  readonly truth: Truth
  readonly captures: ReadonlyMap<string, string>
}

const nothing: ReadonlyMap<string, string> = new Map()
const always: Finding = { truth: true, captures: nothing }

function plain(truth: Truth): Finding {
  return { truth, captures: nothing }
}

function and(findings: readonly Finding[]): Finding {
  if (findings.some(({ truth }) => truth === false)) return plain(false)
  const doubt = worst(findings.map(({ truth }) => truth))
  return doubt === null ? { truth: true, captures: merged(findings) } : plain(doubt)
}

function or(findings: readonly Finding[]): Finding {
  const holding = findings.filter(({ truth }) => truth === true)
  if (holding.length > 0) return { truth: true, captures: merged(holding) }
  return plain(worst(findings.map(({ truth }) => truth)) ?? false)
}

/** Like `or`, of the elements of one list: the first that satisfies is the one that is captured. */
function someOf(findings: readonly Finding[]): Finding {
  return findings.find(({ truth }) => truth === true) ?? or(findings)
}

function not({ truth }: Finding): Finding {
  return plain(typeof truth === 'boolean' ? !truth : truth)
}

function worst(truths: readonly Truth[]): Doubt | null {
  return doubts.find((doubt) => truths.includes(doubt)) ?? null
}

/** Of one name, the text that was found first counts. */
function merged(findings: readonly Finding[]): ReadonlyMap<string, string> {
  return new Map(findings.toReversed().flatMap(({ captures }) => [...captures]))
}

/* Blocks */

/** What a condition is asked about. */
interface Place {
  readonly lists: RawMap
  readonly event: Event
  /** Where paths start: the body, or within `some` the element. */
  readonly start: Json
  /** Whether regexes would see too much here, all of them together. */
  readonly seesTooMuch?: boolean
}

function block(source: Json, place: Place): Finding {
  return and(Object.entries(mapOf(source)).map(([key, value]) => entry(key, value, place)))
}

function entry(key: string, value: Json, place: Place): Finding {
  const blocks = () => listOf(value).map((one) => block(one, place))
  switch (key) {
    case 'any':
      return or(blocks())
    case 'all':
      return and(blocks())
    case 'none':
      return not(or(blocks()))
    case 'some':
      return some(mapOf(value), place)
    case 'expr':
      return plain(expression(textOf(value), place))
    case 'full_scan':
      return always
    default:
      return field(value, read(key, place), place)
  }
}

function some({ path, where }: RawMap, place: Place): Finding {
  const list = read(textOf(path), place)
  if (!Array.isArray(list)) return plain(false)
  const elements = list as readonly Json[] // as: isArray forgets what the members are
  const places = elements.map((element) => ({ ...place, start: element }))
  const units = total(places.map((one) => unitsOfBlock(where ?? {}, one)))
  const seesTooMuch = place.seesTooMuch === true || units > valueUnitsMax
  return someOf(places.map((one) => block(where ?? {}, { ...one, seesTooMuch })))
}

/** What all regexes of a block would see: each the text at its path, or every text of a list there. */
function unitsOfBlock(source: Json, place: Place): number {
  return total(
    Object.entries(mapOf(source)).map(([key, value]) => {
      if (key === 'any' || key === 'all' || key === 'none') {
        return total(listOf(value).map((one) => unitsOfBlock(one, place)))
      }
      if (key === 'expr' || key === 'full_scan') return 0
      if (key !== 'some') return regexesIn(value) * unitsOfValue(read(key, place))
      const { path, where } = mapOf(value)
      const list = read(textOf(path), place)
      if (!Array.isArray(list)) return 0
      const elements = list as readonly Json[] // as: isArray forgets what the members are
      return total(elements.map((start) => unitsOfBlock(where ?? {}, { ...place, start })))
    }),
  )
}

function regexesIn(test: Json): number {
  if (!isMap(test)) return 0
  return (test['regex'] === undefined ? 0 : 1) + regexesIn(test['not'] ?? null)
}

function unitsOfValue(value: Json | undefined): number {
  const texts = [value].flat().filter((one) => typeof one === 'string')
  return texts.join('').length
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function expression(source: string, { event, start }: Place): Truth {
  const specimen = [...specimens, ...elementSpecimens].find((one) => one.source === source)
  if (specimen === undefined) throw new Error(`no specimen means ${source}`)
  const meant = specimen.means(event, start)
  return meant === 'error' ? 'expr-error' : meant
}

/* Paths */

const recordPath = /^@(topic|key|partition|offset|timestamp)$/

function read(path: string, place: Place): Json | undefined {
  const { record } = place.event
  if (path.startsWith('@headers.')) {
    const name = path.slice('@headers.'.length).replaceAll('\\.', '.')
    return record.headers.findLast(([one]) => one === name)?.[1]?.toString('utf8')
  }
  switch (recordPath.exec(path)?.[1] ?? '') {
    case 'topic':
      return record.topic
    case 'key':
      return textOfBytes(record.key)
    case 'partition':
      return record.partition
    case 'offset':
      return Number.isSafeInteger(Number(record.offset))
        ? Number(record.offset)
        : `${record.offset}`
    case 'timestamp':
      return record.timestampMs
    default:
      return namesOf(path).reduce(below, place.start)
  }
}

/** `a.b\.c` is `a`, then `b.c`. A backslash before the first letter only keeps a word's meaning off. */
export function namesOf(path: string): readonly string[] {
  const written = /^\\[^.\\]/.test(path) ? path.slice(1) : path
  const names = written.match(/(?:\\.|[^.\\])+/gs) ?? []
  return names.map((name) => name.replace(/\\(.)/gs, '$1'))
}

/** An own property of a map; nothing is below a list, a scalar, or what is absent. */
function below(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value as Json | undefined // as: of a Json value
}

/** A key that is no text counts as absent. */
function textOfBytes(bytes: Buffer | null): string | undefined {
  if (bytes === null) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/* The value at a path */

/** Operators that speak of the value as a whole; the others of it, or of one of its elements. */
const ofTheWhole = ['exists', 'has_all', 'has_only', 'len', 'differs_from', 'same_as']

function field(test: Json, value: Json | undefined, place: Place): Finding {
  if (!isMap(test)) return someElement(test, value, place)
  const whole = Object.entries(test).filter(([name]) => isOfTheWhole(name, test))
  const rest = Object.fromEntries(
    Object.entries(test).filter(([name]) => !isOfTheWhole(name, test)),
  )
  const findings = whole.map(([name, operand]) => ofWhole(name, operand, value, place))
  const names = Object.keys(rest).filter((name) => !isModifier(name))
  if (names.length === 0) return and(findings)
  const elements =
    names.length === 1 && rest['not'] !== undefined
      ? not(someElement(rest['not'], value, place))
      : someElement(rest, value, place)
  return and([...findings, elements])
}

function isOfTheWhole(name: string, test: RawMap): boolean {
  if (name !== 'not') return ofTheWhole.includes(name)
  const inner = test[name] ?? null
  return isMap(inner) && Object.keys(inner).some((one) => isOfTheWhole(one, inner))
}

/** Not tests, but how the tests beside them are meant. */
function isModifier(name: string): boolean {
  return name === 'ci' || name === 'search'
}

function ofWhole(name: string, operand: Json, value: Json | undefined, place: Place): Finding {
  switch (name) {
    case 'exists':
      return plain((value !== undefined) === operand)
    case 'same_as':
      return plain(isSame(value, read(textOf(operand), place)))
    case 'differs_from':
      return plain(!isSame(value, read(textOf(operand), place)))
    case 'not':
      return not(field(operand, value, place))
    default:
      return plain(Array.isArray(value) && ofList(name, operand, value as readonly Json[])) // as: see isArray
  }
}

function ofList(name: string, operand: Json, list: readonly Json[]): boolean {
  switch (name) {
    case 'has_all':
      return listOf(operand).every((wanted) => list.includes(wanted))
    case 'has_only':
      return list.every((element) => listOf(operand).includes(element))
    case 'len':
      return isMap(operand)
        ? Object.entries(operand).every(([bound, end]) => isInRange(bound, list.length, end))
        : list.length === operand
    default:
      throw new Error(`no test of a list is called ${name}`)
  }
}

/** Deep equality; absent equals only absent. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one: Json, i) => isSame(one, b[i] as Json)) // as: same length
  }
  if (isMap(a) && isMap(b)) {
    const names = Object.keys(a)
    if (names.length !== Object.keys(b).length) return false
    return names.every((name) => Object.hasOwn(b, name) && isSame(below(a, name), below(b, name)))
  }
  return a === b
}

/* One element */

function someElement(test: Json, value: Json | undefined, place: Place): Finding {
  if (value === undefined) return plain(false)
  if (!Array.isArray(value)) return element(test, value, place)
  const seesTooMuch = place.seesTooMuch === true || unitsOfValue(value as Json) > valueUnitsMax // as: isArray forgets readonly
  const within = { ...place, seesTooMuch }
  return someOf((value as readonly Json[]).map((one) => element(test, one, within))) // as: likewise
}

/** Whether a test holds for one value that is no list: for a list in a list none does. */
function element(test: Json, value: Json, place: Place): Finding {
  if (Array.isArray(test)) return plain((test as readonly Json[]).includes(value)) // as: see isArray
  if (!isMap(test)) return plain(test === value)
  const { ci = false, ...tests } = test
  const findings = Object.entries(tests).map(([name, operand]) => {
    if (name === 'search') return always
    if (name === 'not') return not(element(operand, value, place))
    if (name === 'regex') return found(textOf(operand), value, ci === true, place)
    return plain(operator(name, operand, value, ci === true, place))
  })
  return and(findings)
}

function operator(name: string, operand: Json, value: Json, ci: boolean, place: Place): boolean {
  switch (name) {
    case 'equals':
      return isOneOf([operand].flat(), value, ci)
    case 'in':
      return isOneOf(listOf(place.lists[textOf(operand)] ?? null), value, ci)
    case 'prefix':
      return typeof value === 'string' && startsWithText(value, textOf(operand), ci)
    case 'suffix':
      return typeof value === 'string' && endsWithText(value, textOf(operand), ci)
    case 'contains':
      return typeof value === 'string' && containsText(value, textOf(operand), ci)
    case 'glob':
      return typeof value === 'string' && fitsGlob(value, textOf(operand), ci)
    case 'cidr':
      return typeof value === 'string' && isInBlock(value, textOf(operand))
    default:
      return typeof value === 'number' && isInRange(name, value, operand)
  }
}

function isOneOf(members: readonly Json[], value: Json, ci: boolean): boolean {
  return members.some((member) =>
    typeof member === 'string' && typeof value === 'string'
      ? equalsText(value, member, ci)
      : member === value,
  )
}

function isInRange(bound: string, value: number, end: Json): boolean {
  if (typeof end !== 'number') throw new Error(`${bound} needs a number`)
  switch (bound) {
    case 'gt':
      return value > end
    case 'gte':
      return value >= end
    case 'lt':
      return value < end
    case 'lte':
      return value <= end
    default:
      throw new Error(`no test is called ${bound}`)
  }
}

/** More is not shown to a regex, in one text or in several: nobody can say whether it is found. */
const valueUnitsMax = 65_536

function found(source: string, value: Json, ci: boolean, place: Place): Finding {
  if (typeof value !== 'string') return plain(false)
  if (place.seesTooMuch === true || value.length > valueUnitsMax) return plain('value-too-long')
  const flags = ci ? 'iu' : 'u'
  const match = new RegExp(source.replaceAll('(?P<', '(?<'), flags).exec(value)
  if (match === null) return plain(false)
  const groups = Object.entries<string | undefined>(match.groups ?? {})
  const captures = groups.flatMap(([name, text]) =>
    text === undefined ? [] : ([[name, text]] as const),
  )
  return { truth: true, captures: new Map(captures) }
}

/* Raw values */

function isMap(value: Json | undefined): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapOf(value: Json): RawMap {
  if (!isMap(value)) throw new Error(`${JSON.stringify(value)} is no map`)
  return value
}

function listOf(value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw new Error(`${JSON.stringify(value)} is no list`)
  return value as readonly Json[] // as: isArray forgets what the members are
}

function textOf(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} is no text`)
  return value
}
