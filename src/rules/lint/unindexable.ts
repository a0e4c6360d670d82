import type { Problem } from '../../model/problem.ts'
import type { Condition } from '../condition.ts'
import { isIndexable } from '../indexable.ts'
import type { Linted } from './linted.ts'

/**
 * A rule whose condition gives the index nothing to file it under, so that it is asked about every
 * event of its topics. One that matches everything is told as that, and `full_scan: true` says that it
 * is meant.
 */
export function unindexable({ rule, at, document, matchesAll }: Linted): readonly Problem[] {
  if (matchesAll || isIndexable(rule.condition)) return []
  const ways = rule.ways.map(({ condition }) => condition)
  if (ways.every((condition) => condition !== null && isIndexable(condition))) return []
  if ([rule.condition, ...ways].some((condition) => condition !== null && isMeant(condition)))
    return []
  return [
    document.problemAt(at, 'key', {
      severity: 'warning',
      code: 'unindexable',
      message: `\`${rule.name}\` only says what an event is not, so that it is checked for every event of its topics`,
      hint: 'add a test of what the event is, such as `kind: edit`',
    }),
  ]
}

/** An expression passes only beside something indexable, or with `full_scan: true`. */
function isMeant(condition: Condition): boolean {
  if (condition.kind === 'expr') return true
  return 'of' in condition && condition.of.some(isMeant)
}
