import { expect } from 'chai'
import { breather } from '../../../src/app/breathe.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('breathing', () => {
  /** Whether what waits in the loop has had its turn by the time that `breathe` is back. */
  async function othersWent(breathe: () => Promise<void>): Promise<boolean> {
    let went = false
    setImmediate(() => (went = true))
    await breathe()
    return went
  }

  it('lets others go once a slice of time is used up, and not before', async () => {
    const clock = new FakeClock()
    const breathe = breather(clock)
    expect(await othersWent(breathe)).to.equal(false)
    await clock.advance(7)
    expect(await othersWent(breathe)).to.equal(false)
    await clock.advance(1)
    expect(await othersWent(breathe)).to.equal(true)
    expect(await othersWent(breathe)).to.equal(false)
    await clock.advance(8)
    expect(await othersWent(breathe)).to.equal(true)
  })
})
