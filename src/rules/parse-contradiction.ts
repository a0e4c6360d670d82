import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Condition, ElementTest, FieldTest } from './condition.ts'
import { excludes } from './parse-exclusion.ts'
import { partsOf, type Fact } from './parse-facts.ts'

/*
 * Tests of one condition that cannot hold together, wherever they stand in it: all that has to hold
 * is gathered as facts, and each is held against those before it. Told only where it is certain. Two
 * tests of one field are not, as a rule: a list may satisfy one by this element and the other by
 * that.
 */

interface Contradiction {
  readonly at: At
  readonly message: string
}

/** Facts that are held against each other: above it they were generated, and none is looked for. */
const factsMax = 500

/**
 * What the search through one condition may cost; one is about a value that is looked at. It is a
 * tenth of a second, at load; above it what is left is not looked through.
 */
const workMax = 500_000

/** Two facts of one field, of which each is taken apart. */
const workOfPair = 8

/** Values of one list that are looked at; of a longer one no test asks. */
const workOfListMax = 10_000

interface Search {
  readonly reporter: Reporter
  workLeft: number
}

/** Reports that a condition can never hold, if that is certain; at most once. */
export function refuseContradiction(condition: Condition, reporter: Reporter): boolean {
  const found = findContradiction(condition, [], { reporter, workLeft: workMax })
  if (found === null) return false
  reporter.errorAtKey(found.at, 'impossible', found.message)
  return true
}

function findContradiction(
  condition: Condition,
  above: readonly Fact[],
  search: Search,
): Contradiction | null {
  const facts = [...above]
  const { certain, choices, lists } = partsOf(condition)
  for (const fact of certain) {
    if (facts.length >= factsMax || search.workLeft <= 0) return null
    const other = facts.find((one) => excludeEachOther(one, fact, search))
    if (excludes(fact, fact)) {
      return { at: fact.at, message: `\`${fact.text}\` can never hold` }
    }
    if (other !== undefined) {
      return { at: fact.at, message: messageOf(fact, other, search.reporter.lineOf(other.at)) }
    }
    facts.push(fact)
  }
  for (const where of lists) {
    const found = findContradiction(where, [], search)
    if (found !== null) return found
  }
  for (const { of, at } of choices) {
    const found = of.map((branch) => findContradiction(branch, facts, search))
    const [first] = found
    if (first == null || found.some((one) => one === null)) continue
    return { at, message: `no branch of \`any\` can hold: ${first.message}` }
  }
  return null
}

function excludeEachOther(a: Fact, b: Fact, search: Search): boolean {
  if (search.workLeft <= 0) return false
  if (a.path.text === b.path.text) {
    search.workLeft -= workOfPair + valuesIn(a.test) + valuesIn(b.test)
  }
  return excludes(a, b) || excludes(b, a)
}

function valuesIn(test: FieldTest | ElementTest): number {
  switch (test.kind) {
    case 'one-of':
      return Math.min(test.values.size, workOfListMax)
    case 'has-all':
    case 'has-only':
      return Math.min(test.members.size, workOfListMax)
    case 'element':
    case 'not':
      return valuesIn(test.test)
    case 'every':
      return test.tests.reduce((sum, one) => sum + valuesIn(one), 0)
    case 'present':
    case 'absent':
    case 'len':
    case 'same-as':
    case 'differs-from':
    case 'prefix':
    case 'suffix':
    case 'contains':
    case 'glob':
    case 'regex':
    case 'range':
    case 'cidr':
      return 1
  }
}

function messageOf(fact: Fact, other: Fact, line: number): string {
  const [text, place] = [`\`${fact.text}\``, `\`${other.text}\` in line ${line}`]
  if (fact.isNegated) return `${text} must not hold, and always does beside ${place}`
  if (other.isNegated) return `${text} can never hold where ${place} must not`
  return `${text} can never hold beside ${place}`
}
