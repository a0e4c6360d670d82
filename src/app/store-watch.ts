import type { PartHealth } from '../admin/source.ts'
import type { Config } from '../config/config.ts'
import type { StatusDocument } from '../model/status.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Gauge, Histogram, Metrics } from '../ports/metrics.ts'
import type { StoreListener, StoreState } from '../ports/store.ts'

type Kind = Config['store']['kind']
type Degraded = Extract<StoreState, { readonly kind: 'degraded' }>

/** From a socket of this machine to the longest time-box that the config takes. */
const roundTripBuckets = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3,
]

/** Listens to the store of the daemon, and tells the log, the metrics, `status` and `/health`. */
export class StoreWatch implements StoreListener {
  readonly #kind: Kind
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #seconds: Histogram
  readonly #degraded: Gauge
  /** What is wrong, and since when by both clocks; `null`: nothing is. */
  #trouble: { state: Degraded; readonly sinceMs: number; readonly startMs: number } | null = null

  constructor(kind: Kind, clock: Clock, logger: Logger, metrics: Metrics) {
    this.#kind = kind
    this.#clock = clock
    this.#logger = logger
    const seconds = metrics.histogram({
      name: 'sluice_store_seconds',
      help: 'Round trips to the store, also those that were cut off.',
      labels: [],
      buckets: roundTripBuckets,
    })
    const degraded = metrics.gauge({
      name: 'sluice_store_degraded',
      help: '1 while the store does not answer as it should.',
      labels: [],
    })
    this.#seconds = seconds.of()
    this.#degraded = degraded.of()
    this.#degraded.set(0)
  }

  readonly onRoundTrip = (tookMs: number): void => {
    this.#seconds.observe(tookMs / 1_000)
  }

  readonly onWiped = (): void => {
    this.#logger.warn(
      { store: this.#kind },
      'the store was emptied: open windows are forgotten, and events inside them may be acted on again',
    )
  }

  readonly onState = (state: StoreState): void => {
    this.#degraded.set(state.kind === 'ok' ? 0 : 1)
    if (state.kind === 'ok') this.#isBack()
    else this.#isDegraded(state)
  }

  #isDegraded(state: Degraded): void {
    const { trouble, error } = state
    this.#logger.warn(
      { store: this.#kind, trouble, error },
      'the store is degraded: until it is back, on_outage of each rule decides',
    )
    // From one trouble to the next it is one outage.
    if (this.#trouble !== null) this.#trouble.state = state
    else this.#trouble = { state, sinceMs: this.#clock.now(), startMs: this.#clock.monotonic() }
  }

  #isBack(): void {
    if (this.#trouble === null) return
    const fields = { store: this.#kind, degraded_s: this.#degradedSeconds(this.#trouble.startMs) }
    this.#trouble = null
    this.#logger.info(fields, 'the store is back')
  }

  #degradedSeconds(startMs: number): number {
    return Math.round((this.#clock.monotonic() - startMs) / 100) / 10
  }

  /** For `status`. */
  document(): StatusDocument['store'] {
    const kind = this.#kind
    if (this.#trouble === null) return { kind, degraded: false, trouble: null }
    const { state, sinceMs } = this.#trouble
    const since = new Date(sinceMs).toISOString()
    return { kind, degraded: true, trouble: { reason: state.trouble, error: state.error, since } }
  }

  /** Always ok: without the store the rules go on as their `on_outage` says. */
  health(): PartHealth {
    const name = `store ${this.#kind}`
    if (this.#trouble === null) return { name, ok: true, detail: 'answers' }
    const { state, startMs } = this.#trouble
    const seconds = Math.floor(this.#degradedSeconds(startMs))
    const detail = `degraded for ${seconds} s: ${state.trouble}, ${state.error}`
    return { name, ok: true, detail }
  }
}
