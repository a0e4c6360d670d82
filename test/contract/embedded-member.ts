import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { quietLogger } from './embedded-fixture.ts'
import { runMember } from './member-process.ts'

/** A member on the embedded log in the folder argv[3]; see member-process.ts. */
await runMember(() =>
  openEmbeddedBus({
    path: process.argv[3] ?? '',
    clock: systemClock,
    logger: quietLogger,
    recordBytesMax: 2 ** 20,
  }),
)
