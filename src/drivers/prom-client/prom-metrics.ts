import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import { invariant } from '../../model/invariant.ts'
import type { Metrics, MetricSpec } from '../../ports/metrics.ts'
import {
  counterFamily,
  gaugeFamily,
  histogramFamily,
  type Exported,
  type ExportedFamily,
  type Fold,
} from './families.ts'
import { LabelFolding } from './label-folding.ts'

/** operations.md, 4: beyond this many rules a scrape and its storage cost more than they tell. */
const rulesWithLines = 300
/** Hosts may come out of events, where a rule allows it; few deployments call more than this. */
const originsWithLines = 100

/** How finely Node's event loop delay is sampled: 10 would wake an idle process 100 times a second. */
const loopDelayPrecisionMs = 50

/**
 * Metrics for Prometheus, with those of the process (`process_*`) and of Node (`nodejs_*`).
 *
 * prom-client writes the text and measures the process; our numbers are kept here (families.ts). Its
 * own children build and hash a label string at every increment: 120 to 180 ns where ours take 10,
 * ten times per task. A counter is there with 0 from the first `of`.
 * Asking again for a metric gives the same one; under another kind or with other labels it throws.
 */
export function promMetrics(options: { readonly rulesMax?: number } = {}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopDelayPrecisionMs })
  const folding = new LabelFolding({
    rule: options.rulesMax ?? rulesWithLines,
    origin: originsWithLines,
  })
  const fold: Fold = (names, values) => folding.fold(names, values)
  const counters = declared(registry, counterFamily, fold)
  const gauges = declared(registry, gaugeFamily, fold)
  const histograms = declared(registry, histogramFamily, fold)
  const collectors: (() => void)[] = []

  return {
    counter: counters,
    gauge: gauges,
    histogram: histograms,
    onScrape: (collect) => void collectors.push(collect),
    async expose() {
      for (const collect of collectors) collect()
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}

/** Makes each metric of one kind once. */
function declared<Spec extends MetricSpec, Cell>(
  registry: Registry,
  make: (spec: Spec, fold: Fold) => ExportedFamily<Cell>,
  fold: Fold,
): (spec: Spec) => ExportedFamily<Cell> {
  const known = new Map<string, { readonly spec: Spec; readonly family: ExportedFamily<Cell> }>()
  return (spec) => {
    const before = known.get(spec.name)
    if (before !== undefined) {
      const isSame = before.spec.labels.join() === spec.labels.join()
      invariant(isSame, `${spec.name} was declared with the labels ${before.spec.labels.join()}`)
      return before.family
    }
    invariant(registry.getSingleMetric(spec.name) === undefined, `${spec.name} is of another kind`)
    const family = make(spec, fold)
    known.set(spec.name, { spec, family })
    registry.registerMetric(asMetric(family))
    return family
  }
}

/**
 * The registry calls `get` and reads the names, nothing else; prom-client's types know its own
 * classes only. A test compares what comes out, so that a new version cannot change this unseen.
 */
function asMetric(family: ExportedFamily<unknown>): Metric {
  const { name, help, type } = family.exported()
  const metric = {
    name,
    help,
    type,
    get: (): Promise<Exported> => Promise.resolve(family.exported()),
  }
  return metric as unknown as Metric // as: see above
}
