import type { Problem } from '../../model/problem.ts'
import type { Condition } from '../condition.ts'
import { needOf, type Need } from '../match-index/need.ts'
import { PathTree } from '../match-index/path-tree.ts'
import type { Rule } from '../rule.ts'
import type { Linted } from './linted.ts'

/**
 * A rule whose condition gives the index nothing to file it under, so that it is checked for every
 * event of its topics, or for every one that has a field. One that matches everything is told as
 * that, and `full_scan: true` says that it is meant.
 */
export function unindexable({ rule, at, document, matchesAll }: Linted): readonly Problem[] {
  if (matchesAll || isMeant(conditionOf(rule))) return []
  const why = whyNot(needOf(conditionOf(rule), new PathTree()))
  if (why === null) return []
  return [
    document.problemAt(at, 'key', {
      severity: 'warning',
      code: 'unindexable',
      message: `no index can leave \`${rule.name}\` out, so that each event costs a check of it: ${why}`,
      hint: 'add a test of what an event is, such as `kind: edit`',
    }),
  ]
}

/** The match of the rule, and one of its ways. */
function conditionOf({ condition, ways }: Rule): Condition {
  const ofWays = ways.map((way) => way.condition).filter((one) => one !== null)
  if (ofWays.length < ways.length) return condition
  const { at } = condition
  return { kind: 'all', of: [condition, { kind: 'any', of: ofWays, at }], at }
}

/** Why what is needed does not tell events apart; `null`: it does. */
function whyNot(need: Need | null): string | null {
  if (need === null) return 'it only says what an event is not'
  switch (need.kind) {
    case 'key':
      return need.key.kind === 'present' ? need.key.beyond : null
    case 'all': {
      const whys = need.of.map(whyNot)
      return whys.includes(null) ? null : (whys[0] ?? null)
    }
    case 'any':
      return need.of.map(whyNot).find((why) => why !== null) ?? null
  }
}

/** An expression passes only beside something indexable, or with `full_scan: true`. */
function isMeant(condition: Condition): boolean {
  if (condition.kind === 'expr') return true
  return 'of' in condition && condition.of.some(isMeant)
}
