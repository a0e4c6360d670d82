import { memoryStore } from '../../src/drivers/memory/store.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { describeStoreContract } from './store-contract.ts'

describeStoreContract('memory', () => {
  const clock = new FakeClock()
  const told = new RecordingStoreListener()
  const store = memoryStore({ clock, listener: told })
  const clients = [store]
  return Promise.resolve({
    store,
    told,
    second: () => {
      const client = store.beside()
      clients.push(client)
      return Promise.resolve(client)
    },
    passTime: (ms) => clock.advance(ms),
    isTimeFaked: true,
    wipe: () => Promise.resolve(store.wipe()),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  })
})
