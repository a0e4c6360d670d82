import { expect } from 'chai'
import { promMetrics } from '../../../../src/drivers/prom-client/prom-metrics.ts'
import { InvariantError } from '../../../../src/model/invariant.ts'
import type { Metrics } from '../../../../src/ports/metrics.ts'

/** The lines of one metric, as Prometheus reads them. */
async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.expose()
  return text.split('\n').filter((line) => new RegExp(`^(# \\w+ )?${name}(_\\w+)?[{ ]`).test(line))
}

const doneSpec = { name: 'sluice_rule_done_total', help: 'Tasks done.', labels: ['rule'] } as const

describe('metrics for Prometheus', () => {
  it('show a counter from the moment it is asked for, and add to it', async () => {
    const metrics = promMetrics()
    const done = metrics.counter(doneSpec)
    const purge = done.of('purge')
    done.of('hook')
    purge.inc()
    purge.inc(2)
    expect(await linesOf(metrics, 'sluice_rule_done_total')).to.deep.equal([
      '# HELP sluice_rule_done_total Tasks done.',
      '# TYPE sluice_rule_done_total counter',
      'sluice_rule_done_total{rule="purge"} 3',
      'sluice_rule_done_total{rule="hook"} 0',
    ])
  })

  it('show a gauge as it was set last, without labels too', async () => {
    const metrics = promMetrics()
    const gap = metrics.gauge({ name: 'sluice_commit_gap', help: 'Gap.', labels: [] }).of()
    gap.set(7)
    gap.set(-1.5)
    expect(await linesOf(metrics, 'sluice_commit_gap')).to.include('sluice_commit_gap -1.5')
  })

  it('show a histogram with cumulative buckets, sum and count', async () => {
    const metrics = promMetrics()
    const spec = { name: 'sluice_attempt_seconds', help: 'Attempts.', labels: ['rule', 'outcome'] }
    const attempts = metrics.histogram({ ...spec, buckets: [1, 0.1] }).of('purge', 'success')
    for (const seconds of [0.05, 0.1, 0.5, 3]) attempts.observe(seconds)
    const labels = 'rule="purge",outcome="success"'
    expect(await linesOf(metrics, 'sluice_attempt_seconds')).to.deep.equal([
      '# HELP sluice_attempt_seconds Attempts.',
      '# TYPE sluice_attempt_seconds histogram',
      `sluice_attempt_seconds_bucket{${labels},le="0.1"} 2`,
      `sluice_attempt_seconds_bucket{${labels},le="1"} 3`,
      `sluice_attempt_seconds_bucket{${labels},le="+Inf"} 4`,
      `sluice_attempt_seconds_sum{${labels}} 3.65`,
      `sluice_attempt_seconds_count{${labels}} 4`,
    ])
  })

  it('keep label sets apart whatever stands in them, and escape it', async () => {
    const metrics = promMetrics()
    const family = metrics.counter({ name: 'sluice_x_total', help: 'x', labels: ['a', 'b'] })
    family.of('1,b:2', '3').inc()
    family.of('1', '2,b:3').inc(2)
    family.of('"\\\n', '').inc(4)
    expect((await linesOf(metrics, 'sluice_x_total')).slice(2)).to.deep.equal([
      'sluice_x_total{a="1,b:2",b="3"} 1',
      'sluice_x_total{a="1",b="2,b:3"} 2',
      'sluice_x_total{a="\\"\\\\\\n",b=""} 4',
    ])
  })

  it('give the same child and the same metric when asked again', () => {
    const metrics = promMetrics()
    const first = metrics.counter(doneSpec)
    expect(metrics.counter(doneSpec)).to.equal(first)
    expect(first.of('a')).to.equal(first.of('a'))
    expect(first.of('a')).to.not.equal(first.of('b'))
  })

  const mistakes: { name: string; make: (metrics: Metrics) => unknown }[] = [
    { name: 'other labels', make: (m) => m.counter({ ...doneSpec, labels: ['rule', 'reason'] }) },
    { name: 'another kind', make: (m) => m.gauge(doneSpec) },
    { name: 'too few label values', make: (m) => m.counter(doneSpec).of() },
    { name: 'a counter that goes down', make: (m) => m.counter(doneSpec).of('a').inc(-1) },
    { name: 'a counter of NaN', make: (m) => m.counter(doneSpec).of('a').inc(NaN) },
    {
      name: 'a histogram of NaN',
      make: (m) =>
        m
          .histogram({ name: 'sluice_h', help: 'h', labels: [], buckets: [1] })
          .of()
          .observe(NaN),
    },
  ]
  for (const { name, make } of mistakes) {
    it(`take ${name} for a mistake of ours`, () => {
      const metrics = promMetrics()
      metrics.counter(doneSpec)
      expect(() => make(metrics)).to.throw(InvariantError)
    })
  }

  it('ask for what is cheaper to read than to keep before each scrape', async () => {
    const metrics = promMetrics()
    const queue = metrics.gauge({ name: 'sluice_rule_queue', help: 'q', labels: ['rule'] }).of('a')
    let length = 0
    metrics.onScrape(() => queue.set(++length))
    await metrics.expose()
    expect(await linesOf(metrics, 'sluice_rule_queue')).to.include('sluice_rule_queue{rule="a"} 2')
  })

  it('tell of the process and of Node, and are text of version 0.0.4', async () => {
    const metrics = promMetrics()
    expect(await linesOf(metrics, 'process_cpu_seconds_total')).to.have.length(3)
    expect(await linesOf(metrics, 'nodejs_eventloop_lag_p99_seconds')).to.have.length(3)
    expect(metrics.contentType).to.equal('text/plain; version=0.0.4; charset=utf-8')
  })

  it('do not know those of another instance', async () => {
    promMetrics().counter(doneSpec).of('a')
    expect(await linesOf(promMetrics(), 'sluice_rule_done_total')).to.deep.equal([])
  })
})

describe('with more rules than have lines of their own', () => {
  it('counters and histograms of the rest add up in __other__', async () => {
    const metrics = promMetrics({ rulesMax: 2 })
    const done = metrics.counter(doneSpec)
    for (const rule of ['a', 'b', 'c', 'd', 'c']) done.of(rule).inc()
    expect((await linesOf(metrics, 'sluice_rule_done_total')).slice(2)).to.deep.equal([
      'sluice_rule_done_total{rule="a"} 1',
      'sluice_rule_done_total{rule="b"} 1',
      'sluice_rule_done_total{rule="__other__"} 3',
    ])
  })

  it('the same rules keep their lines in every metric', async () => {
    const metrics = promMetrics({ rulesMax: 1 })
    metrics.counter(doneSpec).of('a')
    const dead = metrics.counter({ name: 'sluice_d_total', help: 'd', labels: ['reason', 'rule'] })
    dead.of('status', 'b').inc()
    dead.of('status', 'a').inc()
    expect((await linesOf(metrics, 'sluice_d_total')).slice(2)).to.deep.equal([
      'sluice_d_total{reason="status",rule="__other__"} 1',
      'sluice_d_total{reason="status",rule="a"} 1',
    ])
  })

  const gaugeTable = [
    { name: 'sluice_rule_queue', means: 'add up', want: 7 },
    { name: 'sluice_rule_oldest_unsettled_seconds', means: 'give the oldest', want: 4 },
  ]
  for (const { name, means, want } of gaugeTable) {
    it(`gauges like ${name} ${means}, and follow each rule`, async () => {
      const metrics = promMetrics({ rulesMax: 1 })
      const family = metrics.gauge({ name, help: 'g', labels: ['rule'] })
      const [a, b, c] = [family.of('a'), family.of('b'), family.of('c')]
      a.set(100)
      b.set(9)
      b.set(3)
      c.set(4)
      expect((await linesOf(metrics, name)).slice(2)).to.deep.equal([
        `${name}{rule="a"} 100`,
        `${name}{rule="__other__"} ${want}`,
      ])
    })
  }

  it('100 origins have lines too', async () => {
    const metrics = promMetrics()
    const spec = { name: 'sluice_http_connections', help: 'c', labels: ['origin', 'state'] }
    const connections = metrics.gauge(spec)
    for (let i = 0; i < 150; i++) connections.of(`http://host-${i}`, 'connected').set(2)
    const lines = await linesOf(metrics, 'sluice_http_connections')
    expect(lines).to.have.length(2 + 101)
    expect(lines.at(-1)).to.match(/\{origin="__other__",state="connected"\} 100$/)
  })

  it('300 rules have lines, and labels from closed sets are never folded', async () => {
    const metrics = promMetrics()
    const done = metrics.counter(doneSpec)
    const events = metrics.counter({ name: 'sluice_events_total', help: 'e', labels: ['topic'] })
    for (let i = 0; i < 1_000; i++) {
      done.of(`rule-${i}`).inc()
      events.of(`topic-${i}`).inc()
    }
    const lines = await linesOf(metrics, 'sluice_rule_done_total')
    expect(lines).to.have.length(2 + 301)
    expect(lines.at(-1)).to.equal('sluice_rule_done_total{rule="__other__"} 700')
    expect(await linesOf(metrics, 'sluice_events_total')).to.have.length(2 + 1_000)
  })
})
