import fc from 'fast-check'
import type { Json } from '../../src/model/json.ts'
import { elementSpecimens, specimens } from './naive-expressions.ts'
import type { RawFile, RawMap } from './naive.ts'
import {
  blocksOfAddresses,
  elementMapLists,
  elementPaths,
  lists,
  mapLists,
  numbers,
  paths,
  scalars,
  words,
} from './pool.ts'

/*
 * Arbitrary rule files. Every operator and combinator of the language turns up, and each test is
 * cut from a word or a number of the pool, so that there are events for which it holds.
 */

export interface RuleSetOptions {
  readonly rulesMax: number
}

/* Elements */

/** The first ones of a pool most of the time: what rules share. */
function often<T>(pool: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...pool.slice(0, 5)), weight: 2 },
    fc.constantFrom(...pool),
  )
}

const word = often(words)
const scalar: fc.Arbitrary<Json> = fc.oneof(word, fc.constantFrom(...scalars))

/** Where a word is cut in three; the parts may be empty. */
const cuts = fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 8 }))

const threeParts = fc.tuple(word, cuts).map(([text, [from, length]]) => {
  const letters = Array.from(text)
  const start = Math.min(from, letters.length)
  const end = Math.min(start + length, letters.length)
  const part = (a: number, b: number) => letters.slice(a, b).join('')
  return [part(0, start), part(start, end), part(end, letters.length)] as const
})

const textTest = fc
  .tuple(threeParts, fc.constantFrom('prefix', 'suffix', 'contains', 'both'))
  .map(([[head, middle, tail], name]): RawMap => {
    const whole = head + middle + tail
    switch (name) {
      case 'prefix':
        return { prefix: head === '' ? whole : head }
      case 'suffix':
        return { suffix: tail === '' ? whole : tail }
      case 'contains':
        return { contains: middle === '' ? whole : middle }
      case 'both':
        return { prefix: head === '' ? whole : head, suffix: tail === '' ? whole : tail }
    }
  })

const globTest = fc
  .tuple(threeParts, fc.constantFrom('m', 'h', 't', 'ht', 'none', 'overlap', 'twice'))
  .map(([[head, middle, tail], stars]): RawMap => {
    const literal = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('*', '\\*')
    const part = (text: string, mark: string) => (stars.includes(mark) ? '*' : literal(text))
    // What lies on both sides of the star must be there twice.
    if (stars === 'overlap') return { glob: `${literal(head + middle)}*${literal(middle + tail)}` }
    if (stars === 'twice') {
      return { glob: `${literal(head)}*${literal(middle)}*${literal(middle + tail)}` }
    }
    const glob = part(head, 'h') + (stars === 'm' ? '*' : literal(middle)) + part(tail, 't')
    return { glob }
  })

type Shape = 'literal' | 'class' | 'group' | 'choice' | 'optional' | 'counted'

const shape = fc.constantFrom<Shape>('literal', 'class', 'group', 'choice', 'optional', 'counted')

/** In both dialects of regex, with the same meaning; it matches `text`. */
function piece(text: string, as: Shape): string {
  const literal = text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const isPlain = /^[a-z]+$/i.test(text)
  switch (as) {
    case 'literal':
      return literal
    case 'class':
      return isPlain ? '[A-Za-z]+' : literal
    case 'group':
      return isPlain ? '(?P<g>[A-Za-z]+)' : `(?P<g>${literal})`
    case 'choice':
      return `(?:${literal}|zz)`
    case 'optional':
      return `(?:${literal})?`
    case 'counted':
      return isPlain ? `[A-Za-z]{1,${text.length}}` : literal
  }
}

const regexTest = fc
  .record({
    parts: threeParts,
    shapes: fc.tuple(shape, shape, shape),
    isSearch: fc.boolean(),
    isClosed: fc.boolean(),
  })
  .map(({ parts, shapes, isSearch, isClosed }): RawMap => {
    const shaped = parts.map((text, i) => (text === '' ? '' : piece(text, shapes[i] ?? 'literal')))
    const body = shaped.join('')
    if (!isSearch) return { regex: `^${body}${isClosed ? '$' : ''}` }
    return { regex: body + (isClosed ? '$' : ''), search: true }
  })

const rangeTest = fc
  .record({
    middle: fc.constantFrom(...numbers),
    low: fc.constantFrom('gt', 'gte', null),
    high: fc.constantFrom('lt', 'lte', null),
    below: fc.constantFrom(0, 0.5, 1, 5),
    above: fc.constantFrom(0, 0.5, 1, 5),
  })
  .map(({ middle, low, high, below, above }): RawMap => {
    // An open end lies away from the middle, which would be outside otherwise.
    const away = (end: string, by: number) => (end.endsWith('e') ? by : by + 1)
    if (low === null && high === null) return { gte: middle }
    return {
      ...(low === null ? {} : { [low]: middle - away(low, below) }),
      ...(high === null ? {} : { [high]: middle + away(high, above) }),
    }
  })

const memberTest = fc.oneof(
  fc.record({ in: fc.constantFrom(...Object.keys(lists)) }),
  fc.record({ equals: scalar }),
) as fc.Arbitrary<RawMap> // as: of JSON values

const cidrTest = fc.constantFrom(...blocksOfAddresses).map((cidr): RawMap => ({ cidr }))

/** A text test that ignores case, with the case of what it asks for turned around. */
const foldedTest = fc
  .tuple(
    fc.oneof(
      textTest,
      globTest,
      regexTest,
      word.map((equals): RawMap => ({ equals })),
    ),
    fc.constantFrom('as-is', 'upper', 'lower'),
  )
  .map(([test, change]): RawMap => {
    const turned = Object.entries(test).map(([name, operand]) => {
      if (name === 'regex' || typeof operand !== 'string') return [name, operand]
      if (change === 'upper') return [name, operand.toUpperCase()]
      return [name, change === 'lower' ? operand.toLowerCase() : operand]
    })
    return { ...(Object.fromEntries(turned) as RawMap), ci: true } // as: of JSON values
  })

const foldedList = fc.oneof(
  fc.constantFrom('wikis', 'mixed').map((name): RawMap => ({ in: name, ci: true })),
  fc.tuple(word, scalar).map((equals): RawMap => ({ equals, ci: true })),
)

const textOperators = fc.oneof(
  { arbitrary: textTest, weight: 4 },
  { arbitrary: globTest, weight: 2 },
  { arbitrary: regexTest, weight: 5 },
  { arbitrary: foldedTest, weight: 3 },
  { arbitrary: foldedList, weight: 1 },
  { arbitrary: memberTest, weight: 2 },
)

const someScalars = fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 })

/** Of one value, by what the path holds by habit. */
const elementTests = {
  texts: fc.oneof(
    { arbitrary: word, weight: 4 }, // as: a text is one
    { arbitrary: someScalars, weight: 2 }, // as: a list of Json values
    { arbitrary: textOperators, weight: 6 },
    { arbitrary: cidrTest, weight: 1 },
    { arbitrary: fc.constantFrom<Json>(null, true, 1, 0), weight: 1 },
  ),
  numbers: fc.oneof(
    { arbitrary: fc.constantFrom<Json>(...numbers), weight: 3 },
    { arbitrary: rangeTest, weight: 5 }, // as: a map of Json values
    { arbitrary: someScalars, weight: 1 }, // as: a list of Json values
    { arbitrary: memberTest, weight: 1 }, // as: a map of Json values
  ),
}

/* The value at a path */

type Habit = 'texts' | 'numbers' | 'lists'

type Paths = Readonly<Record<Habit, readonly string[]>>

const wholeTest = fc.oneof(
  fc.record({ has_all: someScalars }),
  fc.record({ has_only: someScalars }),
  fc.record({ len: fc.nat({ max: 4 }) }),
  fc.record({
    len: fc.record(
      { gte: fc.nat({ max: 2 }), lt: fc.integer({ min: 3, max: 5 }) },
      { requiredKeys: ['gte'] },
    ),
  }),
) as fc.Arbitrary<RawMap> // as: of JSON values

function comparisonTest(known: Paths): fc.Arbitrary<RawMap> {
  const path = fc.constantFrom(...Object.values(known).flat())
  return fc.oneof(fc.record({ same_as: path }), fc.record({ differs_from: path }))
}

function fieldTest(habit: Habit, known: Paths): fc.Arbitrary<Json> {
  const ofElement = fc.oneof(
    { arbitrary: elementTests[habit === 'numbers' ? 'numbers' : 'texts'], weight: 6 },
    { arbitrary: elementTests[habit === 'numbers' ? 'texts' : 'numbers'], weight: 1 },
  )
  const map = fc.oneof({ arbitrary: textOperators, weight: 3 }, rangeTest)
  const negated = ofElement.map((not): RawMap => ({ not }))
  const beside = (...parts: readonly fc.Arbitrary<RawMap>[]) =>
    fc.tuple(...parts).map((tests) => Object.assign({}, ...tests) as RawMap) // as: maps of Json values
  const presence = fc.boolean().map((exists): RawMap => ({ exists }))
  const isThere = fc.constant<RawMap>({ exists: true })
  const comparison = comparisonTest(known)
  return fc.oneof(
    { arbitrary: ofElement, weight: habit === 'lists' ? 6 : 14 },
    { arbitrary: presence, weight: 2 },
    { arbitrary: negated, weight: 4 },
    { arbitrary: beside(isThere, negated), weight: 1 },
    { arbitrary: beside(map, negated), weight: 2 },
    { arbitrary: beside(isThere, map), weight: 1 },
    { arbitrary: comparison, weight: 2 },
    { arbitrary: beside(comparison, map), weight: 1 },
    { arbitrary: wholeTest, weight: habit === 'lists' ? 6 : 1 },
    { arbitrary: beside(wholeTest, fc.oneof(map, negated)), weight: habit === 'lists' ? 3 : 0 },
    {
      arbitrary: fc.oneof(wholeTest, comparison, beside(wholeTest, map)).map((not) => ({ not })),
      weight: habit === 'lists' ? 2 : 1,
    },
  )
}

function fieldEntry(known: Paths): fc.Arbitrary<readonly [path: string, test: Json]> {
  const of = (habit: Habit) => fc.tuple(often<string>(known[habit]), fieldTest(habit, known))
  return fc.oneof(
    { arbitrary: of('texts'), weight: 5 },
    { arbitrary: of('numbers'), weight: 3 },
    { arbitrary: of('lists'), weight: 2 },
  )
}

/** Entries of a block that are plain tests, at least `min` of them. */
function fields(known: Paths, min: number): fc.Arbitrary<RawMap> {
  return fc
    .uniqueArray(fieldEntry(known), { minLength: min, maxLength: 3, selector: ([path]) => path })
    .map((entries) => Object.fromEntries(entries))
}

/* Blocks */

const blockDepthMax = 4

function blocks(known: Paths, listPaths: readonly string[], depth: number): fc.Arbitrary<RawMap> {
  if (depth >= blockDepthMax) return fields(known, 1)
  const inner = blocks(known, listPaths, depth + 1)
  const several = fc.array(inner, { minLength: 1, maxLength: 3 })
  const path = fc.constantFrom(...listPaths)
  const where =
    depth + 1 >= blockDepthMax
      ? fields(elementPaths, 1)
      : blocks(elementPaths, elementMapLists, depth + 2)
  const ofElement = fc
    .tuple(where, fc.constantFrom(...specimens, ...elementSpecimens))
    .map(([tests, { source }]): RawMap => ({ ...tests, expr: source }))
  const combinator = fc.oneof(
    { arbitrary: fc.record({ any: several }), weight: 3 },
    { arbitrary: fc.record({ all: several }), weight: 1 },
    { arbitrary: fc.record({ none: several }), weight: 2 },
    { arbitrary: fc.record({ some: fc.record({ path, where }) }), weight: 3 },
    { arbitrary: fc.record({ some: fc.record({ path, where: ofElement }) }), weight: 1 },
    { arbitrary: fc.record({ any: several, none: several }), weight: 1 },
  ) as fc.Arbitrary<RawMap> // as: of JSON values
  const nested = fc
    .tuple(fields(known, 0), combinator)
    .map(([tests, one]): RawMap => ({ ...tests, ...one }))
  return fc.oneof(
    { arbitrary: fields(known, 1), weight: 6 },
    { arbitrary: nested, weight: depth === 0 ? 5 : 2 },
  )
}

const plainBlock = blocks(paths, mapLists, 0)

const expressionBlock = fc
  .tuple(fields(paths, 1), fc.constantFrom(...specimens))
  .map(([tests, { source }]): RawMap => ({ ...tests, expr: source, full_scan: true }))

const block = fc.oneof({ arbitrary: plainBlock, weight: 20 }, expressionBlock)

/* Rules */

const topicsOfRule = fc.oneof(
  { arbitrary: fc.constant<Json>(['edits']), weight: 12 },
  { arbitrary: fc.constant<Json>(['edits', 'moves']), weight: 2 },
  { arbitrary: fc.constantFrom<Json>(['mw.*'], ['*s'], ['mw.*.purge', 'edits']), weight: 2 },
  {
    arbitrary: fc.constantFrom<Json>(
      { include: ['*'], exclude: ['mw.*'] },
      { include: ['*'], unclaimed: true },
      { include: ['mw.*', 'edits'], exclude: ['*.purge'] },
    ),
    weight: 2,
  },
)

const oneCase = fc.record(
  { when: block, unless: fc.array(plainBlock, { minLength: 1, maxLength: 2 }) },
  { requiredKeys: ['when'] },
) as fc.Arbitrary<RawMap> // as: of JSON values

/** `odds` times as often as `null`. */
function perhaps<T>(arbitrary: fc.Arbitrary<T>, odds: number): fc.Arbitrary<T | null> {
  return fc.oneof({ arbitrary, weight: 10 * odds }, { arbitrary: fc.constant(null), weight: 10 })
}

const rule = fc
  .record({
    topics: topicsOfRule,
    lane: fc.oneof({ arbitrary: fc.constant(null), weight: 9 }, fc.constant('slow')),
    when: perhaps(block, 12),
    unless: perhaps(fc.array(block, { minLength: 1, maxLength: 2 }), 0.3),
    cases: perhaps(fc.array(oneCase, { minLength: 1, maxLength: 3 }), 0.3),
    enabled: fc.oneof({ arbitrary: fc.constant(true), weight: 9 }, fc.constant(false)),
  })
  .map(({ topics, lane, when, unless, cases, enabled }): RawMap => {
    return {
      topics,
      ...(lane === null ? {} : { lane }),
      ...(when === null ? {} : { when }),
      ...(unless === null ? {} : { unless }),
      ...(cases === null ? {} : { cases }),
      ...(enabled ? {} : { enabled }),
    }
  })

/**
 * Rules that all ask for one path with a single test, so that no cheaper one is looked up in its
 * place and every kind of lookup has many entries that overlap.
 */
function families(rulesMax: number): fc.Arbitrary<readonly RawMap[]> {
  const place = fc.constantFrom<readonly [path: string, habit: Habit]>(
    ['kind', 'texts'],
    ['page.title', 'texts'],
    ['@key', 'texts'],
    ['@headers.source', 'texts'],
    ['tags', 'lists'],
    ['size', 'numbers'],
  )
  const slice = threeParts.map(([head, middle]) => middle || head || 'i')
  // Of two letters, so that the end of one is often the beginning of another.
  const overlapping = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 })
  const contained = fc.oneof(slice, overlapping).map((contains): RawMap => ({ contains }))
  const plain = fc.oneof(
    { arbitrary: contained, weight: 3 },
    ...[textTest, globTest, regexTest, foldedTest, rangeTest, cidrTest],
  )
  return place.chain(([path, habit]) => {
    const test = fc.oneof<fc.Arbitrary<Json>[]>(fieldTest(habit, paths), plain)
    const one = test.map((test): RawMap => ({ topics: ['edits'], when: { [path]: test } }))
    return fc.array(one, { minLength: 8, maxLength: Math.max(8, rulesMax), size: 'max' })
  })
}

/* Files */

/** A file of rules `r0`, `r1` ... whose actions read every capture that they can. */
export function ruleFiles({ rulesMax }: RuleSetOptions): fc.Arbitrary<RawFile> {
  // `size` of fast-check would keep lists short; a set of 60 rules is a case like any other.
  const mixed = fc.array(rule, { minLength: 1, maxLength: rulesMax, size: 'max' })
  return fc
    .oneof(
      { arbitrary: mixed, weight: 4 }, // as: read only
      { arbitrary: families(2 * rulesMax), weight: 1 },
    )
    .map((rules) => ({
      lists,
      rules: Object.fromEntries(rules.map((one, i) => [`r${i}`, finished(one)])),
    }))
}

/** Gives each group a name of its own, and each case an action that reads those it can. */
function finished(source: RawMap): RawMap {
  let groups = 0
  const text = JSON.stringify(source).replaceAll('(?P<g>', () => `(?P<g${groups++}>`)
  const named = JSON.parse(text) as RawMap // as: what was written as JSON
  const cases = named['cases']
  if (!Array.isArray(cases)) return { ...named, do: actionReading([named['when'] ?? null]) }
  const ways = (cases as readonly RawMap[]).map((one) => ({
    ...one,
    do: actionReading([named['when'] ?? null, one['when'] ?? null]),
  })) // as: made above
  return { ...named, cases: ways }
}

function actionReading(whens: readonly Json[]): Json {
  const value = whens.flatMap(capturable).map((name) => [name, `{{match.${name} | default: ""}}`])
  return { emit: { topic: 'out', value: Object.fromEntries(value) as RawMap } } // as: of texts
}

/** Names of the groups that a block can capture: not those that must not be found. */
function capturable(source: Json): readonly string[] {
  if (typeof source !== 'object' || source === null) return []
  if (Array.isArray(source)) return (source as readonly Json[]).flatMap(capturable) // as: isArray forgets what the members are
  return Object.entries(source).flatMap(([key, value]) => {
    if (key === 'none' || key === 'not') return []
    if (key !== 'regex' || typeof value !== 'string') return capturable(value)
    return Array.from(value.matchAll(/\(\?P<(\w+)>/g), ([, name]) => name ?? '')
  })
}
