import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'

/** How often a failure that keeps coming is said again, with a count (operations.md, 4). */
export const summaryMs = 10_000

/** Sentences remembered at once; the set of sentences in the code is far smaller. */
const kindsMax = 1_000

interface Kind {
  saidMs: number
  /** How often it came since it was said last. */
  unsaid: number
  /** Says the last one of them. */
  say: (repeated: number) => void
}

/**
 * Says a failure once, then at most every ten seconds with how often it came in between, and what
 * came last. A target that is down must not write a line per event.
 */
export class RepeatedLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #byKind = new Map<string, Kind>()

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

  /** Says what has waited for ten seconds: the count must not wait for a failure that may never come. */
  tellWaiting(): void {
    const nowMs = this.#clock.monotonic()
    for (const kind of this.#byKind.values()) {
      if (kind.unsaid > 0 && nowMs - kind.saidMs >= summaryMs) tell(kind, nowMs)
    }
  }

  /** Says all that is left; for a stop. */
  tellAll(): void {
    const nowMs = this.#clock.monotonic()
    for (const kind of this.#byKind.values()) if (kind.unsaid > 0) tell(kind, nowMs)
  }

  #say(
    level: 'warn' | 'info',
    name: string,
    fields: Readonly<Record<string, unknown>>,
    sentence: string,
  ): void {
    const nowMs = this.#clock.monotonic()
    const say = (repeated: number): void => this.#logger[level]({ ...fields, repeated }, sentence)
    const known = this.#byKind.get(name)
    if (known !== undefined && nowMs - known.saidMs < summaryMs) {
      known.unsaid += 1
      known.say = say
      return
    }
    say(known?.unsaid ?? 0)
    if (this.#byKind.size >= kindsMax) {
      this.tellAll()
      this.#byKind.clear()
    }
    this.#byKind.set(name, { saidMs: nowMs, unsaid: 0, say })
  }
}

/** The last one of those that were not said, and how many came before it. */
function tell(kind: Kind, nowMs: number): void {
  kind.say(kind.unsaid - 1)
  kind.saidMs = nowMs
  kind.unsaid = 0
}
