import { expect } from 'chai'
import { StoreWatch } from '../../../src/app/store-watch.ts'
import type { Logger } from '../../../src/ports/logger.ts'
import type { StoreState } from '../../../src/ports/store.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { RecordingMetrics } from '../../support/recording-metrics.ts'
import { silentLogger } from '../../support/silent-logger.ts'

const ok: StoreState = { kind: 'ok' }
const away: StoreState = { kind: 'degraded', trouble: 'unreachable', error: 'ECONNREFUSED' }
const full: StoreState = { kind: 'degraded', trouble: 'full', error: 'OOM' }

describe('the watch over the store', () => {
  let clock: FakeClock
  let metrics: RecordingMetrics
  let lines: (readonly [level: string, sentence: string, fields: object])[]
  let watch: StoreWatch

  beforeEach(() => {
    clock = new FakeClock()
    metrics = new RecordingMetrics()
    lines = []
    const logger: Logger = {
      ...silentLogger,
      info: (fields, sentence) => void lines.push(['info', sentence, fields]),
      warn: (fields, sentence) => void lines.push(['warn', sentence, fields]),
    }
    watch = new StoreWatch('redis', clock, logger, metrics)
  })

  const gauge = () => metrics.valueOf('sluice_store_degraded')

  it('has nothing to say of a store that is well', () => {
    watch.onState(ok)
    expect(lines).to.deep.equal([])
    expect(gauge()).to.equal(0)
    expect(watch.document()).to.deep.equal({ kind: 'redis', degraded: false, trouble: null })
    expect(watch.health()).to.deep.equal({ name: 'store redis', ok: true, detail: 'answers' })
  })

  it('says once that it is degraded and why, and since when', async () => {
    watch.onState(away)
    await clock.advance(12_345)
    expect(lines).to.deep.equal([
      [
        'warn',
        'the store is degraded: until it is back, on_outage of each rule decides',
        { store: 'redis', trouble: 'unreachable', error: 'ECONNREFUSED' },
      ],
    ])
    expect(gauge()).to.equal(1)
    expect(watch.document()).to.deep.equal({
      kind: 'redis',
      degraded: true,
      trouble: { reason: 'unreachable', error: 'ECONNREFUSED', since: '2026-01-01T00:00:00.000Z' },
    })
    expect(watch.health()).to.deep.equal({
      name: 'store redis',
      ok: true,
      detail: 'degraded for 12 s: unreachable, ECONNREFUSED',
    })
  })

  it('takes one trouble after the other for one outage', async () => {
    watch.onState(away)
    await clock.advance(1_000)
    watch.onState(full)
    await clock.advance(2_250)
    expect(watch.document().trouble).to.deep.equal({
      reason: 'full',
      error: 'OOM',
      since: '2026-01-01T00:00:00.000Z',
    })
    watch.onState(ok)
    expect(lines.map(([level, , fields]) => [level, fields])).to.deep.equal([
      ['warn', { store: 'redis', trouble: 'unreachable', error: 'ECONNREFUSED' }],
      ['warn', { store: 'redis', trouble: 'full', error: 'OOM' }],
      ['info', { store: 'redis', degraded_s: 3.3 }],
    ])
    expect(gauge()).to.equal(0)
    expect(watch.document()).to.deep.equal({ kind: 'redis', degraded: false, trouble: null })
  })

  it('measures the next outage from its own start', async () => {
    watch.onState(away)
    await clock.advance(5_000)
    watch.onState(ok)
    await clock.advance(5_000)
    watch.onState(away)
    await clock.advance(1_000)
    watch.onState(ok)
    expect(lines.at(-1)).to.deep.equal([
      'info',
      'the store is back',
      { store: 'redis', degraded_s: 1 },
    ])
  })

  it('says what it means that the store was emptied', () => {
    watch.onWiped()
    expect(lines).to.deep.equal([
      [
        'warn',
        'the store was emptied: open windows are forgotten, and events inside them may be acted on again',
        { store: 'redis' },
      ],
    ])
  })

  it('counts round trips', () => {
    watch.onRoundTrip(2)
    watch.onRoundTrip(200)
    expect(metrics.valueOf('sluice_store_seconds')).to.equal(2)
  })
})
