import { expect } from 'chai'
import { MemoryBroker } from '../../src/drivers/memory/broker.ts'
import { MemoryBus } from '../../src/drivers/memory/bus.ts'
import type { MemoryStore } from '../../src/drivers/memory/store.ts'
import { memoryStore } from '../../src/drivers/memory/store.ts'
import type { LaneSettings } from '../../src/engine/engine.ts'
import { Engine } from '../../src/engine/engine.ts'
import { ladderRest } from '../../src/engine/ladder.ts'
import type { Ladder } from '../../src/engine/ladder.ts'
import type { OwnTopics } from '../../src/engine/own-topics.ts'
import { ownTopics, ownTopicSpec } from '../../src/engine/own-topics.ts'
import type { Json } from '../../src/model/json.ts'
import type { BusRecord, NewRecord } from '../../src/model/record.ts'
import { headerText } from '../../src/model/record.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { HttpCaller } from '../../src/ports/http-caller.ts'
import type { Logger } from '../../src/ports/logger.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Action, Rendered } from '../../src/rules/action-kind.ts'
import { RuleSet } from '../../src/rules/rule-set.ts'
import type { Rule } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { FakeClock } from './fake-clock.ts'
import { RecordingMetrics } from './recording-metrics.ts'

export interface HouseOptions {
  readonly rules: readonly Rule[]
  readonly lane?: Partial<LaneSettings>
  /** Beside the default lane. */
  readonly moreLanes?: readonly LaneSettings[]
  readonly tiersMs?: readonly number[]
  /** Events of a retry tier's partition that may be unsettled. */
  readonly retryWindow?: number
  readonly memoryBytes?: number
  readonly hopsMax?: number
  readonly partitions?: number
  /** What answers the calls of rules that make any. */
  readonly http?: HttpCaller
}

/** A clock whose time a test can let go by. */
export interface HouseClock extends Clock {
  advance(ms: number): Promise<void>
}

/** What a house stands on in place of a fake clock and a memory store. */
export interface Ground<Time extends HouseClock, Windows extends Store> {
  /** The same for all houses of a broker. */
  readonly clock: Time
  /** A client of its own; who opened it closes it, unless the house crashes. */
  readonly store: Windows
}

const tiersDefault = [10_000, 60_000]

/**
 * A whole engine on a memory bus and a fake clock. Several may live on one broker, one after the
 * other (a restart) or side by side (replicas). Time moves only in `pass`.
 */
export class House<Time extends HouseClock = FakeClock, Windows extends Store = MemoryStore> {
  readonly clock: Time
  readonly broker: MemoryBroker
  readonly logged: { level: string; sentence: string; fields: object }[] = []
  readonly metrics = new RecordingMetrics()
  readonly bus: MemoryBus
  readonly store: Windows
  readonly engine: Engine
  readonly #options: HouseOptions
  readonly #topics: OwnTopics
  #isCrashed = false

  constructor(
    options: HouseOptions,
    beside?: House<Time, Windows>,
    processId = 'process-1',
    ground?: Ground<Time, Windows>,
  ) {
    this.#options = options
    const topics = ownTopics('sluice', options.tiersMs ?? tiersDefault)
    this.#topics = topics
    // as: without a ground, and none below who is beside, the parameters are what they default to
    const own = ground ?? (fakeGround(beside) as unknown as Ground<Time, Windows>)
    this.clock = own.clock
    this.broker = beside?.broker ?? new MemoryBroker(this.clock)
    this.bus = new MemoryBus(this.broker)
    this.store = own.store
    this.engine = new Engine({
      ruleSet: new RuleSet(options.rules.map((rule) => this.#mortal(rule))),
      lanes: [
        { name: 'default', group: 'sluice', window: 2_000, startAt: 'earliest', ...options.lane },
        ...(options.moreLanes ?? []),
      ],
      topics,
      retryLane: { group: 'sluice.retry', window: options.retryWindow ?? 2_000 },
      limits: {
        memoryBytes: options.memoryBytes ?? 512 * 2 ** 20,
        eventBytes: 4 * 2 ** 20,
        hopsMax: options.hopsMax ?? 10,
      },
      stateDir: null,
      processId,
      bus: this.bus,
      http: options.http ?? {
        call: neverCalled,
        connections: () => [],
        close: () => Promise.resolve(),
      },
      store: this.store,
      clock: this.clock,
      logger: this.#logger(),
      metrics: this.metrics,
    })
  }

  async start(): Promise<this> {
    const partitions = this.#options.partitions ?? 1
    const topics = this.#topics
    for (const name of [...this.engine.topicsOfRules, ...topics.all]) {
      await this.bus.admin.ensureTopics([
        ownTopicSpec(topics, name, { partitions, replication: 1 }),
      ])
    }
    await this.engine.start()
    await this.settle()
    return this
  }

  async emit(...bodies: (Json | Partial<NewRecord>)[]): Promise<void> {
    await this.produce(...bodies.map((body) => ({ value: Buffer.from(JSON.stringify(body)) })))
  }

  async produce(...records: Partial<NewRecord>[]): Promise<void> {
    const plain = { topic: 'edits', partition: 0, key: null, value: null, headers: [] }
    await this.bus.produce(records.map((record) => ({ ...plain, ...record })))
    await this.settle()
  }

  /** Lets everything that can happen without time passing happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate)
  }

  async pass(ms: number): Promise<void> {
    await this.settle()
    await this.clock.advance(ms)
    await this.settle()
  }

  /** Stops; time goes by for as long as that needs. Gives why it was not clean, or `null`. */
  async stop(deadlineMs = 30_000): Promise<string | null> {
    let isOver = false
    const stopped = this.engine
      .stop(deadlineMs)
      .then(() => null, String)
      .finally(() => (isOver = true))
    for (let waited = 0; !isOver && waited <= deadlineMs; waited += 1_000) await this.pass(1_000)
    const why = await stopped
    await this.bus.close()
    return why
  }

  /** As `kill -9`: bus and store hear nothing more of it. */
  async crash(): Promise<void> {
    this.#isCrashed = true
    await this.store.close()
    await this.bus.crash()
    await this.settle()
  }

  ladder(rule = 'purge'): Ladder {
    const queue = this.engine.ruleQueues().find((one) => one.rule.name === rule)
    if (queue === undefined) throw new Error(`no rule ${rule}`)
    expect(ladderRest(queue.meters.ladder), `the ladder of ${rule} balances`).to.equal(0)
    return queue.meters.ladder
  }

  records(topic: string): readonly BusRecord[] {
    return this.broker.logsOf(topic).flatMap((log) => log.records)
  }

  /** Chosen headers of the dead letters, in order. */
  dead(...names: string[]): Record<string, string | null>[] {
    return this.records('sluice.dead').map((record) =>
      Object.fromEntries(names.map((name) => [name, headerText(record.headers, `sluice-${name}`)])),
    )
  }

  committed(topic = 'edits', partition = 0): bigint | null {
    return this.broker.group('sluice').committed({ topic, partition })?.offset ?? null
  }

  /** The objects of a crashed house are still there and hear the clock: its actions do nothing more. */
  #mortal(rule: Rule): Rule {
    const mortal = (action: Action): Action => ({
      ...action,
      render: (scope: Scope): Rendered => {
        if (!this.#isCrashed) return action.render(scope)
        const perform = (): Promise<never> => new Promise(() => {})
        return { kind: 'ready', request: { summary: '', perform } }
      },
    })
    const ways = rule.ways.map((way) => ({
      ...way,
      steps: way.steps.map((step) => ({ ...step, action: mortal(step.action) })),
    }))
    return { ...rule, ways }
  }

  #logger(): Logger {
    const at = (level: string) => (fields: object, sentence: string) =>
      void this.logged.push({ level, sentence, fields })
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      isDebug: true,
    }
  }
}

function fakeGround(beside?: {
  readonly clock: Clock
  readonly store: Store
}): Ground<FakeClock, MemoryStore> {
  if (beside === undefined) {
    const clock = new FakeClock()
    return { clock, store: memoryStore({ clock }) }
  }
  const { clock, store } = beside as Ground<FakeClock, MemoryStore> // as: it has no ground either
  return { clock, store: store.beside() }
}

function neverCalled(): never {
  throw new Error('rules of a house act through actions of the test')
}
