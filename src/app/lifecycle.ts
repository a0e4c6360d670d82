import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** A part did not start. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly part: string

  constructor(part: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`could not start ${part}: ${why}`, { cause })
    this.part = part
  }
}

/** The stop came while parts were still being started: the rest of them is not. */
export class StoppedWhileStarting extends Error {
  override readonly name = 'StoppedWhileStarting'
}

interface Running {
  readonly name: string
  readonly stop: (deadlineMs: number) => Promise<void>
}

/**
 * Starts parts one after the other and stops them in reverse, so that reading ends before what it
 * feeds. `stop` may come at any time, also while a part is starting, and any number of times: what
 * was started is stopped once, and nothing starts after it.
 */
export class Lifecycle {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #running: Running[] = []
  #opening: Promise<unknown> = Promise.resolve()
  #stopping: Promise<'clean' | 'unclean'> | null = null

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#log = log
  }

  /**
   * Starts a part. Rejects with `StartError` when it fails, and with `StoppedWhileStarting` once
   * `stop` was called; the caller then stops what had been started.
   *
   * @param name - stands in the message when the part fails to start or to stop
   * @param stop - should end within its deadline; if it does not, the part is left behind
   */
  open<Opened>(
    name: string,
    start: () => Promise<Opened>,
    stop: (opened: Opened, deadlineMs: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<Opened> {
    const opened = this.#opening.then(async () => {
      if (this.#isStopping()) throw new StoppedWhileStarting()
      const part = await start().catch((error: unknown) => {
        // What it was started upon may have been stopped under it: that is no fault of its own.
        throw this.#isStopping() ? new StoppedWhileStarting() : new StartError(name, error)
      })
      this.#running.push({ name, stop: (deadlineMs) => stop(part, deadlineMs) })
      return part
    })
    this.#opening = opened.catch(() => {}) // told to the caller
    return opened
  }

  #isStopping(): boolean {
    return this.#stopping !== null
  }

  /** Never rejects and always ends in time: a part that hangs is named, left behind, passed by. */
  stop(withinMs: number): Promise<'clean' | 'unclean'> {
    this.#stopping ??= this.#stopAll(withinMs)
    return this.#stopping
  }

  async #stopAll(withinMs: number): Promise<'clean' | 'unclean'> {
    const endMs = this.#clock.monotonic() + withinMs
    const leftMs = (): number => Math.max(0, endMs - this.#clock.monotonic())
    await this.#atMost(leftMs(), this.#opening)
    let result: 'clean' | 'unclean' = 'clean'
    for (let part = this.#running.pop(); part !== undefined; part = this.#running.pop()) {
      try {
        const isInTime = await this.#atMost(leftMs(), part.stop(leftMs()))
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
  async #atMost(ms: number, work: Promise<unknown>): Promise<boolean> {
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
