import { expect } from 'chai'
import type { MemoryStore } from '../../../../src/drivers/memory/store.ts'
import { memoryStore } from '../../../../src/drivers/memory/store.ts'
import type { ClaimRequest } from '../../../../src/model/store-calls.ts'
import { RecordingStoreListener } from '../../../contract/recording-store-listener.ts'
import { stampAt } from '../../../contract/store-contract.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function requestOf(key: string, token = 'token', leaseMs = 1_000): ClaimRequest {
  return { rule: 'r', key, token, task: 't', leaseMs, against: 'lease', stamp: stampAt(1) }
}

describe('The store in memory', () => {
  let clock: FakeClock
  let told: RecordingStoreListener
  let store: MemoryStore

  beforeEach(() => {
    clock = new FakeClock()
    told = new RecordingStoreListener()
    store = memoryStore({ clock, listener: told })
  })
  afterEach(async () => {
    await store.close()
    expect(clock.pending, 'timers left behind').to.equal(0)
  })

  it('answers all with unknown in an outage, says so once, and heals', async () => {
    store.outage(true)
    store.outage(true)
    const request = { ...requestOf('k'), windowMs: 0, keepMs: 0 }
    expect(await store.claim(request)).to.deep.equal({ kind: 'unknown' })
    expect(await store.renew(request)).to.equal('unknown')
    expect(await store.complete(request)).to.equal('unknown')
    expect(await store.release(request)).to.equal('unknown')
    expect(await store.noteWaiting(request)).to.equal('unknown')
    expect(store.state).to.deep.include({ kind: 'degraded', trouble: 'unreachable' })
    store.outage(false)
    expect(told.states.map(({ kind }) => kind)).to.deep.equal(['degraded', 'ok'])
    expect(await store.claim(requestOf('k', 'another'))).to.deep.equal({ kind: 'new' })
  })

  it('may have done what it answers with unknown', async () => {
    store.outage(true, { isApplied: true })
    expect(await store.claim(requestOf('k'))).to.deep.equal({ kind: 'unknown' })
    store.outage(false)
    expect((await store.claim(requestOf('k', 'another'))).kind).to.equal('busy')
  })

  it('is away for one client and not for the other', async () => {
    const other = store.beside()
    store.outage(true)
    expect((await store.claim(requestOf('k'))).kind).to.equal('unknown')
    expect((await other.claim(requestOf('k'))).kind).to.equal('new')
    expect(other.state.kind).to.equal('ok')
  })

  it('answers late when it is told to', async () => {
    store.delay(50)
    let answered = ''
    void store.claim(requestOf('k')).then(({ kind }) => (answered = kind))
    await clock.advance(49)
    expect(answered).to.equal('')
    await clock.advance(1)
    expect(answered).to.equal('new')
    expect(told.roundTrips).to.deep.equal([{ tookMs: 50, calls: 1 }])
  })

  it('cuts off what is under way when it is closed', async () => {
    store.delay(50)
    const asked = store.claim(requestOf('k'))
    await store.close()
    expect(await asked).to.deep.equal({ kind: 'unknown' })
  })

  it('forgets all when it is wiped, for every client', async () => {
    const other = store.beside()
    await store.claim(requestOf('k'))
    other.wipe()
    expect((await store.claim(requestOf('k', 'another'))).kind).to.equal('new')
    store.wipe()
    expect(told.wiped).to.equal(1)
  })

  it('keeps its windows when the clock of the machine is set', async () => {
    await store.claim(requestOf('k'))
    clock.setWall(0)
    expect(await store.claim(requestOf('k', 'another'))).to.deep.equal({
      kind: 'busy',
      leftMs: 1_000,
    })
  })

  it('holds few entries that ran out, however many keys come by', async () => {
    for (let i = 0; i < 20_000; i++) {
      await store.claim(requestOf(`${i}`))
      if (i % 2 === 0) await clock.advance(1)
    }
    // 2,000 live ones at any time, and half as many again where sweeping lags behind.
    expect(store.size).to.be.within(2_000, 3_000)
  })

  it('finds programming mistakes at once', () => {
    expect(() => store.claim(requestOf('k', 'token', 0))).to.throw('a lease lasts a while')
    expect(() => store.renew(requestOf('k', 'token', -1))).to.throw('a lease lasts a while')
  })
})
