import type { Bus, ConsumeOptions } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { HttpCaller } from '../ports/http-caller.ts'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import type { ActionTools } from '../rules/action-kind.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import { actionsOf } from '../rules/rule.ts'
import { every } from './every.ts'
import type { Lag } from './lag.ts'
import { LagWatch } from './lag.ts'
import { Lane } from './lane.ts'
import { LiveIntake } from './live-intake.ts'
import { MemoryBudget } from './memory-budget.ts'
import { createMeters } from './meters.ts'
import type { OwnTopics } from './own-topics.ts'
import { PatientProducer, produceWaitMs } from './patient-producer.ts'
import { RepeatedLog, summaryMs } from './repeated-log.ts'
import { RetryIntake } from './retry-intake.ts'
import { RuleQueues } from './rule-queues.ts'
import type { RuleQueue } from './rule-queue.ts'
import { Settler } from './settle.ts'
import { Leases } from './windows/leases.ts'

/** How often new topics that fit a rule's globs are looked for (delivery.md, 7). */
const lookForTopicsMs = 30_000

/** The share of a stop that attempts in flight may take before they are cut off; what is left of
 * the grace (lane.ts) lets those that were cut off return, and commits. */
const drainShare = 0.7

export interface LaneSettings {
  readonly name: string
  readonly group: string
  readonly window: number
  readonly startAt: ConsumeOptions['startAt']
}

export interface EngineParts {
  readonly ruleSet: RuleSet
  readonly lanes: readonly LaneSettings[]
  readonly topics: OwnTopics
  /** The group that reads the retry tiers, and its window. */
  readonly retryLane: Pick<LaneSettings, 'group' | 'window'>
  readonly limits: {
    readonly memoryBytes: number
    readonly eventBytes: number
    readonly hopsMax: number
  }
  readonly stateDir: string | null
  /** Unique to this process. */
  readonly processId: string
  readonly bus: Bus
  readonly http: HttpCaller
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/**
 * The path of an event, put together: lanes that read, the queues of the rules, the retry tiers,
 * and what is settled where. Everything that it holds in memory is on the bus as well.
 */
export class Engine {
  readonly queues: RuleQueues
  readonly #parts: EngineParts
  readonly #lanes: readonly Lane[]
  readonly #retryLane: Lane
  readonly #lag: LagWatch
  readonly #cutOff = new AbortController()
  readonly #stops: (() => void)[] = []
  readonly #repeated: RepeatedLog
  readonly #leases: Leases

  constructor(parts: EngineParts) {
    const { bus, clock, logger, metrics, ruleSet, topics, processId, limits } = parts
    this.#parts = parts
    const meters = createMeters(metrics, clock)
    const repeated = new RepeatedLog(logger, clock)
    this.#repeated = repeated
    const { signal } = this.#cutOff
    const producer = new PatientProducer(bus, clock, repeated)
    const settler = new Settler({ clock, producer, topics, log: repeated, processId, signal })
    const actions = this.#actionTools()
    this.#leases = new Leases(parts.store, clock, processId)
    this.queues = new RuleQueues({
      ruleSet,
      meters,
      clock,
      settler,
      leases: this.#leases,
      tools: { clock, actions, signal },
      hopsMax: limits.hopsMax,
      log: repeated,
      logger,
    })
    const budget = new MemoryBudget(limits.memoryBytes)
    metrics.onScrape(() => meters.bytesHeld.set(budget.bytes))
    const shared = { bus, clock, logger, repeated, meters, budget, stateDir: parts.stateDir }
    this.#lanes = parts.lanes.map((lane) => {
      const intake = new LiveIntake({
        lane: lane.name,
        queues: this.queues,
        settler,
        meters,
        eventBytesMax: limits.eventBytes,
      })
      return new Lane({ ...shared, ...lane, topics: ruleSet.topicsOf(lane.name, []), intake })
    })
    this.#retryLane = new Lane({
      ...shared,
      ...parts.retryLane,
      name: 'retry',
      topics: topics.tiersMs.map((ms) => topics.tier(ms)),
      startAt: 'earliest', // a tier that is new to the group may hold what a former one was given
      intake: new RetryIntake({
        queues: this.queues,
        settler,
        meters,
        processId,
        topics,
      }),
    })
    this.#lag = new LagWatch(bus, clock, () => this.#lanes, meters, repeated)
  }

  #actionTools(): ActionTools {
    const { bus, http, clock } = this.#parts
    return {
      bus,
      http,
      pauseBeforeProducingAgain: (tries, signal) =>
        clock.sleep(produceWaitMs(tries, clock.random()), signal),
    }
  }

  /** Topics that rules read by name or emit to, and that must therefore be there. */
  get topicsOfRules(): readonly string[] {
    const { rules } = this.#parts.ruleSet
    const read = rules.flatMap((rule) => rule.topics.names)
    const emitted = rules.flatMap((rule) => actionsOf(rule).flatMap(({ emitsTo }) => emitsTo ?? []))
    return [...new Set([...read, ...emitted])].sort()
  }

  /** Starts reading. The topics of rules and of our own must be there. */
  async start(): Promise<void> {
    await this.#lookForTopics()
    for (const lane of [this.#retryLane, ...this.#lanes]) await lane.start()
    this.#lag.start()
    this.#leases.start()
    this.#stops.push(
      () => this.#lag.stop(),
      every(this.#parts.clock, lookForTopicsMs, () => this.#lookForTopics()),
      every(this.#parts.clock, summaryMs, () => Promise.resolve(this.#repeated.tellWaiting())),
    )
  }

  /**
   * Stops reading, lets what is in flight finish, commits, leaves. Attempts that outlast seven
   * tenths of `deadlineMs` are cut off and stay unsettled, so they run again at the next start:
   * rejects then, once all has stopped, and says how many of which rules.
   */
  async stop(deadlineMs: number): Promise<void> {
    for (const stop of this.#stops) stop()
    let cut = ''
    const cancel = this.#parts.clock.schedule(deadlineMs * drainShare, () => {
      cut = this.#underWay()
      this.#cutOff.abort()
    })
    await Promise.all([this.#retryLane, ...this.#lanes].map((lane) => lane.stop(deadlineMs)))
    cancel()
    this.#cutOff.abort()
    this.#leases.stop()
    this.#repeated.tellAll()
    if (cut !== '') {
      throw new Error(`attempts were cut off and run again at the next start: ${cut}`)
    }
  }

  /** `purge 3, notify 1`: attempts under way, by rule. */
  #underWay(): string {
    return this.ruleQueues()
      .map(({ rule, meters }) => [rule.name, meters.ladder.pending.inFlight] as const)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  }

  /**
   * Topics that came since and fit a glob, of others only: a rule that means ours names it. And
   * retry tiers that the config names no more, as long as they are there: tasks may wait in them.
   */
  async #lookForTopics(): Promise<void> {
    const { ruleSet, bus, topics } = this.#parts
    try {
      const existing = await bus.admin.listTopics()
      const others = existing.filter((topic) => !topics.isOwn(topic))
      for (const lane of this.#lanes) await lane.setTopics(ruleSet.topicsOf(lane.name, others))
      const tiers = topics.tiersMs.map((ms) => topics.tier(ms))
      await this.#retryLane.setTopics([
        ...new Set([...tiers, ...existing.filter((topic) => topics.isTier(topic))]),
      ])
    } catch (error) {
      this.#repeated.warn('topics', { err: error }, 'could not look for new topics')
    }
  }

  get lag(): Lag {
    return this.#lag.lag
  }

  /** The lanes, the one that reads the retry tiers last. */
  lanes(): readonly Lane[] {
    return [...this.#lanes, this.#retryLane]
  }

  ruleQueues(): readonly RuleQueue[] {
    return this.queues.all()
  }
}
