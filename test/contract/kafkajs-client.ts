import type { KafkaBusOptions } from '../../src/drivers/kafkajs/options.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Logger } from '../../src/ports/logger.ts'

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly sentence: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps its lines, so that a test can ask what an operator would have read. */
export function recordingLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: LogLine['fields'], sentence: string) =>
    void lines.push({ level, sentence, fields })
  return {
    lines,
    isDebug: false,
    debug: () => undefined,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

/** Options of a client of a plain broker on loopback; heartbeats are quick, so are rebalances. */
export function kafkaOptions(
  brokers: readonly string[],
  more: Partial<KafkaBusOptions> = {},
): KafkaBusOptions {
  return {
    brokers,
    clientId: 'sluice-test',
    tls: null,
    sasl: null,
    rack: null,
    clock: systemClock,
    logger: recordingLogger(),
    ...more,
    timing: { heartbeat: 300, session: 6_000, ...more.timing },
  }
}
