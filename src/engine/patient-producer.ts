import type { NewRecord } from '../model/record.ts'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/port-error.ts'
import type { RepeatedLog } from './repeated-log.ts'

const waitMsMin = 100
const waitMsMax = 5_000

/** Back-off between tries on a bus that is away; `tries` is 1 after the first failure. */
export function produceWaitMs(tries: number, sample: number): number {
  const ceiling = Math.min(waitMsMax, waitMsMin * 2 ** Math.min(tries, 10))
  return Math.round(waitMsMin + sample * (ceiling - waitMsMin))
}

/** How a produce ended. `too-large`: the bus will never take the record as it is. */
export type Produced = 'stored' | 'given-up' | 'too-large'

export interface ProduceOptions {
  /** Asked before each try: the event went to another owner, who carries it out. */
  readonly isGivenUp: () => boolean
  /** Ends the waiting when the process can wait no longer. */
  readonly signal: AbortSignal
  /** What to do with a record that is too large: `tell` where there is a smaller one to fall back on. */
  readonly tooLarge: 'wait' | 'tell'
}

/**
 * Puts a record on the bus however long that takes. A retry or a dead letter that cannot be stored
 * keeps its event unsettled and its slot taken: the rule waits, and nothing is lost.
 */
export class PatientProducer {
  readonly #bus: Pick<Bus, 'produce'>
  readonly #clock: Clock
  readonly #log: RepeatedLog

  constructor(bus: Pick<Bus, 'produce'>, clock: Clock, log: RepeatedLog) {
    this.#bus = bus
    this.#clock = clock
    this.#log = log
  }

  /** Resolves with `stored` once the record is durable. */
  async produce(
    record: NewRecord,
    { isGivenUp, signal, tooLarge }: ProduceOptions,
  ): Promise<Produced> {
    for (let tries = 1; ; tries++) {
      if (isGivenUp()) return 'given-up'
      try {
        await this.#bus.produce([record])
        return 'stored'
      } catch (error) {
        if (tooLarge === 'tell' && error instanceof PortError && error.code === 'too-large') {
          return 'too-large'
        }
        // Even where the bus will never take the record as it is (too large, no such topic), giving
        // up would lose it. An operator can raise the bound or make the topic; the log says so.
        const code = error instanceof PortError ? error.code : 'unreachable'
        this.#log.warn(
          `produce ${record.topic} ${code}`,
          { topic: record.topic, code, err: error },
          'the bus does not take a record; the task waits for it',
        )
      }
      if (isGivenUp() || signal.aborted) return 'given-up'
      try {
        await this.#clock.sleep(produceWaitMs(tries, this.#clock.random()), signal)
      } catch {
        return 'given-up' // the signal: the only thing that a sleep rejects with
      }
    }
  }
}
