import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { temporaryFolder } from './embedded-fixture.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { describeStoreContract } from './store-contract.ts'

describeStoreContract('embedded', async () => {
  const path = temporaryFolder()
  const listeners: RecordingStoreListener[] = []
  const open = async () => {
    const listener = new RecordingStoreListener()
    listeners.push(listener)
    const shared = { path, clock: systemClock, logger: silentLogger, timeoutMs: 10_000 }
    return { store: await openEmbeddedStore({ ...shared, listener }), listener }
  }
  const { store, listener: told } = await open()
  const clients = [store]
  return {
    store,
    told,
    second: async () => {
      const { store: client } = await open()
      clients.push(client)
      return client
    },
    passTime: (ms) => systemClock.sleep(ms + 1), // a timer may fire within the millisecond before
    isTimeFaked: false,
    wipe: async () => {
      rmSync(join(path, 'store'), { recursive: true })
      await Promise.all(
        listeners.map((one) => one.until('an empty store', () => one.wiped > 0, 10_000)),
      )
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      rmSync(path, { recursive: true })
    },
  }
})
