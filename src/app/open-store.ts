import type { Config } from '../config/config.ts'
import { secretNamed } from '../config/config.ts'
import { openEmbeddedStore } from '../drivers/embedded/store.ts'
import type { RedisServer } from '../drivers/redis/options.ts'
import { openRedisStore } from '../drivers/redis/store.ts'
import { systemClock } from '../drivers/system-clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Store, StoreListener } from '../ports/store.ts'

/**
 * The store that the config names. An embedded one rejects with a `PortError` when its file is no
 * good; Redis is opened whether it is there or not.
 */
export async function openStore(
  config: Config,
  logger: Logger,
  listener: StoreListener,
): Promise<Store> {
  const { store, bus } = config
  const common = { clock: systemClock, logger, listener, timeoutMs: store.timeoutMs }
  switch (store.kind) {
    case 'embedded':
      return openEmbeddedStore({ ...common, path: bus.path })
    case 'redis': {
      const { username, password, tls, prefix } = store.redis
      return openRedisStore({
        ...common,
        server: serverOf(config, store.redis.server),
        username,
        password: password === null ? null : secretNamed(config, password),
        tls,
        prefix,
      })
    }
  }
}

type Redis = Extract<Config['store'], { readonly kind: 'redis' }>['redis']

function serverOf(config: Config, server: Redis['server']): RedisServer {
  if (server.kind !== 'sentinel') return server
  const { password, ...rest } = server
  return { ...rest, sentinelPassword: password === null ? null : secretNamed(config, password) }
}
