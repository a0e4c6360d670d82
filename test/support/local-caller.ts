import { systemClock } from '../../src/drivers/system-clock.ts'
import { undiciCaller } from '../../src/drivers/undici/undici-caller.ts'
import type { HttpCaller } from '../../src/ports/http-caller.ts'

/** The real caller, which may reach servers of this machine: one connection, answers up to 1,000 bytes. */
export function localCaller(): HttpCaller {
  return undiciCaller({
    clock: systemClock,
    egress: 'internal',
    allowCidrs: ['127.0.0.1/32'],
    denyCidrs: [],
    connectionsPerOrigin: 1,
    maxResponseBytes: 1_000,
    userAgent: 'sluice-test',
  })
}
