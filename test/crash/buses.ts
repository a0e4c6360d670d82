import { join } from 'node:path'
import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { isServiceHere } from '../services/availability.ts'
import { sharedKafka } from '../services/kafka.ts'
import { silentLogger } from '../support/silent-logger.ts'

/** A bus for one test: a client of the test's own, and what a daemon is told in its config. */
export interface BusUnderTest {
  readonly bus: Bus
  /** A topic that no other test uses. */
  readonly topic: string
  /** The section `bus` of a config; the path is the daemon's own. */
  readonly config: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

export interface BusKind {
  readonly name: string
  open(folder: string): Promise<BusUnderTest>
}

const recordBytesMax = 8 * 2 ** 20
let opened = 0

const embedded: BusKind = {
  name: 'the embedded bus',
  async open(folder) {
    const path = join(folder, 'state')
    const parts = { path, clock: systemClock, logger: silentLogger, recordBytesMax }
    const bus = await openEmbeddedBus(parts)
    return { bus, topic: 'edits', config: { kind: 'embedded' }, close: () => bus.close() }
  },
}

const kafka: BusKind = {
  name: 'Kafka',
  async open() {
    const broker = await sharedKafka()
    const bus = openKafkaBus({
      brokers: broker.brokers,
      clientId: 'test',
      tls: null,
      sasl: null,
      rack: null,
      clock: systemClock,
      logger: silentLogger,
    })
    // Topics and groups of one test must not be another's: the broker is shared.
    const prefix = `crash-${process.pid}-${++opened}`
    return {
      bus,
      topic: `${prefix}.edits`,
      config: { kind: 'kafka', prefix, kafka: { brokers: broker.brokers } },
      async close() {
        await bus.close()
        await broker.close()
      },
    }
  },
}

/** The runner says in so many words which of them it could not provide. */
export const busesUnderTest: readonly BusKind[] = isServiceHere('kafka')
  ? [embedded, kafka]
  : [embedded]
