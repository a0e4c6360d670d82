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

  /**
   * @param isGivenUp - asked before each try: the event went to another owner, who carries it out
   * @param signal - ends the waiting when the process can wait no longer
   * @returns whether the record is durable
   */
  async produce(
    record: NewRecord,
    isGivenUp: () => boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      if (isGivenUp()) return false
      try {
        await this.#bus.produce([record])
        return true
      } catch (error) {
        // Even where the bus will never take the record as it is (too large, no such topic), giving
        // up would lose it. An operator can raise the bound or make the topic; the log says so.
        const code = error instanceof PortError ? error.code : 'unreachable'
        this.#log.warn(
          `produce ${record.topic} ${code}`,
          { topic: record.topic, code, err: error },
          'the bus does not take a record; the task waits for it',
        )
      }
      if (isGivenUp() || signal.aborted) return false
      try {
        await this.#clock.sleep(produceWaitMs(tries, this.#clock.random()), signal)
      } catch {
        return false // the signal: the only thing that a sleep rejects with
      }
    }
  }
}
