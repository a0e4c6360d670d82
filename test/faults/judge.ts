import type { Call, DeadLetter, Disturbance, Ledger, LoggedEvent } from './ledger.ts'
import type { RuleUnderTest } from './rules.ts'

/*
 * What the promises of docs/delivery.md, 1, say about a ledger. Where it cannot be known from
 * outside, what is allowed is told too wide and never too narrow: a breach is a breach.
 */

/** Commits are made every 500 ms; on two busy cores one is late by as much as this. */
const commitMsMax = 3_000

/** Between a claim and the arrival of its call, or a call's end and what follows from it. */
const slackMs = 700

/** For how long a disturbance is felt behind its end: a session and a lease run out after 10 s. */
const aftermathMs = 15_000

/** A disturbance of these can make an event run again: a process knew of its end, and is gone. */
const forgetful: ReadonlySet<string> = new Set([
  'kill',
  'freeze',
  'cut-off',
  'died',
  'broker-killed',
  'partitions-added',
  'topic-deleted',
  'disk-full',
  'bus-away',
])

/**
 * What an `order: key` rule has waiting cannot be handed over with its partition: others of its key
 * would pass it by. The event is read again by the next owner, with all rules that share it.
 */
const sharedWithOrder = 'rebalance'

/** And of these: two runs of one key can meet, or come in one window. */
const blinding: ReadonlySet<string> = new Set([
  ...forgetful,
  'redis-killed',
  'redis-frozen',
  'redis-wiped',
  'store-degraded',
])

interface RuleVerdict {
  readonly rule: string
  readonly matched: number
  /** Events that were acted on. */
  readonly done: number
  readonly dead: number
  /** Events that need no call of their own: another one of their key was acted on. */
  readonly covered: number
  readonly missing: number
  /** Calls beyond the first that succeeded. */
  readonly repeats: number
  /** From the event to its first successful call, in milliseconds. */
  readonly delayMsMax: number
}

export interface Verdict {
  readonly rules: readonly RuleVerdict[]
  /** What was promised and not kept, in words; empty: all was kept. */
  readonly breaches: readonly string[]
  /** Repeats by the disturbance that they came behind. */
  readonly repeatsByDisturbance: ReadonlyMap<Disturbance, number>
}

/** How many breaches of one kind and rule are told in full. */
const toldMax = 5

export function judge(ledger: Ledger, rules: readonly RuleUnderTest[]): Verdict {
  return new Judge(ledger, rules).verdict()
}

/** What is known of one (rule, event). */
interface Task {
  readonly event: LoggedEvent
  readonly calls: Call[]
  readonly dead: DeadLetter[]
}

class Judge {
  readonly #ledger: Ledger
  readonly #rules: readonly RuleUnderTest[]
  readonly #tasks = new Map<string, Map<string, Task>>()
  readonly #breaches = new Map<string, string[]>()
  readonly #repeats = new Map<Disturbance, number>()
  readonly #settledMs = new Map<string, number>()

  constructor(ledger: Ledger, rules: readonly RuleUnderTest[]) {
    this.#ledger = ledger
    this.#rules = rules
    for (const rule of rules) {
      const tasks = new Map<string, Task>()
      for (const event of ledger.events) {
        if (!rule.topics.includes(event.topic)) continue
        tasks.set(event.id, { event, calls: [], dead: [] })
      }
      this.#tasks.set(rule.name, tasks)
    }
    for (const call of ledger.calls) this.#file(call, (task) => task.calls.push(call))
    for (const dead of ledger.dead) this.#file(dead, (task) => task.dead.push(dead))
  }

  #file(what: { rule: string; id: string }, add: (task: Task) => void): void {
    const task = this.#tasks.get(what.rule)?.get(what.id)
    if (task !== undefined) return add(task)
    const [topic = ''] = what.id.split('/')
    if (this.#ledger.deletedTopics.has(topic)) return // its event went with its topic
    if (this.#tasks.has(what.rule)) this.#breach(what.rule, 'unknown event', what.id)
  }

  verdict(): Verdict {
    this.#judgeUnreadable()
    const covered = new Map(this.#rules.map((rule) => [rule.name, this.#coveredOf(rule)]))
    for (const rule of this.#rules) this.#noteSettled(rule)
    const rules = this.#rules.map((rule) => this.#judgeRule(rule, covered.get(rule.name) ?? none))
    for (const rule of this.#rules) {
      if (rule.promised.kind === 'ordered') this.#judgeOrder(rule)
      if (rule.promised.kind === 'newest') this.#judgeWindows(rule, rule.promised.windowMs)
      if (rule.promised.kind === 'ordered' || rule.key !== null) this.#judgeExclusion(rule)
    }
    const breaches = [...this.#breaches].flatMap(([what, ids]) => [
      ...ids.slice(0, toldMax).map((id) => `${what}: ${id}`),
      ...(ids.length > toldMax ? [`${what}: ${ids.length - toldMax} more`] : []),
    ])
    return { rules, breaches, repeatsByDisturbance: this.#repeats }
  }

  #breach(rule: string, what: string, detail: string): void {
    const name = `${rule}: ${what}`
    const told = this.#breaches.get(name)
    if (told === undefined) this.#breaches.set(name, [detail])
    else told.push(detail)
  }

  /** What no rule can read is a dead letter, once per event. */
  #judgeUnreadable(): void {
    const buried = new Set(this.#ledger.dead.filter(({ rule }) => rule === '-').map(({ id }) => id))
    for (const origin of this.#ledger.unreadable) {
      if (!buried.has(origin)) this.#breach('-', 'an unreadable event is no dead letter', origin)
    }
  }

  #tasksOf(rule: RuleUnderTest): readonly Task[] {
    return [...(this.#tasks.get(rule.name)?.values() ?? [])]
  }

  /** The events of a rule that need no outcome of their own, and when that was known. */
  #coveredOf(rule: RuleUnderTest): ReadonlyMap<string, number> {
    const { promised } = rule
    if (promised.kind === 'each' || promised.kind === 'ordered') return none
    const covered = new Map<string, number>()
    for (const tasks of this.#byKey(rule).values()) {
      const finals = tasks.filter((task) => finalMs(task) !== null)
      for (const { event } of tasks) {
        const covering = finals.filter((other) => covers(promised, other, event))
        if (covering.length === 0) continue
        const earliestMs = Math.min(...covering.map((other) => finalMs(other) ?? Infinity))
        covered.set(event.id, Math.max(event.timeMs, earliestMs))
      }
    }
    return covered
  }

  #byKey(rule: RuleUnderTest): ReadonlyMap<string, readonly Task[]> {
    const byKey = new Map<string, Task[]>()
    for (const task of this.#tasksOf(rule)) {
      const key = rule.key === null ? task.event.id : task.event[rule.key]
      const tasks = byKey.get(key)
      if (tasks === undefined) byKey.set(key, [task])
      else tasks.push(task)
    }
    return byKey
  }

  /**
   * When all rules of an event were through with it, the first time: only then is its offset
   * committed, and until then all of them run again with it. A skip leaves no trace outside; that of
   * a rule with windows may be as late as the end of the next call of its key.
   */
  #noteSettled(rule: RuleUnderTest): void {
    const isPlain = rule.promised.kind === 'each' || rule.promised.kind === 'ordered'
    for (const tasks of this.#byKey(rule).values()) {
      const ends = tasks
        .flatMap(({ calls }) => calls.map(({ endMs }) => endMs ?? Infinity))
        .sort(up)
      for (const task of tasks) {
        const { event } = task
        const next = isPlain ? 0 : (ends.find((endMs) => endMs >= event.timeMs) ?? 0)
        const before = this.#settledMs.get(event.id) ?? event.timeMs
        this.#settledMs.set(event.id, Math.max(finalMs(task) ?? 0, next, before))
      }
    }
  }

  #judgeRule(rule: RuleUnderTest, covered: ReadonlyMap<string, number>): RuleVerdict {
    const counts = { done: 0, dead: 0, covered: 0, missing: 0, repeats: 0, delayMsMax: 0 }
    const tasks = this.#tasksOf(rule)
    for (const task of tasks) {
      const { event, dead } = task
      const done = doneCalls(task)
      const [first] = done
      if (first !== undefined) {
        counts.done += 1
        counts.delayMsMax = Math.max(counts.delayMsMax, first.startMs - event.timeMs)
      } else if (dead.length > 0) counts.dead += 1
      else if (covered.has(event.id)) counts.covered += 1
      else if (!this.#wentWithItsTopic(event)) {
        counts.missing += 1
        this.#breach(rule.name, 'missing', tellTask(task))
      }
      for (const again of done.slice(1)) {
        counts.repeats += 1
        this.#judgeRepeat(rule, task, again.startMs, 'acted on again')
      }
      if (first !== undefined && dead.length > 0) {
        const [letter] = dead
        const laterMs = Math.max(first.startMs, letter?.timeMs ?? 0)
        this.#judgeRepeat(rule, task, laterMs, 'acted on, and a dead letter')
      }
    }
    return { rule: rule.name, matched: tasks.length, ...counts }
  }

  #wentWithItsTopic({ topic }: LoggedEvent): boolean {
    return this.#ledger.deletedTopics.has(topic)
  }

  /** A second run is within the promise when its event was open while a process forgot it. */
  #judgeRepeat(rule: RuleUnderTest, task: Task, againMs: number, what: string): void {
    const { event } = task
    const settledMs = Math.max(
      this.#settledMs.get(event.id) ?? event.timeMs,
      ...this.#callsOf(event)
        .filter(({ startMs }) => startMs < againMs)
        .map(({ endMs }) => endMs ?? Infinity),
    )
    const isShared = this.#rules.some(
      ({ promised, topics: read }) => promised.kind === 'ordered' && read.includes(event.topic),
    )
    const cause = this.#ledger.disturbances.findLast(
      (one) =>
        (forgetful.has(one.kind) || (isShared && one.kind === sharedWithOrder)) &&
        one.fromMs <= againMs &&
        one.fromMs <= settledMs + commitMsMax &&
        (one.untilMs ?? Infinity) + aftermathMs >= event.timeMs &&
        (one.life === null || this.#touched(event, one.life)),
    )
    if (cause === undefined) return this.#breach(rule.name, what, tellTask(task))
    this.#repeats.set(cause, (this.#repeats.get(cause) ?? 0) + 1)
  }

  /** Derived events have no caller: any daemon may have made them. */
  #touched(event: LoggedEvent, life: string): boolean {
    return this.#callsOf(event).some((call) => call.life === life || call.life === null)
  }

  /** By all rules. */
  #callsOf({ id }: LoggedEvent): readonly Call[] {
    return [...this.#tasks.values()].flatMap((tasks) => tasks.get(id)?.calls ?? [])
  }

  /** The first run of an event begins when the one before it, of its key and partition, is through. */
  #judgeOrder(rule: RuleUnderTest): void {
    for (const tasks of this.#byKey(rule).values()) {
      const before = new Map<string, Task>()
      for (const task of [...tasks].sort((a, b) => a.event.offset - b.event.offset)) {
        const place = `${task.event.topic}/${task.event.partition}`
        const previous = before.get(place)
        before.set(place, task)
        const startMs = Math.min(...task.calls.map((call) => call.startMs))
        if (previous === undefined || startMs === Infinity) continue
        const throughMs = finalMs(previous)
        if (throughMs !== null && startMs >= throughMs - orderSlackMs) continue
        this.#breach(rule.name, 'out of order', `${tellTask(task)} before ${tellTask(previous)}`)
      }
    }
  }

  /** Two events of a key are not acted on within one window, unless the window could not be known. */
  #judgeWindows(rule: RuleUnderTest, windowMs: number): void {
    for (const tasks of this.#byKey(rule).values()) {
      const starts = tasks
        .flatMap((task) => doneCalls(task).map(({ startMs }) => ({ startMs, id: task.event.id })))
        .sort((a, b) => a.startMs - b.startMs)
      for (const [i, { startMs, id }] of starts.entries()) {
        const previous = starts[i - 1]
        if (previous === undefined || previous.id === id) continue
        if (startMs - previous.startMs >= windowMs - slackMs) continue
        if (this.#wasBlind(previous.startMs, startMs)) continue
        const gap = `${startMs - previous.startMs} ms behind ${previous.id}`
        this.#breach(rule.name, 'twice in a window', `${id} ${gap} at ${isoOf(startMs)}`)
      }
    }
  }

  /** Two runs of a key do not overlap, unless one of them was lost sight of. */
  #judgeExclusion(rule: RuleUnderTest): void {
    for (const tasks of this.#byKey(rule).values()) {
      const calls = tasks.flatMap((task) => task.calls).sort((a, b) => a.startMs - b.startMs)
      let previous: Call | undefined
      for (const call of calls) {
        const last = previous
        if (last === undefined || (call.endMs ?? Infinity) > (last.endMs ?? Infinity))
          previous = call
        if (last === undefined || (last.endMs ?? Infinity) - overlapSlackMs <= call.startMs)
          continue
        if (this.#wasBlind(last.startMs, call.startMs)) continue
        const what = `${call.id} by ${call.life} and ${last.id} by ${last.life}`
        this.#breach(rule.name, 'two at once', `${what} at ${isoOf(call.startMs)}`)
      }
    }
  }

  #wasBlind(fromMs: number, untilMs: number): boolean {
    return this.#ledger.disturbances.some(
      (one) =>
        blinding.has(one.kind) &&
        one.fromMs - slackMs <= untilMs &&
        (one.untilMs ?? Infinity) + aftermathMs >= fromMs,
    )
  }
}

const none: ReadonlyMap<string, number> = new Map()

/** A dead letter's time is taken before it is stored, and clocks of processes tick in milliseconds. */
const orderSlackMs = 5

/** A caller that gives up knows it before its target does. */
const overlapSlackMs = 300

const up = (a: number, b: number): number => a - b

function doneCalls({ calls }: Task): readonly Call[] {
  return calls.filter(({ isDone }) => isDone).sort((a, b) => a.startMs - b.startMs)
}

/** When a task got its first outcome, as far as it shows outside; `null`: it has none. */
function finalMs(task: Task): number | null {
  const moments = [
    ...doneCalls(task).map(({ endMs, startMs }) => endMs ?? startMs),
    ...task.dead.map(({ timeMs }) => timeMs),
  ]
  return moments.length === 0 ? null : Math.min(...moments)
}

/** Whether what became of `other` is enough for `event`. */
function covers(promised: RuleUnderTest['promised'], other: Task, event: LoggedEvent): boolean {
  const by = other.event
  if (by.id === event.id) return false
  switch (promised.kind) {
    case 'version':
      return by.rev >= event.rev
    case 'newest':
      return by.partition === event.partition ? by.offset >= event.offset : by.timeMs > event.timeMs
    case 'first':
      // Some run of the key opened a window that had not ended when the event came.
      return doneCalls(other).some(({ startMs }) => startMs + promised.windowMs >= event.timeMs)
    case 'each':
    case 'ordered':
      return false
  }
}

function tellTask({ event, calls, dead }: Task): string {
  const told = calls.map(
    ({ life, startMs, isDone }) => `${isoOf(startMs)} ${life ?? '?'} ${isDone ? 'done' : 'failed'}`,
  )
  const letters = dead.map(({ timeMs, reason }) => `${isoOf(timeMs)} dead (${reason})`)
  const all = [...told, ...letters]
  const shown = all.length > 6 ? [...all.slice(0, 3), '..', ...all.slice(-3)] : all
  return `${event.id} of ${isoOf(event.timeMs)} [${shown.join(', ')}]`
}

function isoOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 23) : 'never'
}
