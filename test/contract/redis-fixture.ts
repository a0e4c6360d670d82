import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisStoreOptions } from '../../src/drivers/redis/options.ts'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import type { StoreFixture } from './store-contract.ts'

/** Options of a store on this server; whatever is not said is as plain as can be. */
export function redisOptions(
  more: Pick<RedisStoreOptions, 'server'> & Partial<RedisStoreOptions>,
): RedisStoreOptions {
  return {
    username: null,
    password: null,
    tls: null,
    prefix: 'sluice-test',
    timeoutMs: 200,
    clock: systemClock,
    logger: silentLogger,
    listener: new RecordingStoreListener(),
    ...more,
  }
}

/** Machines are busy: what is not about the time-box is not to fail by it. */
const easyTimeoutMs = 10_000

/** The fixture of the contract on a server that others may use as well. */
export function redisFixture(
  more: Pick<RedisStoreOptions, 'server'> & Partial<RedisStoreOptions>,
  { wipe, close }: Pick<StoreFixture, 'wipe' | 'close'>,
): StoreFixture {
  const told = new RecordingStoreListener()
  const options = redisOptions({ timeoutMs: easyTimeoutMs, ...more })
  const store = openRedisStore({ ...options, listener: told })
  const clients: Store[] = [store]
  return {
    store,
    told,
    second: () => {
      const client = openRedisStore(options)
      clients.push(client)
      return Promise.resolve(client)
    },
    passTime: (ms) => sleep(ms).then(() => undefined),
    isTimeFaked: false,
    wipe,
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      await close()
    },
  }
}
