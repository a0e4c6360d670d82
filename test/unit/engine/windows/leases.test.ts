import { expect } from 'chai'
import { memoryStore } from '../../../../src/drivers/memory/store.ts'
import { leaseMs, Leases } from '../../../../src/engine/windows/leases.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const on = { rule: 'purge', key: 'a' }
const stamp = { version: null, source: 'edits/0', offset: 0n, timeMs: 0 }
const asked = { ...on, task: 'ours', against: 'lease', stamp } as const

function held() {
  const clock = new FakeClock()
  const store = memoryStore({ clock })
  const leases = new Leases(store, clock, 'here')
  leases.start()
  const other = store.beside()
  const isBusy = async (): Promise<boolean> => {
    const theirs = { ...asked, token: 'there', task: 'theirs', leaseMs }
    const answer = await other.claim(theirs)
    return answer.kind === 'busy'
  }
  return { clock, store, leases, isBusy }
}

describe('a lease', () => {
  it('is renewed for as long as its run lasts', async () => {
    const { clock, leases, isBusy } = held()
    await leases.claim({ ...asked, token: leases.newToken() }, () => {})
    await clock.advance(10 * leaseMs)
    expect(await isBusy()).to.equal(true)
  })

  it('runs out when its run is over and it was not given back', async () => {
    const { clock, leases, isBusy } = held()
    const token = leases.newToken()
    await leases.claim({ ...asked, token }, () => {})
    await clock.advance(5_000)
    leases.forget(token)
    await clock.advance(leaseMs - 2_001) // it was renewed last at 3 s
    expect(await isBusy()).to.equal(true)
    await clock.advance(1)
    expect(await isBusy()).to.equal(false)
  })

  it('outlasts a store that is away for two renewals', async () => {
    const { clock, store, leases, isBusy } = held()
    await leases.claim({ ...asked, token: leases.newToken() }, () => {})
    store.outage(true)
    await clock.advance(8_999)
    store.outage(false)
    await clock.advance(1)
    expect(await isBusy()).to.equal(true)
  })

  it('is taken once the store is back, by a run that went without it', async () => {
    const { clock, store, leases, isBusy } = held()
    store.outage(true)
    const answer = await leases.claim({ ...asked, token: leases.newToken() }, () => {})
    expect(answer.kind).to.equal('unknown')
    store.outage(false)
    await clock.advance(3_000)
    expect(await isBusy()).to.equal(true)
  })

  it('that another run has by now is told of, once', async () => {
    const { clock, store, leases, isBusy } = held()
    let lost = 0
    await leases.claim({ ...asked, token: leases.newToken() }, () => (lost += 1))
    store.outage(true)
    await clock.advance(leaseMs)
    expect(await isBusy()).to.equal(false) // theirs now
    store.outage(false)
    await clock.advance(9_000)
    expect(lost).to.equal(1)
  })

  it('is not renewed for a claim that was refused', async () => {
    const { clock, leases, isBusy } = held()
    await leases.claim({ ...asked, token: leases.newToken() }, () => {})
    const refused = await leases.claim({ ...asked, token: leases.newToken() }, () => {})
    expect(refused.kind).to.equal('busy')
    leases.stop()
    await clock.advance(leaseMs)
    expect(await isBusy()).to.equal(false)
  })
})

describe('a token', () => {
  it('is another one each time, and within what a store takes', () => {
    const leases = new Leases(
      memoryStore({ clock: new FakeClock() }),
      new FakeClock(),
      'x'.repeat(99),
    )
    const tokens = Array.from({ length: 1_000 }, () => leases.newToken())
    expect(new Set(tokens).size).to.equal(1_000)
    expect(Math.max(...tokens.map(({ length }) => length))).to.be.at.most(64)
  })
})
