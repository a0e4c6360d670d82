import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Condition } from './condition.ts'
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

/** Reports that a condition can never hold, if that is certain; at most once. */
export function refuseContradiction(condition: Condition, reporter: Reporter): boolean {
  const found = findContradiction(condition, [], reporter)
  if (found === null) return false
  reporter.errorAtKey(found.at, 'impossible', found.message)
  return true
}

function findContradiction(
  condition: Condition,
  above: readonly Fact[],
  reporter: Reporter,
): Contradiction | null {
  const facts = [...above]
  const { certain, choices, lists } = partsOf(condition)
  for (const fact of certain) {
    if (facts.length >= factsMax) return null
    const other = facts.find((one) => excludes(one, fact) || excludes(fact, one))
    if (excludes(fact, fact)) {
      return { at: fact.at, message: `\`${fact.text}\` can never hold` }
    }
    if (other !== undefined) {
      return { at: fact.at, message: messageOf(fact, other, reporter.lineOf(other.at)) }
    }
    facts.push(fact)
  }
  for (const where of lists) {
    const found = findContradiction(where, [], reporter)
    if (found !== null) return found
  }
  for (const { of, at } of choices) {
    const found = of.map((branch) => findContradiction(branch, facts, reporter))
    const [first] = found
    if (first == null || found.some((one) => one === null)) continue
    return { at, message: `no branch of \`any\` can hold: ${first.message}` }
  }
  return null
}

function messageOf(fact: Fact, other: Fact, line: number): string {
  const [text, place] = [`\`${fact.text}\``, `\`${other.text}\` in line ${line}`]
  if (fact.isNegated) return `${text} must not hold, and always does beside ${place}`
  if (other.isNegated) return `${text} can never hold where ${place} must not`
  return `${text} can never hold beside ${place}`
}
