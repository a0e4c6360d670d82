import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { systemClock } from '../../../src/drivers/system-clock.ts'

describe('the system clock', () => {
  it('tells wall time, a monotonic time and chance in their ranges', () => {
    expect(systemClock.now()).to.be.closeTo(Date.now(), 1_000)
    expect(systemClock.monotonic()).to.be.at.most(systemClock.monotonic())
    expect(systemClock.random()).to.be.within(0, 1)
  })

  it('sleeps at least about as long as asked', async () => {
    const startMs = systemClock.monotonic()
    await systemClock.sleep(20)
    expect(systemClock.monotonic() - startMs).to.be.at.least(18) // Node timers count whole milliseconds
  })

  for (const when of ['before', 'during'] as const) {
    it(`rejects a sleep with the reason of a signal that aborts ${when} it`, async () => {
      const controller = new AbortController()
      const reason = new Error('stopping')
      if (when === 'before') controller.abort(reason)
      const sleep = systemClock.sleep(60_000, controller.signal)
      controller.abort(reason)
      const [outcome] = await Promise.allSettled([sleep])
      expect(outcome).to.deep.equal({ status: 'rejected', reason })
    })
  }

  it('leaves no listener on a signal that outlives the sleep', async () => {
    const { signal } = new AbortController()
    await Promise.all([systemClock.sleep(1, signal), systemClock.sleep(2, signal)])
    expect(getEventListeners(signal, 'abort')).to.have.length(0)
  })

  it('does not run a callback that was cancelled', async () => {
    let ran = false
    systemClock.schedule(5, () => (ran = true))()
    await systemClock.sleep(10)
    expect(ran).to.equal(false)
  })

  it('waits longer than one Node timer can, instead of firing at once', async () => {
    let ran = false
    const cancel = systemClock.schedule(2 ** 31 + 1_000, () => (ran = true))
    await systemClock.sleep(10)
    cancel()
    expect(ran).to.equal(false)
  })
})
