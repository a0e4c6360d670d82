import type { Clock } from '../../ports/clock.ts'

/** A clock that stands still until it is moved; who sleeps on it moves it. Chance is always 0. */
export class TrialClock implements Clock {
  readonly #startMs: number
  #passedMs = 0

  /** @param startMs - milliseconds since 1970 */
  constructor(startMs: number) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#startMs + this.#passedMs
  }

  monotonic(): number {
    return this.#passedMs
  }

  random(): number {
    return 0
  }

  sleep(ms: number): Promise<void> {
    this.pass(ms)
    return Promise.resolve()
  }

  /** Nothing in a trial waits beside the one thing that runs, so the callback never falls due. */
  schedule(): () => void {
    return () => {}
  }

  pass(ms: number): void {
    this.#passedMs += Math.max(0, ms)
  }

  /** Moves on to a moment, in milliseconds from the start; one that is over stays over. */
  passTo(atMs: number): void {
    this.pass(atMs - this.#passedMs)
  }
}
