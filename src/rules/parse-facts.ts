import type { Json } from '../model/json.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Condition, FieldPath, FieldTest } from './condition.ts'

/** Something that has to hold for a condition to hold. */
export interface Fact {
  readonly path: FieldPath
  readonly test: FieldTest
  /** As written. */
  readonly text: string
  /** It stands below `none`: what is written must not hold, and `test` is the opposite of it. */
  readonly isNegated: boolean
  readonly at: At
}

/** What a condition asks for, taken apart. */
export interface Parts {
  /** In the order in which they are written. */
  readonly certain: readonly Fact[]
  /** Some branch of each has to hold. */
  readonly choices: readonly { readonly of: readonly Condition[]; readonly at: At }[]
  /** The `where` of each has to hold for some element. */
  readonly lists: readonly Condition[]
}

const noParts: Parts = { certain: [], choices: [], lists: [] }

export function partsOf(condition: Condition): Parts {
  switch (condition.kind) {
    case 'test': {
      const { path, test, written, at } = condition
      return {
        ...noParts,
        certain: factsOf({ path, test, text: textAt(path, written), isNegated: false, at }),
      }
    }
    case 'all': {
      const parts = condition.of.map(partsOf)
      return {
        certain: parts.flatMap(({ certain }) => certain),
        choices: parts.flatMap(({ choices }) => choices),
        lists: parts.flatMap(({ lists }) => lists),
      }
    }
    case 'any':
      return { ...noParts, choices: [condition] }
    case 'none':
      // Of a block of several tests it is not certain which one does not hold.
      return { ...noParts, certain: condition.of.flatMap(factsOfNone) }
    case 'some': {
      const { path, where, at } = condition
      const interval = { min: 1, minOpen: false, max: Infinity, maxOpen: false }
      const text = `some: { path: ${path.text} }`
      const test: FieldTest = { kind: 'len', interval }
      const certain: Fact = { path, test, text, isNegated: false, at }
      return { ...noParts, certain: [certain], lists: [where] }
    }
    case 'expr':
      return noParts
  }
}

function factsOfNone(condition: Condition): readonly Fact[] {
  if (condition.kind !== 'test') return []
  const { path, test, written, at } = condition
  return [{ path, test: negated(test), text: textAt(path, written), isNegated: true, at }]
}

function negated(test: FieldTest): FieldTest {
  switch (test.kind) {
    case 'present':
      return { kind: 'absent' }
    case 'absent':
      return { kind: 'present' }
    case 'not':
      return test.test
    case 'same-as':
      return { kind: 'differs-from', path: test.path }
    case 'differs-from':
      return { kind: 'same-as', path: test.path }
    case 'element':
    case 'every':
    case 'has-all':
    case 'has-only':
    case 'len':
      return { kind: 'not', test }
  }
}

/** A map of operators holds when each of its tests does. */
function factsOf(fact: Fact): readonly Fact[] {
  if (fact.test.kind !== 'every') return [fact]
  return fact.test.tests.flatMap((test) => factsOf({ ...fact, test }))
}

const shownMax = 40

function textAt(path: FieldPath, written: Json): string {
  const text = JSON.stringify(written)
  return `${path.text}: ${text.length > shownMax ? `${text.slice(0, shownMax)}…` : text}`
}
