import { setImmediate as nextTurn } from 'node:timers/promises'
import { invariant } from '../../model/invariant.ts'
import type { DeadReason, SkipReason } from '../../model/outcome.ts'
import { deadReasons } from '../../model/outcome.ts'
import type { BusRecord, NewRecord } from '../../model/record.ts'
import { headerText } from '../../model/record.ts'
import type { Bus } from '../../ports/bus.ts'
import { inspectCondition } from '../../rules/inspect-condition.ts'
import { RuleSet } from '../../rules/rule-set.ts'
import type { RuleTest, TestEvent } from '../../rules/rule-test-schema.ts'
import type { Rule } from '../../rules/rule.ts'
import { whyNot } from '../../rules/why-not.ts'
import { createMeters } from '../meters.ts'
import { ownTopics, type OwnTopics } from '../own-topics.ts'
import { PatientProducer } from '../patient-producer.ts'
import { RepeatedLog } from '../repeated-log.ts'
import { RetryIntake } from '../retry-intake.ts'
import { RuleQueues } from '../rule-queues.ts'
import { eventOf, taskHeaders } from '../task-headers.ts'
import { Ticket, type TicketOwner } from '../ticket.ts'
import { Leases } from '../windows/leases.ts'
import { TrialClock } from './trial-clock.ts'
import { TrialSettler } from './trial-settler.ts'
import { trialStore } from './trial-store.ts'
import { trialTools, type Effect } from './trial-tools.ts'
import { noLogger, noMetrics } from './unwatched.ts'

/** One thing that a rule did in a trial, in the order in which it did them. */
export type Happened = {
  /** Milliseconds from the start of the case. */
  readonly atMs: number
} & Happening

type Happening =
  | Effect
  | {
      readonly kind: 'skip'
      readonly reason: 'no-match' | SkipReason
      /** The part of the condition that decided, in words; `null` where the reason says it all. */
      readonly why: string | null
    }
  /** The attempt failed, and the next one is that much later. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly why: string }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly why: string }

export interface TrialSettings {
  /** Delays of the retry topics, ascending, at least one. */
  readonly tiersMs: readonly number[]
  /** `limits.max_hops` */
  readonly hopsMax: number
}

/** When every trial starts: a case that holds today holds in a year. */
const startMs = Date.UTC(2026, 0, 1)

/** Things that happen in one trial; a case that goes on and on is cut here. */
const happeningsMax = 10_000

/** Prefix of the topics of the trial, and the name of its process. */
const trialName = 'trial'

/**
 * Runs a rule over the events of a case on the daemon's own path: match, admission, windows, queue,
 * attempt, what settles it, retry topics. Only its edges are others: a clock that goes from one
 * thing to the next, answers from a list, a store and a bus that last as long as the case.
 *
 * The rule is tried as if it were enabled and live, because those two say where it runs and not what
 * it does. Retries are played to their end, unless the case ends with a retry: then that one is the
 * last thing looked at.
 */
export async function runTrial(
  rule: Rule,
  test: RuleTest,
  settings: TrialSettings,
): Promise<readonly Happened[]> {
  const trial = new Trial({ ...rule, enabled: true, mode: 'live' }, test, settings)
  await trial.play()
  return trial.happened
}

class Trial {
  readonly happened: Happened[] = []
  readonly #rule: Rule
  readonly #clock = new TrialClock(startMs)
  readonly #topics: OwnTopics
  readonly #queues: RuleQueues
  readonly #retries: RetryIntake
  #retriesLeft: number
  #stored = 0n

  constructor(rule: Rule, test: RuleTest, { tiersMs, hopsMax }: TrialSettings) {
    this.#rule = rule
    this.#topics = ownTopics(trialName, tiersMs)
    const retries = test.expect.filter(({ kind }) => kind === 'retry').length
    this.#retriesLeft = test.expect.at(-1)?.kind === 'retry' ? retries : Infinity
    const clock = this.#clock
    const { signal } = new AbortController()
    const log = new RepeatedLog(noLogger, clock)
    const meters = createMeters(noMetrics, clock)
    const producer = new PatientProducer(this.#bus, clock, log)
    const settler = new TrialSettler(
      { clock, producer, topics: this.#topics, log, processId: trialName, signal },
      {
        skipped: (reason) => this.#tell({ kind: 'skip', reason, why: null }),
        retried: (afterMs, why) => this.#retried(afterMs, why),
      },
    )
    this.#queues = new RuleQueues({
      ruleSet: ruleSetOf(rule),
      meters,
      clock,
      settler,
      // They are not started, so nothing is renewed: no other process is there to take a lease over.
      leases: new Leases(trialStore(clock), clock, trialName),
      tools: {
        clock,
        actions: trialTools(test.responses, clock, (effect) => this.#tell(effect)),
        signal,
      },
      hopsMax,
      log,
      logger: noLogger,
    })
    this.#retries = new RetryIntake({
      queues: this.#queues,
      settler,
      meters,
      processId: trialName,
      topics: this.#topics,
    })
    for (const [i, event] of test.events.entries()) {
      clock.schedule(event.atMs, () => this.#arrives(event, i))
    }
  }

  async play(): Promise<void> {
    while (this.#clock.playNext()) {
      await nextTurn() // nothing here waits for the outside, so by then all has run that could
      if (this.happened.length > happeningsMax) return
    }
  }

  #tell(happening: Happening): void {
    this.happened.push({ atMs: this.#clock.monotonic(), ...happening })
  }

  #arrives(given: TestEvent, index: number): void {
    const rule = this.#rule
    const event = eventOf(this.#recordOf(given, index), given.body)
    if (!rule.topics.matches(given.topic)) {
      return this.#noMatch(`the rule does not read the topic ${given.topic}`)
    }
    const fired = rule.fire(event)
    if (fired !== null) return this.#queues.fired({ rule, ...fired }, event, ticketOf(event.record))
    const inspected = inspectCondition(rule.condition, event)
    this.#noMatch(inspected.truth === false ? whyNot(inspected) : 'none of its cases holds')
  }

  #noMatch(why: string | null): void {
    this.#tell({ kind: 'skip', reason: 'no-match', why })
  }

  #recordOf({ body, ageMs, topic, key, headers }: TestEvent, index: number): BusRecord {
    return {
      topic,
      partition: 0,
      offset: BigInt(index),
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(JSON.stringify(body)),
      headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
      timestampMs: this.#clock.now() - ageMs,
    }
  }

  /** Where retries, dead letters and what waits for the end of a window are stored. */
  get #bus(): Pick<Bus, 'produce'> {
    return {
      produce: (records) =>
        Promise.resolve(
          records.map((record) => {
            const stored = { topic: record.topic, partition: 0, offset: this.#stored++ }
            this.#keep({ ...record, ...stored, timestampMs: this.#clock.now() })
            return stored
          }),
        ),
    }
  }

  #keep(record: NewRecord & BusRecord): void {
    const text = (name: string): string => headerText(record.headers, name) ?? ''
    const reason = deadReasons.find((one) => one === text(taskHeaders.reason))
    const why = text(taskHeaders.error)
    if (record.topic === this.#topics.dead) {
      invariant(reason !== undefined, 'a dead letter without a reason')
      return this.#tell({ kind: 'dead', reason, why })
    }
    const afterMs = Date.parse(text(taskHeaders.due)) - this.#clock.now()
    // Any other reason is that of a task that waits, for the end of its window.
    if (reason !== undefined && !this.#retried(afterMs, why)) return
    this.#clock.schedule(this.#retries.readyAtMs(record) - this.#clock.now(), () =>
      this.#retries.take(record, ticketOf(record)),
    )
  }

  /** Whether the next attempt is still looked at. */
  #retried(afterMs: number, why: string): boolean {
    this.#tell({ kind: 'retry', afterMs, why })
    this.#retriesLeft -= 1
    return this.#retriesLeft > 0
  }
}

/**
 * The rule by its name alone. It is asked itself whether it fires: an index over what its condition
 * lists, which may be long, would be built for each of its cases.
 */
function ruleSetOf(rule: Rule): RuleSet {
  return new RuleSet([rule], { byName: new Map([[rule.name, rule]]), lanes: new Map() })
}

const nothing = (): void => {}

/** No partition goes elsewhere in a trial, and no offset is committed. */
const owner: TicketOwner = {
  isRevoked: false,
  isOver: false,
  isCrowded: false,
  taskStarted: nothing,
  taskEnded: nothing,
  eventSettled: nothing,
}

function ticketOf(record: BusRecord): Ticket {
  return new Ticket(owner, record, 0)
}
