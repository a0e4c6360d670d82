import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import type { At } from '../schema/yaml-document.ts'
import { compileFieldTest } from './compile-test.ts'
import type { Condition, Truth } from './condition.ts'
import { nearMiss } from './near-miss.ts'
import { seesTooMuch, type RegexMode } from './regex-units.ts'
import { valueCharsMax } from './regex.ts'
import { allOf, anyOf, negate } from './truth.ts'

/*
 * A condition beside what an event really held, for people: what matching decides in one go is told
 * here part by part. Slow and thorough, where the compiled check is neither; both read one tree.
 */

/** One part of a condition, and how it went. */
export interface Inspected {
  /** `element`: one element of the list of a `some`, with its `where` below it. */
  readonly kind: Condition['kind'] | 'element'
  /** Where the condition is written. */
  readonly at: At
  /** What a test or a `some` reads: `page.title`, `@topic`; of an element `links[3]`; else `null`. */
  readonly path: string | null
  /** A test as it was written; the source of an `expr`; else `null`. */
  readonly test: Json
  /** What is there; `undefined`: absent, or nothing is read. */
  readonly value: Json | undefined
  readonly truth: Truth
  /** Whether the outcome of the whole is due to this part: had it gone otherwise, so might the whole. */
  readonly decided: boolean
  /** What a test that does not hold may have been meant for: "differs only in case"; or `null`. */
  readonly nearMiss: string | null
  /** Why it cannot be said whether it holds, in words; or `null`. */
  readonly doubt: string | null
  readonly children: readonly Inspected[]
}

/** Elements of a list in which none satisfies a `where` that are shown; those that come nearest. */
const elementsShownMax = 3

/** Inspects a condition on an event; `truth` is what the compiled check says. Total. */
export function inspectCondition(condition: Condition, event: Event): Inspected {
  const regexes: RegexMode = 'reading'
  const place = { event, start: event.body, element: undefined, isGuessing: true, regexes }
  return decide(inspect(condition, place), true)
}

interface Place {
  readonly event: Event
  /** What paths start at. */
  readonly start: Json
  /** The element, within a `some`. */
  readonly element: Json | undefined
  /** Whether near misses are looked for, which takes far longer than all else. */
  readonly isGuessing: boolean
  /** In doubt, within a `some` whose regexes would see too much. */
  readonly regexes: RegexMode
}

function inspect(condition: Condition, place: Place): Inspected {
  switch (condition.kind) {
    case 'test':
      return inspectTest(condition, place)
    case 'all':
    case 'any':
    case 'none': {
      const children = condition.of.map((one) => inspect(one, place))
      return { ...bare(condition), truth: combined(condition.kind, children), children }
    }
    case 'some':
      return inspectSome(condition, place)
    case 'expr': {
      const holds = condition.expr.holds(place.event, place.element)
      const isClear = typeof holds === 'boolean'
      return {
        ...bare(condition),
        test: condition.expr.source,
        truth: isClear ? holds : 'expr-error',
        doubt: isClear ? null : holds.error,
      }
    }
  }
}

function bare({ kind, at }: Pick<Condition, 'kind' | 'at'>): Inspected {
  return {
    kind,
    at,
    path: null,
    test: null,
    value: undefined,
    truth: false,
    decided: false,
    nearMiss: null,
    doubt: null,
    children: [],
  }
}

function combined(kind: 'all' | 'any' | 'none', children: readonly Inspected[]): Truth {
  const truths = children.map(({ truth }) => truth)
  if (kind === 'all') return truths.reduce(allOf, true)
  const any = truths.reduce(anyOf, false)
  return kind === 'any' ? any : negate(any)
}

function inspectTest(
  condition: Extract<Condition, { kind: 'test' }>,
  { event, start, element, isGuessing, regexes }: Place,
): Inspected {
  const { path, test, written } = condition
  const value = path.read(event, element)
  const truth = compileFieldTest(test, regexes)(value, event, element)
  return {
    ...bare(condition),
    path: path.text,
    test: written,
    value,
    truth,
    nearMiss: isGuessing && truth === false ? nearMiss({ path, test, value, start, event }) : null,
    doubt: truth === 'value-too-long' ? whyTooLong(value, regexes) : null,
  }
}

function whyTooLong(value: Json | undefined, regexes: RegexMode): string {
  const most = `at most ${valueCharsMax} characters`
  if (regexes === 'in-doubt') {
    return `the regexes of a \`some\` read ${most} of its list together, and there are more`
  }
  return Array.isArray(value)
    ? `a regex reads ${most} of a list, and its texts have more together`
    : `a regex reads texts of ${most}, and this one is longer`
}

function inspectSome(
  condition: Extract<Condition, { kind: 'some' }>,
  { event, element, isGuessing, regexes }: Place,
): Inspected {
  const { path, where, at } = condition
  const value = path.read(event, element)
  const shown = { ...bare(condition), path: path.text, value }
  if (!Array.isArray(value)) {
    const isThere = value !== undefined
    return { ...shown, nearMiss: isThere ? '`some` looks into a list, and this is none' : null }
  }
  const list = value as readonly Json[] // as: see isArray
  const isTooMuch = seesTooMuch(where)?.(list, event) === true
  const below = { event, regexes: isTooMuch ? ('in-doubt' as const) : regexes } // as: keep it narrow
  const inspectAs = (one: Json, guesses: boolean): Inspected =>
    inspect(where, { ...below, start: one, element: one, isGuessing: guesses })
  const inner = list.map((one) => inspectAs(one, false))
  const truth = inner.map((one) => one.truth).reduce(anyOf, false)
  const children = nearestOf(inner, truth).map((i): Inspected => {
    const one = list[i] ?? null
    const seen = inspectAs(one, isGuessing)
    const named = { path: `${path.text}[${i}]`, value: one, truth: seen.truth }
    return { ...bare({ kind: 'some', at }), kind: 'element', ...named, children: [seen] }
  })
  return { ...shown, truth, children }
}

/** Where those are that show why: the first that went as the whole did, or those nearest to it. */
function nearestOf(elements: readonly Inspected[], truth: Truth): readonly number[] {
  if (truth !== false) return [elements.findIndex((one) => one.truth === truth)]
  const holding = elements.map((one, i) => ({ i, tests: testsHolding(one) }))
  const nearest = holding.sort((a, b) => b.tests - a.tests).slice(0, elementsShownMax)
  return nearest.map(({ i }) => i)
}

function testsHolding({ truth, children }: Inspected): number {
  if (children.length === 0) return truth === true ? 1 : 0
  return children.reduce((sum, child) => sum + testsHolding(child), 0)
}

/** Marks what a part owes its outcome to, and so on below it; nothing where it mattered not itself. */
function decide(part: Inspected, decided: boolean): Inspected {
  const { kind, truth } = part
  // One part can settle an `any` that holds, and an `all` or `none` that does not; else all do.
  const settling = kind === 'none' ? negate(truth) : truth
  const children = part.children.map((child) => decide(child, decided && child.truth === settling))
  return { ...part, decided, children }
}
