import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import { kafkaOptions } from './kafkajs-client.ts'
import { runMember } from './member-process.ts'

// Started by `spawnMember` with the address of the broker behind the options.
await runMember(() => Promise.resolve(openKafkaBus(kafkaOptions([process.argv[3] ?? '']))))
