import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** How often a failure that keeps coming is said again, with a count (operations.md, 4). */
const summaryMs = 10_000

/** Sentences remembered at once; the set of sentences in the code is far smaller. */
const kindsMax = 1_000

/**
 * Says a failure once, then at most every ten seconds with how often it came in between. A target
 * that is down must not write a line per event.
 */
export class RepeatedLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #byKind = new Map<string, { saidMs: number; unsaid: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** @param kind - what makes two failures the same: the sentence and, say, the rule */
  warn(kind: string, fields: Readonly<Record<string, unknown>>, sentence: string): void {
    this.#say('warn', kind, fields, sentence)
  }

  /** For a state that may come and go many times a second. */
  info(kind: string, fields: Readonly<Record<string, unknown>>, sentence: string): void {
    this.#say('info', kind, fields, sentence)
  }

  #say(
    level: 'warn' | 'info',
    kind: string,
    fields: Readonly<Record<string, unknown>>,
    sentence: string,
  ): void {
    const nowMs = this.#clock.monotonic()
    const known = this.#byKind.get(kind)
    if (known !== undefined && nowMs - known.saidMs < summaryMs) {
      known.unsaid += 1
      return
    }
    this.#logger[level]({ ...fields, repeated: known?.unsaid ?? 0 }, sentence)
    if (this.#byKind.size >= kindsMax) this.#byKind.clear()
    this.#byKind.set(kind, { saidMs: nowMs, unsaid: 0 })
  }
}
