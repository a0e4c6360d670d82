import { expect } from 'chai'
import { embeddedWorld, redisWorld } from '../model/real-worlds.ts'
import type { Tally } from '../model/run-model.ts'
import { runRealModel } from '../model/run-model.ts'
import type { World } from '../model/world.ts'
import { isServiceHere } from '../services/availability.ts'
import { sharedRedis } from '../services/redis.ts'

/*
 * The model of windows (test/model) on the stores that there are: engines on the memory bus, in real
 * time. The same schedules in every run; `STORE=redis npm run model` plays new ones.
 */

const schedules = 20
const seed = 20_261_125

describe('windows do what is allowed, in real time', () => {
  it('with the embedded store', async function () {
    this.timeout(120_000)
    expectMuch(await runRealModel(embeddedWorld, seed, schedules))
  })

  if (!isServiceHere('redis')) return

  it('with Redis', async function () {
    this.timeout(120_000)
    const redis = await sharedRedis()
    try {
      const openWorld = (): World => redisWorld(redis)
      expectMuch(await runRealModel(openWorld, seed, schedules))
    } finally {
      await redis.close()
    }
  })
})

/** A model that sees nothing happen proves nothing. */
function expectMuch(tally: Tally): void {
  expect(tally.schedules).to.equal(schedules)
  expect(tally.attempts).to.be.above(3 * schedules)
  expect(tally.skipped).to.be.above(schedules)
  expect(tally.faults).to.be.above(schedules)
}
