import { destination, pino } from 'pino'
import type { Logger as Pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Logger } from '../ports/logger.ts'

export interface LogSettings {
  readonly level: string
  readonly format: 'json' | 'pretty'
}

/**
 * The log of the process, on stderr: stdout belongs to what a command prints. Lines are written at
 * once, since the line before a crash is the one that is wanted.
 */
export function createLogger({ level, format }: LogSettings, isTerminal: boolean): Logger {
  const options = { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  const stderr = 2
  const log =
    format === 'json'
      ? pino(options, destination({ fd: stderr, sync: true }))
      : pino(
          options,
          PinoPretty({
            destination: stderr,
            sync: true,
            colorize: isTerminal && process.env['NO_COLOR'] === undefined,
            translateTime: 'SYS:HH:MM:ss.l',
          }),
        )
  return wrap(log)
}

function wrap(log: Pino): Logger {
  return {
    debug: (fields, sentence) => log.debug(fields, sentence),
    info: (fields, sentence) => log.info(fields, sentence),
    warn: (fields, sentence) => log.warn(fields, sentence),
    error: (fields, sentence) => log.error(fields, sentence),
    isDebug: log.isLevelEnabled('debug'),
  }
}
