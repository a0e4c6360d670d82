import type { Clock } from '../../ports/clock.ts'

/** A call that is under way. `place` belongs to `RunningCalls`. */
export interface Running {
  /** On the clock's monotonic time. */
  readonly dueMs: number
  readonly signal: AbortSignal
  place: number
  onDeadline(): void
  onAbort(): void
}

/** How late a deadline may be noticed, on a free event loop. */
const tickMs = 10

/**
 * All calls under way, with their deadlines and signals.
 *
 * A timer and a listener per call would cost more than the rest of our part of a call. So one timer,
 * running only while there are calls, looks at all of them every 10 ms: a comparison each, some
 * 0.1 % of a core with a thousand calls in flight. A wheel of sets would look at fewer, but its
 * tables cost more in garbage collection than that (measured: 5 us a call). And one listener per
 * signal ends whatever hangs on it: one signal often stands behind every call of a rule.
 */
export class RunningCalls {
  readonly #clock: Clock
  /** In no order: the last one takes the place of one that leaves. */
  readonly #calls: Running[] = []
  readonly #signals = new WeakSet<AbortSignal>()
  #cancelTick: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#calls.length
  }

  /** The call's signal must not be aborted yet. */
  add(call: Running): void {
    call.place = this.#calls.push(call) - 1
    if (this.#cancelTick === null) this.#armTick()
    const { signal } = call
    if (this.#signals.has(signal)) return
    this.#signals.add(signal)
    const onAbort = () => {
      for (const one of this.#calls.filter((call) => call.signal === signal)) one.onAbort()
    }
    signal.addEventListener('abort', onAbort, { once: true })
  }

  delete(call: Running): void {
    const last = this.#calls.pop()
    if (last === undefined || last === call) return
    this.#calls[call.place] = last
    last.place = call.place
  }

  /** Ends all as if their signals were given. */
  close(): void {
    this.#cancelTick?.()
    this.#cancelTick = null
    for (const call of [...this.#calls]) call.onAbort()
  }

  #armTick(): void {
    this.#cancelTick = this.#clock.schedule(tickMs, () => {
      // After a stall of the event loop timers run before sockets are read: an answer that came in
      // time may still lie there. Looked at after the sockets, only what is late is told so.
      setImmediate(() => {
        if (this.#cancelTick === null) return
        this.#endLate()
        if (this.#calls.length > 0) this.#armTick()
        else this.#cancelTick = null
      })
    })
  }

  #endLate(): void {
    const nowMs = this.#clock.monotonic()
    let late: Running[] | null = null // made only when needed: most ticks find none
    for (const call of this.#calls) {
      if (call.dueMs <= nowMs) (late ??= []).push(call)
    }
    late?.forEach((call) => call.onDeadline())
  }
}
