import type { Clock } from '../../src/ports/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly fire: () => void
}

/**
 * A clock that moves only when the test says so. Timers fire in the order in which they fall due,
 * those of one moment in the order in which they were set, and after each one everything that is
 * ready runs before the next: woken code may sleep again and be woken within the same `advance`.
 */
export class FakeClock implements Clock {
  /** What `random` gives next; the last one is given for ever. */
  samples: number[] = [0.5]
  #nowMs: number
  #monotonicMs = 0
  readonly #timers = new Set<Timer>()

  /** Starts at `nowMs`, milliseconds since 1970; left out: 2026-01-01T00:00:00Z. */
  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  random(): number {
    const [sample = 0.5] = this.samples
    if (this.samples.length > 1) this.samples.shift()
    return sample
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const onAbort = () => {
        cancel()
        if (signal !== undefined) reject(reasonOf(signal))
      }
      const cancel = this.schedule(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, ms), fire: callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Sleeps and callbacks still waiting: a test that ends with one left behind has found a leak. */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets `ms` pass, and everything happen that falls due in it. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await settled()
    for (let next = this.#takeDue(untilMs); next !== null; next = this.#takeDue(untilMs)) {
      this.#moveTo(next.dueMs)
      next.fire()
      await settled()
    }
    this.#moveTo(untilMs)
  }

  /** Sets the wall time as an administrator would; no timer notices. */
  setWall(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }

  #takeDue(untilMs: number): Timer | null {
    let first: Timer | null = null
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (first === null || timer.dueMs < first.dueMs)) first = timer
    }
    if (first !== null) this.#timers.delete(first)
    return first
  }
}

/** Lets every callback and promise that is ready run, and what these make ready in turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
