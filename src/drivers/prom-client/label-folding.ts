import type { LabelValues } from '../../ports/metrics.ts'

/** The label value of all that has no lines of its own. */
const others = '__other__'

/**
 * Bounds what a label costs in a monitoring system, for labels whose values users make. The first
 * values that any metric is asked for keep lines of their own, in every metric, up to the label's
 * bound; all others count as one called `__other__`. A rule that is removed keeps its place, because
 * its counters stay too. Labels without a bound come from closed sets and are never folded.
 */
export class LabelFolding {
  readonly #maxByLabel: ReadonlyMap<string, number>
  readonly #namedByLabel: ReadonlyMap<string, Set<string>>

  constructor(maxByLabel: Readonly<Record<string, number>>) {
    this.#maxByLabel = new Map(Object.entries(maxByLabel))
    this.#namedByLabel = new Map(Object.keys(maxByLabel).map((label) => [label, new Set()]))
  }

  /** `values` with those replaced that have no lines of their own. */
  fold(labels: readonly string[], values: LabelValues): LabelValues {
    return values.map((value, i) => (this.#hasPlace(labels[i] ?? '', value) ? value : others))
  }

  #hasPlace(label: string, value: string): boolean {
    const named = this.#namedByLabel.get(label)
    if (named === undefined || named.has(value)) return true
    if (named.size >= (this.#maxByLabel.get(label) ?? 0)) return false
    named.add(value)
    return true
  }
}
