/** Label values of a metric, in the order in which its names were declared. */
export type LabelValues = readonly string[]

export interface Counter {
  inc(by?: number): void
}
export interface Gauge {
  set(value: number): void
}
export interface Histogram {
  observe(value: number): void
}

/** A metric and its labels: `of` gives the child of one label set. Ask once, at load, not per event. */
export interface Family<Child> {
  of(...labels: LabelValues): Child
}

export interface MetricSpec {
  /** With the prefix: `sluice_rule_done_total`. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** Where numbers go. Labels come from closed sets: never an id, a key or an address of an event. */
export interface Metrics {
  counter(spec: MetricSpec): Family<Counter>
  gauge(spec: MetricSpec): Family<Gauge>
  histogram(spec: MetricSpec & { readonly buckets: readonly number[] }): Family<Histogram>
  /** Calls `collect` before each scrape, to set gauges that are cheaper to read than to keep. */
  onScrape(collect: () => void): void
  /** Everything in the Prometheus text format. */
  expose(): Promise<string>
  readonly contentType: string
}
