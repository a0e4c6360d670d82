import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { StoreWatch } from '../../../../src/app/store-watch.ts'
import { promMetrics } from '../../../../src/drivers/prom-client/prom-metrics.ts'
import { createMeters } from '../../../../src/engine/meters.ts'
import type { Metrics, MetricSpec } from '../../../../src/ports/metrics.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

/** Registered by the app, which knows the HTTP caller. */
const byApp = ['sluice_http_connections{origin,state} gauge']

function written(kind: string, { name, labels }: MetricSpec): string {
  return `${name}${labels.length > 0 ? `{${labels.join()}}` : ''} ${kind}`
}

describe('the page on metrics', () => {
  it('names every metric with its labels and its kind, and no other', () => {
    const real = promMetrics()
    const registered: string[] = [...byApp]
    const recording: Metrics = {
      ...real,
      counter: (spec) => (registered.push(written('counter', spec)), real.counter(spec)),
      gauge: (spec) => (registered.push(written('gauge', spec)), real.gauge(spec)),
      histogram: (spec) => (registered.push(written('histogram', spec)), real.histogram(spec)),
    }
    const clock = new FakeClock()
    createMeters(recording, clock)
    new StoreWatch('redis', clock, silentLogger, recording)
    const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8')
    const rows = page.matchAll(/^\| `(sluice_[^`]+)` \| (\w+) \|/gm)
    const named = [...rows].map(([, metric, kind]) => `${metric} ${kind}`)
    expect(named.toSorted()).to.deep.equal(registered.toSorted())
  })
})
