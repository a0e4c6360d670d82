import type { Clock } from '../../ports/clock.ts'

interface Due {
  /** Milliseconds from the start. */
  readonly atMs: number
  readonly callback: () => void
}

/**
 * A clock that stands still until it is played: it then goes straight to what falls due next. Of two
 * at one moment the one that was planned first comes first. Chance is always 0.
 */
export class TrialClock implements Clock {
  readonly #startMs: number
  /** In the order in which they fall due. */
  readonly #due: Due[] = []
  #passedMs = 0

  /** @param startMs - milliseconds since 1970 */
  constructor(startMs: number) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#startMs + this.#passedMs
  }

  /** From the start. */
  monotonic(): number {
    return this.#passedMs
  }

  random(): number {
    return 0
  }

  /** Nothing is aborted in a trial, so no signal is listened to. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.schedule(ms, resolve))
  }

  /** @param ms - `Infinity`: never */
  schedule(ms: number, callback: () => void): () => void {
    const due = { atMs: this.#passedMs + Math.max(0, ms), callback }
    // From the end: most of what is planned while it plays comes behind what is there.
    this.#due.splice(this.#due.findLastIndex(({ atMs }) => atMs <= due.atMs) + 1, 0, due)
    return () => {
      const at = this.#due.indexOf(due)
      if (at !== -1) this.#due.splice(at, 1)
    }
  }

  /** Goes on to what falls due next, and does it. `false`: nothing ever will. */
  playNext(): boolean {
    const next = this.#due[0]
    if (next === undefined || next.atMs === Infinity) return false
    this.#due.shift()
    this.#passedMs = next.atMs
    next.callback()
    return true
  }
}
