import type { Config } from '../config/config.ts'
import { secretNamed } from '../config/config.ts'
import { openEmbeddedBus } from '../drivers/embedded/bus.ts'
import { openKafkaBus } from '../drivers/kafkajs/bus.ts'
import type { KafkaSasl } from '../drivers/kafkajs/options.ts'
import { systemClock } from '../drivers/system-clock.ts'
import type { Bus } from '../ports/bus.ts'
import type { Logger } from '../ports/logger.ts'

/**
 * Room of one record beside the value of the largest event: its key, its own headers, and those of a
 * dead letter. An event that was taken must fit on its retry.
 */
export const headroomBytes = 2 ** 20

/** The bus that the config names. An embedded log is opened at once, a cluster with the first call. */
export async function openBus(config: Config, logger: Logger): Promise<Bus> {
  const { bus, limits } = config
  switch (bus.kind) {
    case 'embedded':
      return openEmbeddedBus({
        path: bus.path,
        clock: systemClock,
        logger,
        recordBytesMax: limits.eventBytes + headroomBytes,
      })
    case 'kafka':
      return openKafkaBus({
        brokers: bus.kafka.brokers,
        clientId: bus.kafka.clientId,
        tls: bus.kafka.tls,
        sasl: saslOf(config),
        rack: bus.kafka.rack,
        clock: systemClock,
        logger,
      })
  }
}

function saslOf(config: Config): KafkaSasl | null {
  const { sasl } = config.bus.kafka
  if (sasl === null || sasl.mechanism === 'oauthbearer') return sasl
  return { ...sasl, password: secretNamed(config, sasl.password) }
}
