import { startKafka } from './kafka.ts'

// A broker until this process ends: `npx tsx test/services/start-kafka.ts`. Tells its address.
const kafka = await startKafka()
const address = kafka.brokers.join()
if (process.send === undefined) console.log(address)
else process.send(address)
process.once('SIGINT', () => void kafka.close())
