import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Reach } from '../cli/program-deps.ts'
import type { Config } from '../config/config.ts'
import { logFileIn } from '../drivers/embedded/environment.ts'
import { systemClock } from '../drivers/system-clock.ts'
import { originProber } from '../drivers/undici/probe-origin.ts'
import { PortError } from '../ports/port-error.ts'
import type { StoreListener } from '../ports/store.ts'
import { askStore } from './ask-store.ts'
import { createLogger } from './logging.ts'
import { openBus } from './open-bus.ts'
import { openStore } from './open-store.ts'
import { targetOptionsOf } from './target-options.ts'

/** Looks at what a config names, with the drivers that `run` would pick. */
export function reachOf(config: Config): Reach {
  const { bus, store } = config
  const logger = createLogger({ ...config.log, level: 'silent' }, false)
  return {
    async listTopics() {
      // Opening a log makes one, and a look must not.
      if (bus.kind === 'embedded' && !existsSync(logFileIn(bus.path))) {
        checkCanBeMade('bus', bus.path)
        return null
      }
      const opened = await openBus(config, logger)
      try {
        return await opened.admin.listTopics()
      } finally {
        await opened.close()
      }
    },
    async askStore() {
      if (store.kind === 'embedded') {
        // Opening one makes one, and makes way for itself where a file is damaged.
        checkCanBeMade('store', bus.path)
        return { kind: 'ok' }
      }
      const opened = await openStore(config, logger, deafListener)
      try {
        return await askStore(opened, systemClock, askMsMax)
      } finally {
        await opened.close()
      }
    },
    probe: originProber({ clock: systemClock, ...targetOptionsOf(config.http) }),
  }
}

/** Through a sentinel it takes up to a second; `check --online` waits for five in all. */
const askMsMax = 3_000

/** What a look has to tell it tells by its answer. */
const deafListener: StoreListener = { onState() {}, onWiped() {}, onRoundTrip() {} }

/** Throws a PortError when the folder, or the nearest one above it that is there, takes no files. */
function checkCanBeMade(port: 'bus' | 'store', path: string): void {
  let folder = resolve(path)
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const what = port === 'bus' ? 'log' : 'store'
    const message = `the embedded ${what} cannot be made in ${path}: ${folder} may not be written`
    throw new PortError(port, 'denied', message, { cause: error })
  }
}
