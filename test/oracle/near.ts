import type { Event } from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'
import { anEvent } from '../support/builders.ts'
import { elementSpecimens, specimens } from './naive-expressions.ts'
import { naiveHoldsFor, namesOf, type RawFile, type RawMap } from './naive.ts'
import { chance, pick, shuffled, type Random } from './chance.ts'
import { scalars, topics, words } from './pool.ts'
import { filledUp, filling, spoilBody, spoilRecord, unitsSeen, type DraftRecord } from './spoil.ts'

/*
 * Events that nearly match: what a rule asks for, written into a body, and then one thing spoilt.
 * Purely random events would match next to nothing, and all that an index can get wrong lies at the
 * edge between matching and not.
 */

/** An event that nearly matches one or two rules of the file. */
export function eventNear(file: RawFile, random: Random): Event {
  const draft = new Draft(file.lists, random)
  const rules = Object.values(file.rules) as readonly RawMap[] // as: a file of rules
  const aims = chance(random, 0.3)
    ? [pick(rules, random), pick(rules, random)]
    : [pick(rules, random)]
  for (const rule of aims) aimAt(rule, draft)
  const spoilt = pick([0, 1, 1, 1, 2, 3], random)
  for (let i = 0; i < spoilt; i++) {
    if (chance(random, 0.2)) spoilRecord(draft.record, random)
    else draft.body = spoilBody(draft.body, random)
  }
  return draft.event()
}

function aimAt(rule: RawMap, draft: Draft): void {
  const { random } = draft
  // What must not hold comes first, so that what must overwrites it.
  if (chance(random, 0.15)) meetOne(rule['unless'], draft)
  if (rule['when'] !== undefined) meet(rule['when'], draft)
  const cases = rule['cases'] as readonly RawMap[] | undefined // as: a list of cases
  if (cases !== undefined) meet(pick(cases, random)['when'] ?? {}, draft)
  draft.record.topic = topicOf(rule['topics'] ?? [], random)
}

function topicOf(source: Json, random: Random): string {
  const include = isMap(source) ? source['include'] : source
  const pattern = pick(include as readonly string[], random) // as: names and globs
  if (!pattern.includes('*')) return pattern
  return chance(random, 0.2) ? pattern.replaceAll('*', 'x') : pick(topics, random)
}

/* Meeting a condition */

/** What an event is made of, as it is being written. */
class Draft {
  body: Json = {}
  readonly record: DraftRecord
  readonly lists: RawMap
  readonly random: Random

  constructor(lists: RawMap, random: Random) {
    this.lists = lists
    this.random = random
    this.record = {
      topic: 'edits',
      partition: pick([0, 1, 2, 10], random),
      offset: BigInt(pick([0, 1, 9, 10, 42], random)),
      timestampMs: pick([0, 10, 1_000], random),
      key: chance(random, 0.5) ? null : Buffer.from(pick(words, random)),
      headers: chance(random, 0.5) ? [] : [['source', Buffer.from(pick(words, random))]],
    }
    // Fields that nobody asked for, or that another rule does.
    for (const path of ['kind', 'wiki', 'size', 'page.id']) {
      if (chance(random, 0.4)) this.write(path, pick(scalars, random))
    }
  }

  event(): Event {
    // Through JSON, as an event comes in: `__proto__` is a name like any other there.
    return anEvent(JSON.parse(JSON.stringify(this.body)) as Json, this.record) // as: parsed from JSON
  }

  write(path: string, value: Json | undefined): void {
    if (path.startsWith('@')) this.#writeRecord(path, value)
    else this.body = written(this.body, namesOf(path), value)
  }

  #writeRecord(path: string, value: Json | undefined): void {
    const { record } = this
    const isScalar = value !== undefined && (value === null || typeof value !== 'object')
    const bytes = isScalar ? Buffer.from(String(value)) : null
    if (path === '@topic' && typeof value === 'string') record.topic = value
    if (path === '@key') record.key = bytes
    if (path === '@partition' && isCount(value)) record.partition = value
    if (path === '@timestamp' && isCount(value)) record.timestampMs = value
    if (path === '@offset' && isCount(value)) record.offset = BigInt(value)
    if (!path.startsWith('@headers.')) return
    const name = path.slice('@headers.'.length)
    record.headers = [...(record.headers ?? []).filter(([one]) => one !== name), [name, bytes]]
  }
}

/** What a bus can give as a partition, an offset or a time. */
function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** A copy of `into` with a value at a path, or without what is there. */
function written(into: Json, names: readonly string[], value: Json | undefined): Json {
  const [name, ...rest] = names
  if (name === undefined) return value ?? null
  const entries = isMap(into) ? Object.entries(into) : []
  const others = entries.filter(([one]) => one !== name)
  if (rest.length === 0 && value === undefined) return Object.fromEntries(others)
  const below = entries.find(([one]) => one === name)?.[1] ?? {}
  return Object.fromEntries([...others, [name, written(below, rest, value)]])
}

/** One of several, at times two: what does not decide may still be got wrong. */
function meetOne(blocks: Json | undefined, draft: Draft): void {
  if (!Array.isArray(blocks)) return
  const several = blocks as readonly Json[] // as: a list of blocks
  for (let i = chance(draft.random, 0.3) ? 2 : 1; i > 0; i--)
    meet(pick(several, draft.random), draft)
}

function meet(source: Json, draft: Draft): void {
  if (!isMap(source)) return
  // What must not hold comes first, so that what must overwrites it.
  if (chance(draft.random, 0.2)) meetOne(source['none'], draft)
  for (const [key, value] of Object.entries(source)) {
    if (key === 'any') meetOne(value, draft)
    else if (key === 'all')
      for (const one of value as readonly Json[]) meet(one, draft) // as: a list of blocks
    else if (key === 'some')
      meetSome(value as RawMap, draft) // as: a path and a block
    else if (key === 'expr') meetExpression(value, draft)
    else if (key !== 'none' && key !== 'full_scan') meetTest(key, value, draft)
  }
}

function meetSome({ path, where }: RawMap, draft: Draft): void {
  const { random } = draft
  const element = new Draft(draft.lists, random)
  element.body = {}
  meet(where ?? {}, element)
  const beside = () => pick<Json>([{}, 'text', null, { to: 'x', ns: 0 }, [element.body]], random)
  const list = shuffled(
    [element.body, beside(), beside()].slice(0, pick([1, 2, 3], random)),
    random,
  )
  const isLong = asksRegex(where ?? {}) && chance(random, 0.15)
  draft.write(path as string, isLong ? filledMaps(list, random) : list) // as: a path is a text
}

/** The list with one text or two of each map in it made long, all of one name together at the cap. */
function filledMaps(list: readonly Json[], random: Random): readonly Json[] {
  const maps = chance(random, 0.5) ? list : [...list, ...list]
  const names = new Set(maps.flatMap((one) => (isMap(one) ? Object.keys(one) : [])))
  const chosen = shuffled([...names], random).slice(0, pick([1, 1, 2], random))
  return chosen.reduce<readonly Json[]>((filled, name) => {
    const texts = filledUp(
      filled.map((one) => (isMap(one) ? (one[name] ?? null) : null)),
      random,
    )
    return filled.map((one, i) =>
      isMap(one) && Object.hasOwn(one, name) ? { ...one, [name]: texts[i] ?? null } : one,
    )
  }, maps)
}

function meetExpression(source: Json, draft: Draft): void {
  const specimen = [...specimens, ...elementSpecimens].find((one) => one.source === source)
  for (const [name, value] of Object.entries(specimen?.body ?? {})) draft.write(name, value)
}

/** Writes a value for which the test holds, where one of those tried is. */
function meetTest(path: string, test: Json, draft: Draft): void {
  const { random, lists } = draft
  const other = isMap(test) ? (test['same_as'] ?? test['differs_from']) : undefined
  const twin = pick([...scalars.slice(0, 8), ...deep], random)
  if (typeof other === 'string') draft.write(other, twin)
  if (asksRegex(test) && chance(random, 0.1)) {
    const long = pick([...words, ''], random).padEnd(unitsSeen + 1, filling)
    // In a list the units of all texts count, and a number that holds takes the doubt away.
    const beside = shuffled([pick(words, random), pick(words, random), 1], random)
    const list = chance(random, 0.3) ? [long, ...beside] : filledUp(beside, random)
    draft.write(path, chance(random, 0.3) ? long : shuffled(list, random))
    return
  }
  const event = draft.event()
  const tried = typeof other === 'string' ? [...twinsOf(twin, random)] : []
  for (const value of [...tried, ...candidates(test, random)]) {
    if (naiveHoldsFor(test, value, event, lists) !== true) continue
    draft.write(path, value)
    return
  }
  draft.write(path, pick(scalars, random))
}

const deep: readonly Json[] = [
  { a: 1, b: [1, { c: null }] },
  { a: 1 },
  [1, 'x', null],
  [{ a: 1, b: 2 }],
  { b: {}, a: [] },
]

/** The same value in another order, and values that are nearly the same. */
function twinsOf(value: Json, random: Random): readonly Json[] {
  const turned = Array.isArray(value) ? value.toReversed() : value
  const twins: readonly Json[] = isMap(value)
    ? [
        Object.fromEntries(Object.entries(value).toReversed()),
        { ...value, z: 1 },
        Object.fromEntries(Object.entries(value).slice(1)),
        { ...value, a: null },
      ]
    : [value, turned, [value], { 0: value }]
  return shuffled(twins, random)
}

function asksRegex(test: Json): boolean {
  return isMap(test) && JSON.stringify(test).includes('"regex":')
}

/** Values worth trying, those that a test names first; `undefined` is absence. */
function* candidates(test: Json, random: Random): Generator<Json | undefined> {
  const named = namedIn(test)
  const start = Math.floor(random() * (named.length + 1))
  const inOrder = [...named.slice(start), ...named.slice(0, start)]
  const inList = chance(random, 0.25)
  const isOfList =
    isMap(test) && ['has_all', 'has_only', 'len'].some((name) => Object.hasOwn(test, name))
  if (isOfList) yield* listsFor(inOrder, random)
  for (const value of inOrder) {
    if (inList) yield shuffled([value, pick(scalars, random), pick(scalars, random)], random)
    if (typeof value === 'string' && chance(random, 0.3)) {
      yield `${pick(surroundings, random)}${value}${pick(surroundings, random)}`
    }
    yield value
  }
  if (chance(random, 0.3)) yield undefined
  const from = Math.floor(random() * scalars.length)
  yield* scalars.slice(from)
  yield* scalars.slice(0, from)
  yield undefined
  yield []
  yield* listsFor(inOrder, random)
}

/** What may stand before and behind a text that is contained. */
const surroundings = ['', 'a', 'b', 'ab', 'ba', 'aab']

function* listsFor(named: readonly Json[], random: Random): Generator<Json> {
  yield shuffled(named, random)
  yield shuffled([...named, pick(scalars, random)], random)
  for (const length of [1, 2, 3, 4, 5]) {
    yield Array.from({ length }, (_, i) => named[i % (named.length + 1)] ?? pick(scalars, random))
  }
  yield []
}

/** The scalars that stand in a test, and the numbers just beside them. */
function namedIn(test: Json): readonly Json[] {
  if (typeof test === 'number') return [test, test + 0.5, test + 1, test - 1]
  if (typeof test !== 'object' || test === null) return [test]
  return Object.entries(test)
    .filter(([name]) => !['same_as', 'differs_from', 'in', 'regex', 'cidr'].includes(name))
    .flatMap(([, below]: [string, Json]) => namedIn(below))
}

function isMap(value: Json | undefined): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
