import type { Problem } from '../../model/problem.ts'
import type { Condition } from '../condition.ts'
import { implies } from './implies.ts'
import type { Linted } from './linted.ts'

/** Pairs of cases compared for one rule; of more, those in front are looked at. */
const pairsMax = 20_000

/** Cases that are never taken, because an earlier one holds whenever they do. */
export function shadowedCases({ rule, at, document }: Linted): readonly Problem[] {
  let pairs = 0
  return rule.ways.flatMap((way, i) => {
    if (i === 0) return []
    const parts = way.condition === null ? [rule.condition] : [rule.condition, way.condition]
    const asks: Condition = { kind: 'all', of: parts, at }
    const earlier = rule.ways
      .slice(0, i)
      .findIndex(
        ({ condition }) => pairs++ < pairsMax && condition !== null && implies(asks, condition),
      )
    if (earlier === -1) return []
    return [
      document.problemAt([...at, 'cases', i], 'value', {
        severity: 'error',
        code: 'shadowed-case',
        message: `case ${i + 1} is never taken: whenever it holds, case ${earlier + 1} holds before it`,
        hint: 'the first case that holds is taken: put the narrower one first',
      }),
    ]
  })
}
