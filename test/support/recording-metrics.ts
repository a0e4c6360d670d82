import type { Family, Metrics, MetricSpec } from '../../src/ports/metrics.ts'

/** Metrics as plain numbers: `valueOf('sluice_rule_done_total', 'purge')`. */
export class RecordingMetrics implements Metrics {
  readonly contentType = 'text/plain'
  readonly #values = new Map<string, number>()
  readonly #collectors: (() => void)[] = []

  counter({ name }: MetricSpec) {
    return this.#family(name, (key) => ({
      inc: (by = 1) => void this.#values.set(key, (this.#values.get(key) ?? 0) + by),
    }))
  }

  gauge({ name }: MetricSpec) {
    return this.#family(name, (key) => ({ set: (value) => void this.#values.set(key, value) }))
  }

  /** Keeps how often it was observed. */
  histogram({ name }: MetricSpec) {
    return this.#family(name, (key) => ({
      observe: () => void this.#values.set(key, (this.#values.get(key) ?? 0) + 1),
    }))
  }

  onScrape(collect: () => void): void {
    this.#collectors.push(collect)
  }

  valueOf(name: string, ...labels: string[]): number | undefined {
    for (const collect of this.#collectors) collect()
    return this.#values.get([name, ...labels].join(' '))
  }

  expose(): Promise<string> {
    const lines = [...this.#values].map(([key, value]) => `${key} ${value}`)
    return Promise.resolve(lines.join('\n'))
  }

  #family<
    Child extends
      { inc(by?: number): void } | { set(value: number): void } | { observe(value: number): void },
  >(name: string, child: (key: string) => Child): Family<Child> {
    return { of: (...labels) => child([name, ...labels].join(' ')) }
  }
}
