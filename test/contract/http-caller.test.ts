import { undiciCaller } from '../../src/drivers/undici/undici-caller.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { httpCallerContract } from './http-caller-contract.ts'

httpCallerContract('undici', () =>
  undiciCaller({
    clock: systemClock,
    egress: 'internal',
    allowCidrs: ['127.0.0.0/8'],
    denyCidrs: [],
    connectionsPerOrigin: 4,
    maxResponseBytes: 1_000,
    userAgent: 'contract',
  }),
)
