import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** Something that runs for as long as the daemon does. */
export interface Part {
  /** For people: it stands in the message when the part fails to start or to stop. */
  readonly name: string
  start(): Promise<void>
  /** Should end within `deadlineMs`; if it does not, it is left behind. */
  stop(deadlineMs: number): Promise<void>
}

/** A part did not start; those before it have been stopped again. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly part: string

  constructor(part: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`could not start ${part}: ${why}`, { cause })
    this.part = part
  }
}

/**
 * Starts parts in order and stops them in reverse, so that reading ends before what it feeds.
 * `stop` may come at any time, also while `start` is under way, and any number of times: what was
 * started is stopped once, and nothing starts after it.
 */
export class Lifecycle {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #running: Part[] = []
  #starting: Promise<void> | null = null
  #stopping: Promise<'clean' | 'unclean'> | null = null

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /**
   * Rejects with `StartError` when a part fails; by then those before it are stopped, within
   * `withinMs`. Resolves early, without the rest started, when `stop` comes in between.
   */
  start(parts: readonly Part[], withinMs: number): Promise<void> {
    this.#starting ??= this.#startAll(parts, withinMs)
    return this.#starting
  }

  async #startAll(parts: readonly Part[], withinMs: number): Promise<void> {
    for (const part of parts) {
      if (this.#stopping !== null) return
      try {
        await part.start()
      } catch (error) {
        await this.#stopAll(withinMs)
        throw new StartError(part.name, error)
      }
      this.#running.push(part)
    }
  }

  /** Never rejects and always ends in time: a part that hangs is named, left behind, passed by. */
  stop(withinMs: number): Promise<'clean' | 'unclean'> {
    this.#stopping ??= this.#stopAfterStart(withinMs)
    return this.#stopping
  }

  async #stopAfterStart(withinMs: number): Promise<'clean' | 'unclean'> {
    const endMs = this.#clock.monotonic() + withinMs
    // A start that is under way ends by itself or not; either way its failure is told by `start`.
    const started = this.#starting?.catch(() => {}) ?? Promise.resolve()
    await this.#atMost(withinMs, started)
    return this.#stopAll(Math.max(0, endMs - this.#clock.monotonic()))
  }

  async #stopAll(withinMs: number): Promise<'clean' | 'unclean'> {
    const endMs = this.#clock.monotonic() + withinMs
    let result: 'clean' | 'unclean' = 'clean'
    for (let part = this.#running.pop(); part !== undefined; part = this.#running.pop()) {
      const leftMs = Math.max(0, endMs - this.#clock.monotonic())
      try {
        const isInTime = await this.#atMost(leftMs, part.stop(leftMs))
        if (isInTime) continue
        this.#log.error({ part: part.name }, 'part did not stop in time and is left behind')
      } catch (error) {
        this.#log.error({ part: part.name, err: error }, 'part failed to stop')
      }
      result = 'unclean'
    }
    return result
  }

  /** Whether `work` was done within `ms`; rejects as it does. */
  async #atMost(ms: number, work: Promise<void>): Promise<boolean> {
    const timer = new AbortController()
    const late = this.#clock.sleep(ms, timer.signal).then(
      () => false,
      () => false, // aborted below, when the work was done first
    )
    try {
      return await Promise.race([work.then(() => true), late])
    } finally {
      timer.abort()
    }
  }
}
