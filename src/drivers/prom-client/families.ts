import { invariant } from '../../model/invariant.ts'
import type {
  Counter,
  Family,
  Gauge,
  Histogram,
  LabelValues,
  MetricSpec,
} from '../../ports/metrics.ts'

/** One line of the text format, in the shape in which prom-client writes it. */
interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What prom-client's registry asks of a metric. */
export interface Exported {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: readonly Sample[]
}

/** Gives label values as they are exported: see `LabelFolding`. */
export type Fold = (names: readonly string[], values: LabelValues) => LabelValues

export class CounterCell implements Counter {
  value = 0

  inc(by = 1): void {
    invariant(by >= 0, `a counter was given ${by}`)
    this.value += by
  }
}

export class GaugeCell implements Gauge {
  value = 0

  set(value: number): void {
    this.value = value
  }
}

export class HistogramCell implements Histogram {
  readonly buckets: readonly number[]
  /** Per bucket, not cumulative; the last one is above all bounds. */
  readonly counts: number[]
  sum = 0

  constructor(buckets: readonly number[]) {
    this.buckets = buckets
    this.counts = new Array<number>(buckets.length + 1).fill(0)
  }

  observe(value: number): void {
    invariant(Number.isFinite(value), `a histogram was given ${value}`)
    let at = 0
    while (at < this.buckets.length && value > (this.buckets[at] ?? Infinity)) at++
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += value
  }
}

/** The children of one metric. Those that fold into one label set share one child. */
class Children<Cell> implements Family<Cell> {
  readonly #spec: MetricSpec
  readonly #fold: Fold
  readonly #make: () => Cell
  readonly #cellByLabels = new Map<string, readonly [LabelValues, Cell]>()

  constructor(spec: MetricSpec, fold: Fold, make: () => Cell) {
    this.#spec = spec
    this.#fold = fold
    this.#make = make
  }

  of(...labels: LabelValues): Cell {
    const { name, labels: names } = this.#spec
    invariant(labels.length === names.length, `${name} has the labels ${names.join(', ')}`)
    const exported = this.#fold(names, labels)
    const key = JSON.stringify(exported)
    const known = this.#cellByLabels.get(key)
    if (known !== undefined) return known[1]
    const cell = this.#make()
    this.#cellByLabels.set(key, [exported, cell])
    return cell
  }

  samples(write: (labels: Readonly<Record<string, string>>, cell: Cell) => readonly Sample[]) {
    return [...this.#cellByLabels.values()].flatMap(([values, cell]) =>
      write(labelled(this.#spec.labels, values), cell),
    )
  }
}

function labelled(names: readonly string[], values: LabelValues): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
}

export interface ExportedFamily<Cell> extends Family<Cell> {
  exported(): Exported
}

export function counterFamily(spec: MetricSpec, fold: Fold): ExportedFamily<CounterCell> {
  const children = new Children(spec, fold, () => new CounterCell())
  return {
    of: (...labels) => children.of(...labels),
    exported: () => ({
      name: spec.name,
      help: spec.help,
      type: 'counter',
      values: children.samples((labels, { value }) => [{ metricName: spec.name, labels, value }]),
    }),
  }
}

/**
 * Gauges that fold cannot share one child, since each `set` would undo the one before. They
 * are kept apart and added up; ages and points in time (`_seconds`) give the greatest instead.
 */
export function gaugeFamily(spec: MetricSpec, fold: Fold): ExportedFamily<GaugeCell> {
  const children = new Children(
    spec,
    (_names, values) => values,
    () => new GaugeCell(),
  )
  const join = spec.name.endsWith('_seconds') ? Math.max : (a: number, b: number) => a + b
  return {
    of: (...labels) => {
      fold(spec.labels, labels) // the first to be asked for are the ones with lines of their own
      return children.of(...labels)
    },
    exported() {
      const byLabels = new Map<string, Sample>()
      children.samples((labels, { value }) => {
        const values = fold(spec.labels, Object.values(labels))
        const key = JSON.stringify(values)
        const other = byLabels.get(key)
        byLabels.set(key, {
          metricName: spec.name,
          labels: labelled(spec.labels, values),
          value: other === undefined ? value : join(other.value, value),
        })
        return []
      })
      return { name: spec.name, help: spec.help, type: 'gauge', values: [...byLabels.values()] }
    },
  }
}

export function histogramFamily(
  spec: MetricSpec & { readonly buckets: readonly number[] },
  fold: Fold,
): ExportedFamily<HistogramCell> {
  const buckets = spec.buckets.toSorted((a, b) => a - b)
  const children = new Children(spec, fold, () => new HistogramCell(buckets))
  return {
    of: (...labels) => children.of(...labels),
    exported: () => ({
      name: spec.name,
      help: spec.help,
      type: 'histogram',
      values: children.samples((labels, cell) => histogramSamples(spec.name, labels, cell)),
    }),
  }
}

function histogramSamples(
  name: string,
  labels: Readonly<Record<string, string>>,
  { buckets, counts, sum }: HistogramCell,
): readonly Sample[] {
  let count = 0
  const lines = counts.map((inBucket, i) => {
    count += inBucket
    const le = String(buckets[i] ?? '+Inf')
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
  })
  return [
    ...lines,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
