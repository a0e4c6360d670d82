import type { Logger } from '../../src/ports/logger.ts'

const drop = (): void => {}

export const silentLogger: Logger = {
  debug: drop,
  info: drop,
  warn: drop,
  error: drop,
  isDebug: false,
}
