import type { Stamp } from '../../src/model/stamp.ts'
import { isCoveredBy } from '../../src/model/stamp.ts'
import type { Arrival, Attempt, Fault, History } from './history.ts'
import type { Policy } from './policies.ts'

/*
 * The reference model of windows. It does not say what happens: it says whether what happened is
 * allowed (docs/rules.md, 5; docs/delivery.md, 1 and 8).
 */

/** A claim outlives its owner by so long, and a store that was away is felt until then. */
const leaseMs = 10_000

/** A tier is read in order: what is due waits for what stands before it, twice where it came again. */
const tierMs = 25_000

/** Everything that was not allowed, in words. Empty: all is well. */
export function judge(history: History, policy: Policy): readonly string[] {
  const seen = new Seen(history, policy)
  return [
    ...history.complaints,
    ...seen.uncovered(),
    ...seen.besideEachOther(),
    ...seen.aboveTheLimit(),
    ...seen.twiceInAWindow(),
    ...seen.backwards(),
    ...seen.beforeItWasQuiet(),
    ...seen.late(),
    ...seen.outOfOrder(),
  ]
}

/** One hold of a key: an attempt, and in order those that follow it in place. */
interface Run {
  readonly event: string
  readonly process: number
  readonly startMs: number
  /** When the attempt began that acted; the last one where none did. */
  readonly actedMs: number
  readonly endMs: number
  readonly ending: Attempt['ending']
}

class Seen {
  readonly #history: History
  readonly #policy: Policy
  readonly #byId: ReadonlyMap<string, Arrival>
  readonly #keys: readonly string[]

  constructor(history: History, policy: Policy) {
    this.#history = history
    this.#policy = policy
    this.#byId = new Map(history.arrivals.map((one) => [one.id, one]))
    this.#keys = [...new Set(history.arrivals.map(({ key }) => key))]
  }

  get #windowMs(): number {
    return this.#policy.dedup?.window?.ms ?? 0
  }

  get #keep(): 'first' | 'last' | 'both' | 'each' | 'none' {
    const { dedup } = this.#policy
    return dedup === null ? 'none' : (dedup.window?.keep ?? 'each')
  }

  /** A window begins with the claim, and what is seen is the attempt behind it. */
  get #claimMs(): number {
    return this.#history.storeDelayMs + this.#history.slackMs
  }

  get #hasVersion(): boolean {
    return this.#policy.dedup !== null && this.#policy.dedup.version !== null
  }

  // ---- every event comes to an end

  uncovered(): string[] {
    return this.#history.arrivals
      .filter((arrival) => !this.#isCovered(arrival))
      .map(({ id, key, atMs }) => `lost: ${id} of key ${key}, there since ${atMs}`)
  }

  #isCovered(arrival: Arrival): boolean {
    const { id, key, atMs } = arrival
    const attempts = this.#attemptsOf(key)
    const isDone = (event: string) =>
      attempts.some((one) => one.event === event && one.ending === 'done')
    if (isDone(id) || this.#history.dead.has(id)) return true
    switch (this.#keep) {
      case 'none':
        return false
      case 'first':
        // As `duplicate` of a success whose window was open when it came, or later.
        return (
          attempts.some(
            ({ ending, startMs }) =>
              ending === 'done' && startMs + this.#windowMs + this.#history.slackMs >= atMs,
          ) ||
          (this.#hasVersion && this.#notOlder(arrival).some((other) => isDone(other.id)))
        )
      case 'each':
        return this.#notOlder(arrival).some((other) => isDone(other.id))
      case 'last':
      case 'both':
        return this.#notOlder(arrival).some(
          (other) => isDone(other.id) || this.#history.dead.has(other.id),
        )
    }
  }

  /**
   * Those that may stand for it. By steps, since what was covered by a lead goes where that one
   * goes; where event times contradict offsets, the order is not one that steps keep.
   */
  #notOlder(arrival: Arrival): readonly Arrival[] {
    const ofKey = this.#history.arrivals.filter(({ key }) => key === arrival.key)
    const found = new Set([arrival])
    for (const one of found) {
      for (const other of ofKey) if (isCoveredBy(one.stamp, other.stamp)) found.add(other)
    }
    found.delete(arrival)
    return [...found]
  }

  // ---- runs of a key exclude each other

  besideEachOther(): string[] {
    if (this.#keep === 'none' && this.#policy.rule.order === 'none') return []
    return this.#keys.flatMap((key) =>
      pairs(this.#holdsOf(key)).flatMap(([one, other]) => {
        if (other.startMs >= one.endMs) return []
        if (this.#isExplained(['store'], one.startMs, other.startMs)) return []
        return [`two at once on ${key}: ${told(one)} and ${told(other)}`]
      }),
    )
  }

  aboveTheLimit(): string[] {
    const { concurrencyPerKey: limit } = this.#policy.rule
    if (limit === null) return []
    return this.#history.attempts.flatMap(({ key, process, startMs }) => {
      const beside = this.#attemptsOf(key).filter(
        (other) => other.process === process && other.startMs <= startMs && endOf(other) > startMs,
      )
      return beside.length <= limit ? [] : [`${beside.length} attempts on ${key} at ${startMs}`]
    })
  }

  // ---- one success a window

  twiceInAWindow(): string[] {
    if (this.#windowMs === 0) return []
    return this.#keys.flatMap((key) => {
      const done = this.#runsOf(key).filter(({ ending }) => ending === 'done')
      return pairs(done).flatMap(([one, other]) => {
        const apartMs = other.startMs - one.startMs
        if (apartMs + this.#claimMs >= this.#windowMs) return []
        if (this.#isExplained(['crash', 'store'], one.startMs, other.startMs)) return []
        // Redelivered or stored twice: an event is not its own duplicate.
        const { atMs } = this.#arrival(one.event)
        const isRepeat = one.event === other.event
        if (isRepeat && this.#isExplained(['crash', 'membership'], atMs, other.startMs)) return []
        return [`${apartMs} ms apart on ${key}: ${told(one)} and ${told(other)}`]
      })
    })
  }

  // ---- no older success over a newer one

  backwards(): string[] {
    if (this.#keep === 'none') return []
    return this.#keys.flatMap((key) => {
      const done = this.#runsOf(key).filter(({ ending }) => ending === 'done')
      return pairs(done).flatMap(([newer, older]) => {
        if (!this.#isOlder(older.event, newer.event)) return []
        const begunMs = Math.min(this.#firstStartMs(older.event), newer.startMs)
        if (!this.#isRemembered(newer, older, begunMs)) return []
        if (this.#isExplained(['crash', 'store'], begunMs, older.actedMs)) return []
        // One newest is remembered: one that has no order with it takes its place.
        const isReplaced = done.some(
          ({ event, endMs }) =>
            endMs >= newer.endMs &&
            endMs <= older.startMs &&
            !isCoveredBy(this.#arrival(older.event).stamp, this.#arrival(event).stamp),
        )
        if (isReplaced) return []
        return [`went back on ${key}: ${told(newer)}, and then ${told(older)}`]
      })
    })
  }

  /** Without a version, what was acted on is forgotten with its window, unless one is to ask for it. */
  #isRemembered(newer: Run, older: Run, begunMs: number): boolean {
    if (this.#hasVersion) return true
    // What is new is only asked whether a window is open; what comes back, also who came behind it.
    // What is read again is as new, and acted on by its own right.
    if (this.#keep === 'first') {
      return begunMs < newer.startMs && !this.#isMoved(begunMs, older.startMs)
    }
    const { storeDelayMs, slackMs } = this.#history
    if (older.startMs - storeDelayMs + slackMs < newer.startMs + this.#windowMs) return true
    if (begunMs < newer.startMs) return true
    // It was here, in memory or in a tier, and whoever has it asks before he lets it go.
    const { atMs } = this.#arrival(older.event)
    return this.#history.isRoomy && atMs < newer.startMs && !this.#isMoved(atMs, older.startMs)
  }

  #isMoved(fromMs: number, toMs: number): boolean {
    return this.#isExplained(['crash', 'membership', 'store'], fromMs, toMs)
  }

  // ---- `keep: last` waits until it is quiet

  beforeItWasQuiet(): string[] {
    const window = this.#policy.dedup?.window ?? null
    if (window?.keep !== 'last') return []
    const { slackMs } = this.#history
    return this.#history.attempts.flatMap(({ key, event, startMs }) => {
      const { atMs } = this.#arrival(event)
      if (this.#firstStartMs(event) < startMs || startMs + slackMs >= atMs + window.ms) return []
      if (this.#isExplained(['wall-clock'], atMs, startMs)) return [] // its due time is by that one
      const openMs = this.#history.arrivals
        .filter((one) => one.key === key && one.atMs <= startMs && !this.#isOverBy(one, startMs))
        .map((one) => one.atMs)
      if (startMs + slackMs >= Math.min(...openMs) + window.waitMaxMs) return []
      return [`not quiet on ${key}: ${event} came at ${atMs} and was attempted at ${startMs}`]
    })
  }

  // ---- nothing waits for ever

  /** Without trouble and failures, what is acted on is acted on in time. */
  late(): string[] {
    const { arrivals, attempts } = this.#history
    if (this.#keep === 'none' || this.#keep === 'first' || this.#claimMs > 0) return []
    const waitMs = this.#policy.dedup?.window?.waitMaxMs ?? 0
    const longestMs = this.#keep === 'last' ? waitMs : this.#windowMs
    return arrivals.flatMap((arrival) => {
      const { id, key, atMs } = arrival
      const covering = [arrival, ...this.#notOlder(arrival)].map((one) => one.id)
      const starts = attempts
        .filter(({ event, ending }) => covering.includes(event) && ending === 'done')
        .map(({ startMs }) => startMs)
      const firstMs = Math.min(...starts)
      const meanwhile = attempts.filter((one) => endOf(one) >= atMs && one.startMs <= firstMs)
      if (starts.length === 0 || meanwhile.some(({ ending }) => ending !== 'done')) return []
      if (this.#isExplained(allFaults, atMs, firstMs)) return []
      const busyMs = meanwhile.reduce((sum, one) => sum + endOf(one) - one.startMs, 0)
      // Those that have no order with it have windows of their own.
      const others = meanwhile.filter((one) => one.key === key && one.startMs < firstMs)
      const windowsMs = others.length * this.#windowMs
      if (firstMs <= atMs + longestMs + windowsMs + busyMs + tierMs) return []
      return [`late on ${key}: ${id} came at ${atMs} and was covered at ${firstMs}`]
    })
  }

  /** Itself, or by one that covers it without a step between: those that have no order go on to wait. */
  #isOverBy({ key, stamp }: Arrival, byMs: number): boolean {
    return this.#attemptsOf(key).some(
      ({ event, ending, startMs }) =>
        ending === 'done' && startMs < byMs && isCoveredBy(stamp, this.#arrival(event).stamp),
    )
  }

  // ---- `order: key`

  outOfOrder(): string[] {
    if (this.#policy.rule.order === 'none') return []
    return this.#keys.flatMap((key) => {
      const attempts = this.#attemptsOf(key)
      const sources = new Set(attempts.map(({ event }) => this.#sourceOf(event)))
      return [...sources].flatMap((source) =>
        this.#backInOrder(attempts.filter(({ event }) => this.#sourceOf(event) === source)),
      )
    })
  }

  /** @param attempts - of one key and partition */
  #backInOrder(attempts: readonly Attempt[]): string[] {
    return attempts.flatMap((one, at) => {
      const next = attempts[at + 1]
      if (next === undefined || !this.#comesBefore(next.event, one.event)) return []
      if (this.#isExplained(['crash', 'membership'], one.startMs, next.startMs)) return []
      // Without the store processes do not know of each other; each keeps its own order all the same.
      const isOfOne = one.process === next.process
      if (!isOfOne && this.#isExplained(['store'], one.startMs, next.startMs)) return []
      // What a tier gave back late has nothing to give way to, where the newer one was not acted on.
      if (this.#keep === 'both' && one.ending !== 'done') return []
      const [first, second] = [one, next].map(({ event, startMs }) => `${event} at ${startMs}`)
      return [`out of order on ${one.key}: ${first}, and then ${second}`]
    })
  }

  #sourceOf(event: string): string {
    return this.#arrival(event).stamp.source
  }

  #comesBefore(one: string, other: string): boolean {
    return this.#arrival(one).stamp.offset < this.#arrival(other).stamp.offset
  }

  // ---- what all of them ask

  #arrival(id: string): Arrival {
    const found = this.#byId.get(id)
    if (found === undefined) throw new Error(`${id} was acted on and never came`)
    return found
  }

  #isOlder(one: string, other: string): boolean {
    const [older, newer]: Stamp[] = [this.#arrival(one).stamp, this.#arrival(other).stamp]
    if (older === undefined || newer === undefined) return false
    return isCoveredBy(older, newer) && !isCoveredBy(newer, older)
  }

  #attemptsOf(key: string): readonly Attempt[] {
    return this.#history.attempts
      .filter((one) => one.key === key)
      .sort((a, b) => a.startMs - b.startMs)
  }

  #firstStartMs(event: string): number {
    const starts = this.#history.attempts.filter((one) => one.event === event)
    return Math.min(...starts.map(({ startMs }) => startMs))
  }

  /** The runs of a key; those that may have lost it between two attempts, as one for each. */
  #holdsOf(key: string): readonly Run[] {
    return this.#runsOf(key, (before, run) =>
      this.#isExplained(['crash', 'membership'], before.startMs, run.startMs),
    )
  }

  #runsOf(key: string, isApart: (before: Run, run: Run) => boolean = () => false): readonly Run[] {
    const runs: Run[] = []
    for (const { event, process, startMs, ending, ...attempt } of this.#attemptsOf(key)) {
      const endMs = endOf({ ...attempt, event, process, startMs, ending })
      const run = { event, process, startMs, actedMs: startMs, endMs, ending }
      const at = runs.findLastIndex((one) => this.#isSameHold(one, run) && !isApart(one, run))
      const before = runs[at]
      if (before === undefined) runs.push(run)
      else runs[at] = { ...run, startMs: before.startMs }
    }
    return runs
  }

  /** In order, a task that failed is tried again where it is, and keeps its key. */
  #isSameHold(before: Run, run: Run): boolean {
    if (this.#policy.rule.order === 'none' || before.ending !== 'retry') return false
    return before.event === run.event && before.process === run.process
  }

  #isExplained(kinds: readonly Fault['kind'][], fromMs: number, toMs: number): boolean {
    return this.#history.faults.some(({ kind, ...fault }) => {
      const feltUntilMs = fault.toMs + (kind === 'membership' ? 0 : leaseMs)
      return (
        (kind === 'stall' || kinds.includes(kind)) && fault.fromMs <= toMs && feltUntilMs >= fromMs
      )
    })
  }
}

const allFaults: readonly Fault['kind'][] = ['crash', 'membership', 'store', 'bus', 'wall-clock']

function endOf({ endMs }: Attempt): number {
  return endMs ?? Infinity
}

function pairs(runs: readonly Run[]): readonly (readonly [Run, Run])[] {
  return runs.flatMap((one, at) => runs.slice(at + 1).map((other) => [one, other] as const))
}

function told({ event, process, startMs, endMs, ending }: Run): string {
  return `${event} (process ${process}, ${startMs} to ${endMs}, ${ending ?? 'under way'})`
}
