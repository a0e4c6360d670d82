import type { GuardReason } from '../model/failure.ts'
import type { DeadReason, SkipReason } from '../model/outcome.ts'
import { deadReasons, skipReasons } from '../model/outcome.ts'
import { networkOutcomes } from '../model/status-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { Counter, Family, Gauge, Histogram, Metrics } from '../ports/metrics.ts'
import type { Ladder } from './ladder.ts'
import { newLadder } from './ladder.ts'
import type { DedupResult } from './windows/window-host.ts'
import { dedupResults } from './windows/window-host.ts'

const delayBuckets = [
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400, 604_800,
]
/** What a retry can be for, as a label: the kinds of failure that a status policy may retry. */
const retryReasons = [...networkOutcomes, 'status']

const attemptBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Every metric of the engine (docs/metrics.md), registered once per process. */
export interface Meters {
  /** The meters of one rule; ask once, when the rule's queue is made. */
  ofRule(rule: string): RuleMeters
  readonly events: Family<Counter>
  readonly lagSeconds: Family<Gauge>
  readonly lagEvents: Family<Gauge>
  readonly commitGap: Family<Gauge>
  readonly rebalances: Family<Counter>
  readonly commitFailures: Family<Counter>
  readonly eventsLost: Family<Counter>
  readonly bytesHeld: Gauge
}

export function createMeters(metrics: Metrics, clock: Clock): Meters {
  const perRule = (name: string, help: string, ...more: string[]) => ({
    name,
    help,
    labels: ['rule', ...more],
  })
  const families = {
    matched: metrics.counter(perRule('sluice_rule_matched_total', 'Events that matched the rule.')),
    skipped: metrics.counter(
      perRule('sluice_rule_skipped_total', 'Matches not acted on, by reason.', 'reason'),
    ),
    done: metrics.counter(perRule('sluice_rule_done_total', 'Tasks whose actions all succeeded.')),
    retried: metrics.counter(
      perRule(
        'sluice_rule_retried_total',
        'Attempts that are tried again, by what failed.',
        'reason',
      ),
    ),
    held: metrics.counter(
      perRule('sluice_rule_held_total', 'Tasks sent to the backlog of the rule.'),
    ),
    dead: metrics.counter(
      perRule('sluice_rule_dead_total', 'Tasks sent to the dead letters.', 'reason'),
    ),
    dedup: metrics.counter(
      perRule('sluice_dedup_total', 'Claims of a key, by how the store answered.', 'result'),
    ),
    delay: metrics.histogram({
      ...perRule('sluice_rule_delay_seconds', 'From event time to the start of an attempt.'),
      buckets: delayBuckets,
    }),
    rootDelay: metrics.histogram({
      ...perRule(
        'sluice_rule_root_delay_seconds',
        'From the time of the root event to the start of an attempt.',
      ),
      buckets: delayBuckets,
    }),
    attempt: metrics.histogram({
      name: 'sluice_attempt_seconds',
      help: 'How long one action of an attempt took.',
      labels: ['rule', 'action', 'outcome'],
      buckets: attemptBuckets,
    }),
    inflight: metrics.gauge(perRule('sluice_rule_inflight', 'Attempts under way.')),
    queue: metrics.gauge(perRule('sluice_rule_queue', 'Tasks waiting in memory for a slot.')),
    limit: metrics.gauge(
      perRule('sluice_rule_limit', 'Attempts at once that the rule may make here.'),
    ),
    lastMatch: metrics.gauge(
      perRule(
        'sluice_rule_last_match_timestamp_seconds',
        'When the rule last matched; 0: not yet.',
      ),
    ),
    guardRefused: metrics.counter({
      name: 'sluice_guard_refused_total',
      help: 'Calls refused because of the host or address, by reason.',
      labels: ['reason'],
    }),
    oldest: metrics.gauge(
      perRule(
        'sluice_rule_oldest_unsettled_seconds',
        'Age of the oldest task in flight or in the queue.',
      ),
    ),
  }
  const scraped: RuleMeters[] = []
  metrics.onScrape(() => scraped.forEach((meters) => meters.refreshGauges()))
  return {
    ofRule(rule) {
      const meters = new RuleMeters(rule, families, clock)
      scraped.push(meters)
      return meters
    },
    events: metrics.counter({
      name: 'sluice_events_total',
      help: 'Records read, by whether they decoded.',
      labels: ['topic', 'outcome'],
    }),
    lagSeconds: metrics.gauge({
      name: 'sluice_lag_seconds',
      help: 'Age of the oldest event that is not settled; 0 when all are.',
      labels: ['lane', 'topic'],
    }),
    lagEvents: metrics.gauge({
      name: 'sluice_lag_events',
      help: 'Events between the committed offset and the end of the topic.',
      labels: ['lane', 'topic'],
    }),
    commitGap: metrics.gauge({
      name: 'sluice_commit_gap',
      help: 'Offsets between the lowest unsettled event and the highest one taken, widest partition.',
      labels: ['lane'],
    }),
    rebalances: metrics.counter({
      name: 'sluice_rebalances_total',
      help: 'Assignments of partitions to this process.',
      labels: ['lane'],
    }),
    commitFailures: metrics.counter({
      name: 'sluice_commit_failures_total',
      help: 'Commits that the bus did not take; they are tried again.',
      labels: ['lane'],
    }),
    eventsLost: metrics.counter({
      name: 'sluice_offsets_skipped_total',
      help: 'Offsets that the bus had dropped (retention, truncation) before they were read.',
      labels: ['lane', 'topic'],
    }),
    bytesHeld: metrics
      .gauge({
        name: 'sluice_events_held_bytes',
        help: 'Bytes of events in memory, waiting or in flight; bounded by limits.memory.',
        labels: [],
      })
      .of(),
  }
}

interface Families {
  readonly matched: Family<Counter>
  readonly skipped: Family<Counter>
  readonly done: Family<Counter>
  readonly retried: Family<Counter>
  readonly held: Family<Counter>
  readonly dead: Family<Counter>
  readonly dedup: Family<Counter>
  readonly delay: Family<Histogram>
  readonly rootDelay: Family<Histogram>
  readonly attempt: Family<Histogram>
  readonly inflight: Family<Gauge>
  readonly queue: Family<Gauge>
  readonly limit: Family<Gauge>
  readonly lastMatch: Family<Gauge>
  readonly guardRefused: Family<Counter>
  readonly oldest: Family<Gauge>
}

/**
 * The ladder of one rule and its metrics, moved together: what `status` prints and what is scraped
 * cannot differ. Each method is one edge of a task's way.
 */
export class RuleMeters {
  readonly ladder: Ladder = newLadder()
  readonly #rule: string
  readonly #families: Families
  readonly #clock: Clock
  readonly #matched: Counter
  readonly #done: Counter
  readonly #delay: Histogram
  readonly #rootDelay: Histogram
  readonly #attempts = new Map<string, Histogram>()
  #lastMatchMs: number | null = null
  #oldestWaitingMs: () => number | null = () => null
  #limit = 0

  constructor(rule: string, families: Families, clock: Clock) {
    this.#rule = rule
    this.#families = families
    this.#clock = clock
    this.#matched = families.matched.of(rule)
    this.#done = families.done.of(rule)
    this.#delay = families.delay.of(rule)
    this.#rootDelay = families.rootDelay.of(rule)
    // All that can be counted is there from the start: a rate does not see the first of a new line.
    for (const count of [this.#matched, this.#done]) count.inc(0)
    for (const reason of skipReasons) families.skipped.of(rule, reason).inc(0)
    for (const reason of retryReasons) families.retried.of(rule, reason).inc(0)
    for (const reason of deadReasons) families.dead.of(rule, reason).inc(0)
    for (const result of dedupResults) families.dedup.of(rule, result).inc(0)
    families.held.of(rule).inc(0)
    this.refreshGauges()
  }

  get lastMatchMs(): number | null {
    return this.#lastMatchMs
  }

  /** Where the gauges that only the queue knows come from. */
  observeQueue(limit: number, oldestWaitingMs: () => number | null): void {
    this.#limit = limit
    this.#oldestWaitingMs = oldestWaitingMs
  }

  matched(): void {
    this.ladder.matched += 1
    this.#lastMatchMs = this.#clock.now()
    this.#matched.inc()
  }

  /** A task from a retry topic; `isOurs` when this process' ladder has it pending already. */
  pickedUp(isOurs: boolean): void {
    if (isOurs && this.ladder.pending.retry > 0) {
      this.ladder.pending.retry -= 1
    } else {
      this.ladder.matched += 1
      this.#matched.inc()
    }
  }

  /** A task is being carried out, or is on its way to the dead letters. */
  started(): void {
    this.ladder.pending.inFlight += 1
  }

  ended(): void {
    this.ladder.pending.inFlight -= 1
  }

  skipped(reason: SkipReason): void {
    this.ladder.skipped[reason] = (this.ladder.skipped[reason] ?? 0) + 1
    this.#families.skipped.of(this.#rule, reason).inc()
  }

  done(): void {
    this.ladder.done += 1
    this.#done.inc()
  }

  retried(reason: string): void {
    this.retriesInPlace(reason)
    this.ladder.pending.retry += 1
  }

  /** A task waits in a tier topic for the end of its window: no attempt of it failed. */
  waitsInTier(): void {
    this.ladder.pending.retry += 1
  }

  /** An attempt failed, and its task waits in place for the next one. */
  retriesInPlace(reason: string): void {
    this.ladder.retried += 1
    this.#families.retried.of(this.#rule, reason).inc()
  }

  /** A task waits in place, holding its key. */
  waits(): void {
    this.ladder.pending.retry += 1
  }

  /** A task that waited in place goes on. */
  goesOn(): void {
    this.ladder.pending.retry -= 1
  }

  /** A claim of a key was answered, or its lease lost. */
  dedup(result: DedupResult): void {
    this.#families.dedup.of(this.#rule, result).inc()
  }

  dead(reason: DeadReason): void {
    this.ladder.dead[reason] = (this.ladder.dead[reason] ?? 0) + 1
    this.#families.dead.of(this.#rule, reason).inc()
  }

  attemptStarts(eventTimeMs: number, rootTimeMs: number): void {
    const nowMs = this.#clock.now()
    this.#delay.observe(Math.max(0, nowMs - eventTimeMs) / 1_000)
    this.#rootDelay.observe(Math.max(0, nowMs - rootTimeMs) / 1_000)
  }

  actionEnded(action: string, outcome: string, tookMs: number): void {
    const name = `${action} ${outcome}`
    let histogram = this.#attempts.get(name)
    if (histogram === undefined) {
      histogram = this.#families.attempt.of(this.#rule, action, outcome)
      this.#attempts.set(name, histogram)
    }
    histogram.observe(tookMs / 1_000)
  }

  guardRefused(reason: GuardReason): void {
    this.#families.guardRefused.of(reason).inc()
  }

  refreshGauges(): void {
    const { inFlight, queue } = this.ladder.pending
    const oldestMs = this.#oldestWaitingMs()
    this.#families.inflight.of(this.#rule).set(inFlight)
    this.#families.queue.of(this.#rule).set(queue)
    this.#families.limit.of(this.#rule).set(this.#limit)
    this.#families.lastMatch.of(this.#rule).set((this.#lastMatchMs ?? 0) / 1_000)
    this.#families.oldest
      .of(this.#rule)
      .set(oldestMs === null ? 0 : Math.max(0, this.#clock.now() - oldestMs) / 1_000)
  }
}
