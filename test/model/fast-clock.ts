import { systemClock } from '../../src/drivers/system-clock.ts'
import type { WorldClock } from './world.ts'

/**
 * So many seconds of an engine go by in one second. A window of 5 s lasts 250 ms then, a lease of 10 s
 * half a second: longer than a machine that others use, too, holds a process up.
 */
export const speed = 20

/** Real time, only faster. */
export class FastClock implements WorldClock {
  readonly #fromMs = systemClock.monotonic()
  #wallMs = systemClock.now()
  readonly #pending = new Set<() => void>()
  #isOver = false

  now(): number {
    return Math.floor(this.#wallMs + this.monotonic())
  }

  /** Since it was made. */
  monotonic(): number {
    return (systemClock.monotonic() - this.#fromMs) * speed
  }

  random(): number {
    return systemClock.random()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms / speed, signal)
  }

  schedule(ms: number, callback: () => void): () => void {
    if (this.#isOver) return () => {}
    const cancel = systemClock.schedule(ms / speed, () => {
      this.#pending.delete(cancel)
      callback()
    })
    this.#pending.add(cancel)
    return () => {
      this.#pending.delete(cancel)
      cancel()
    }
  }

  /** Nothing falls due any more: a house that crashed would go on for ever with what it does regularly. */
  end(): void {
    this.#isOver = true
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
  }

  advance(ms: number): Promise<void> {
    return this.sleep(ms)
  }

  setWall(nowMs: number): void {
    this.#wallMs = nowMs - this.monotonic()
  }
}
