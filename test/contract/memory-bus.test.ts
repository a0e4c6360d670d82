import { MemoryBroker } from '../../src/drivers/memory/broker.ts'
import { MemoryBus } from '../../src/drivers/memory/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { busContract, driverHasNo } from './bus-contract.ts'

driverHasNo('memory', 'spawnMember', 'nothing of it is shared between processes')
driverHasNo('memory', 'compressions', 'it stores records as they are')
driverHasNo('memory', 'stopBroker', 'there is no process behind it')
busContract('memory', () => {
  const broker = new MemoryBroker(systemClock)
  const buses = [new MemoryBus(broker)]
  let names = 0
  return Promise.resolve({
    bus: buses[0] as MemoryBus, // as: made in the line above
    second: () => {
      const bus = new MemoryBus(broker)
      buses.push(bus)
      return Promise.resolve(bus)
    },
    uniqueName: (prefix) => `${prefix}-${++names}`,
    close: async () => void (await Promise.all(buses.map((bus) => bus.close()))),
    patienceMs: 5_000,
    recordBytesMax: broker.recordBytesMax,
    nullHeaderValues: true,
    holes: async (topic) => {
      const bus = buses[0] as MemoryBus // as: made above
      const spec = { name: topic, partitions: 1, replication: 1 }
      const rest = { retentionMs: null, retentionBytes: null, compacted: true }
      await bus.admin.ensureTopics([{ ...spec, ...rest }])
      const value = Buffer.from('1')
      await bus.produce(
        Array.from({ length: 10 }, () => ({ topic, key: null, value, headers: [] })),
      )
      broker.makeHoles(topic, ({ offset }) => offset % 3n === 0n)
      return broker.log(topic, 0).records.map(({ offset }) => offset)
    },
    trim: (topic, offset) => Promise.resolve(broker.trim(topic, 0, offset)),
  })
})
