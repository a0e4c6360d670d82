import { describeFailure } from '../../model/failure.ts'
import type { DeadReason, SkipReason } from '../../model/outcome.ts'
import { deadReasonOf } from '../../model/outcome.ts'
import type { BusRecord } from '../../model/record.ts'
import type { Task } from '../../model/task.ts'
import { newTask } from '../../model/task.ts'
import { inspectCondition } from '../../rules/inspect-condition.ts'
import type { RuleTest, TestEvent } from '../../rules/rule-test-schema.ts'
import type { Rule } from '../../rules/rule.ts'
import { whyNot } from '../../rules/why-not.ts'
import { admit, readmit, type AdmitContext, type Verdict } from '../admit.ts'
import { attempt, type AttemptMeters, type AttemptResult, type AttemptTools } from '../attempt.ts'
import { planRetry } from '../retry-plan.ts'
import { eventOf } from '../task-headers.ts'
import { TrialClock } from './trial-clock.ts'
import { trialTools, type Effect } from './trial-tools.ts'

/** One thing that a rule did in a trial, in the order in which it did them. */
export type Happened =
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

/**
 * Runs a rule over the events of a case as the daemon would: the same match, admission, actions and
 * retry plan, on a clock that moves by itself, with answers from a list and no network.
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

/** Something that is to happen; of two at one moment the one that was planned first does. */
interface Due {
  readonly atMs: number
  readonly run: () => Promise<void>
}

class Trial {
  readonly happened: Happened[] = []
  readonly #rule: Rule
  readonly #settings: TrialSettings
  readonly #clock = new TrialClock(startMs)
  readonly #tools: AttemptTools
  readonly #due: Due[] = []
  #retriesLeft: number

  constructor(rule: Rule, test: RuleTest, settings: TrialSettings) {
    this.#rule = rule
    this.#settings = settings
    const retries = test.expect.filter(({ kind }) => kind === 'retry').length
    this.#retriesLeft = test.expect.at(-1)?.kind === 'retry' ? retries : Infinity
    this.#tools = {
      clock: this.#clock,
      actions: trialTools(test.responses, this.#clock, (effect) => this.happened.push(effect)),
      signal: new AbortController().signal,
    }
    for (const [i, event] of test.events.entries()) {
      this.#plan(event.atMs, () => this.#arrives(event, i))
    }
  }

  async play(): Promise<void> {
    for (let next = this.#takeNext(); next !== null; next = this.#takeNext()) {
      this.#clock.passTo(next.atMs)
      await next.run()
      if (this.happened.length > happeningsMax) return
    }
  }

  #plan(atMs: number, run: () => Promise<void>): void {
    const behind = this.#due.findIndex((one) => one.atMs > atMs)
    this.#due.splice(behind === -1 ? this.#due.length : behind, 0, { atMs, run })
  }

  #takeNext(): Due | null {
    return this.#due.shift() ?? null
  }

  async #arrives(given: TestEvent, index: number): Promise<void> {
    const rule = this.#rule
    const event = eventOf(this.#recordOf(given, index), given.body)
    if (!rule.topics.matches(given.topic)) {
      return this.#skip('no-match', `the rule does not read the topic ${given.topic}`)
    }
    const fired = rule.fire(event)
    if (fired === null) {
      const inspected = inspectCondition(rule.condition, event)
      const why = inspected.truth === false ? whyNot(inspected) : 'none of its cases holds'
      return this.#skip('no-match', why)
    }
    const task = newTask(rule.name, event, fired.way)
    return this.#accept(admit({ rule, ...fired }, task, this.#admitContext()), task)
  }

  /** Neither rule nor event has changed, so it is matched as it was; but time has passed. */
  async #comesBack(task: Task): Promise<void> {
    const firing = { rule: this.#rule, way: task.way, doubt: null }
    return this.#accept(readmit(firing, task, this.#admitContext()), task)
  }

  #admitContext(): AdmitContext {
    return { nowMs: this.#clock.now(), hopsMax: this.#settings.hopsMax }
  }

  async #accept(verdict: Verdict, task: Task): Promise<void> {
    switch (verdict.kind) {
      case 'run':
        return this.#attempt(task)
      case 'skip':
        return this.#skip(verdict.reason, null)
      case 'dead':
        this.happened.push({ kind: 'dead', reason: verdict.reason, why: verdict.error })
    }
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

  #skip(reason: 'no-match' | SkipReason, why: string | null): void {
    this.happened.push({ kind: 'skip', reason, why })
  }

  async #attempt(task: Task): Promise<void> {
    const result = await attempt(task, this.#rule, this.#tools, noMeters)
    if (result.kind === 'dead') return this.#dead(result)
    if (result.kind === 'retry') this.#retry(task, result)
  }

  #dead({ failure }: Extract<AttemptResult, { kind: 'retry' | 'dead' }>): void {
    this.happened.push({
      kind: 'dead',
      reason: deadReasonOf(failure),
      why: describeFailure(failure),
    })
  }

  #retry(task: Task, failed: Extract<AttemptResult, { kind: 'retry' | 'dead' }>): void {
    const { failure, progress } = failed
    const nowMs = this.#clock.now()
    const firstFailedMs = task.firstFailedMs ?? nowMs
    const retryAfterMs = failure.kind === 'status' ? failure.retryAfterMs : null
    const plan = planRetry(
      this.#rule.retry,
      { attempt: task.attempt, firstFailedMs, retryAfterMs },
      this.#settings.tiersMs,
      nowMs,
      this.#clock.random(),
    )
    if (plan.kind === 'exhausted') return this.#dead(failed)
    const afterMs = plan.dueMs - nowMs
    this.happened.push({ kind: 'retry', afterMs, why: describeFailure(failure) })
    if (--this.#retriesLeft <= 0) return
    const next = { ...task, ...progress, attempt: task.attempt + 1, firstFailedMs }
    this.#plan(this.#clock.monotonic() + afterMs, () => this.#comesBack(next))
  }
}

/** Nobody scrapes a trial. */
const noMeters: AttemptMeters = {
  attemptStarts: () => {},
  actionEnded: () => {},
}
