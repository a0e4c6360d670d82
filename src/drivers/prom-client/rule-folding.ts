import type { LabelValues } from '../../ports/metrics.ts'

/** Where the rules go that have no lines of their own. */
export const otherRules = '__other__'

/**
 * Bounds what rules cost in a monitoring system. The first `rulesMax` names that any metric is asked
 * for keep lines of their own, in every metric; all others count as one rule called `__other__`. A
 * rule that is removed keeps its place, because its counters stay too.
 */
export class RuleFolding {
  readonly #rulesMax: number
  readonly #named = new Set<string>()

  constructor(rulesMax: number) {
    this.#rulesMax = rulesMax
  }

  /** `values` with the value of the label `rule` replaced where the rule has no lines of its own. */
  fold(names: readonly string[], values: LabelValues): LabelValues {
    const at = names.indexOf('rule')
    const rule = values[at]
    if (rule === undefined || this.#hasPlace(rule)) return values
    return values.with(at, otherRules)
  }

  #hasPlace(rule: string): boolean {
    if (this.#named.has(rule)) return true
    if (this.#named.size >= this.#rulesMax) return false
    this.#named.add(rule)
    return true
  }
}
