import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Reach } from '../cli/program-deps.ts'
import type { Config } from '../config/config.ts'
import { logFileIn } from '../drivers/embedded/environment.ts'
import { systemClock } from '../drivers/system-clock.ts'
import { originProber } from '../drivers/undici/probe-origin.ts'
import { PortError } from '../ports/port-error.ts'
import { createLogger } from './logging.ts'
import { openBus } from './open-bus.ts'
import { targetOptionsOf } from './target-options.ts'

/** Looks at what a config names, with the drivers that `run` would pick. */
export function reachOf(config: Config): Reach {
  const { bus } = config
  return {
    async listTopics() {
      // Opening a log makes one, and a look must not.
      if (bus.kind === 'embedded' && !existsSync(logFileIn(bus.path))) {
        checkCanBeMade(bus.path)
        return null
      }
      const opened = await openBus(config, createLogger({ ...config.log, level: 'silent' }, false))
      try {
        return await opened.admin.listTopics()
      } finally {
        await opened.close()
      }
    },
    probe: originProber({ clock: systemClock, ...targetOptionsOf(config.http) }),
  }
}

/** Throws a PortError when the folder, or the nearest one above it that is there, takes no files. */
function checkCanBeMade(path: string): void {
  let folder = resolve(path)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const message = `the embedded log cannot be made in ${path}: ${folder} may not be written`
    throw new PortError('bus', 'denied', message, { cause: error })
  }
}
