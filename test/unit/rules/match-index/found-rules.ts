import type { Candidates } from '../../../../src/rules/match-index/candidates.ts'

/** The numbers that a look-up gives, in order, as those of the next event. */
export function foundRules(
  found: Candidates,
  lookUp: (found: Candidates) => void,
): readonly number[] {
  found.begin()
  lookUp(found)
  return Array.from({ length: found.count }, (_, i) => found.at(i)).sort((a, b) => a - b)
}

/** Indices of the members for which `holds`: what a look-up should have found. */
export function indicesWhere<Of>(list: readonly Of[], holds: (one: Of) => boolean): number[] {
  return list.flatMap((one, i) => (holds(one) ? [i] : []))
}
