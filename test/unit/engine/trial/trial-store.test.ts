import { expect } from 'chai'
import { trialStore } from '../../../../src/engine/trial/trial-store.ts'
import type { ClaimRequest } from '../../../../src/model/store-calls.ts'

describe('the store of a trial', () => {
  const stamp = { version: null, source: 'edits/0', offset: 0n, timeMs: 0 }
  const key = { rule: 'purge', key: 'a', token: 't' }
  const claim: ClaimRequest = { ...key, task: 'one', leaseMs: 10_000, against: 'order', stamp }
  const other: ClaimRequest = { ...claim, token: 'u', task: 'two' }

  it('answers as the entry of the key says, by the clock of the trial', async () => {
    let nowMs = 0
    const store = trialStore({ monotonic: () => nowMs })
    expect(await store.claim(claim)).to.deep.equal({ kind: 'new' })
    nowMs = 4_000
    expect(await store.claim(other)).to.deep.equal({ kind: 'busy', leftMs: 6_000 })
    expect(await store.renew({ ...key, leaseMs: 10_000 })).to.equal('held')
    const mark = { ...key, task: 'one', stamp, windowMs: 1_000, keepMs: 2_000 }
    expect(await store.complete(mark)).to.equal('done')
    expect(await store.claim(other)).to.deep.equal({ kind: 'done', leftMs: 1_000, isCovered: true })
    nowMs = 5_000
    expect(await store.claim(other)).to.deep.equal({ kind: 'superseded' })
    nowMs = 6_000
    expect(await store.claim(other)).to.deep.equal({ kind: 'new' })
    expect(await store.release({ ...key, token: 'u', keepMs: 0 })).to.equal('done')
    expect(await store.claim(claim)).to.deep.equal({ kind: 'new' })
  })

  it('keeps keys apart, and remembers what waits', async () => {
    const store = trialStore({ monotonic: () => 0 })
    const newer = { ...stamp, offset: 7n }
    await store.noteWaiting({ ...key, task: 'newer', stamp: newer, keepMs: 1_000 })
    expect(await store.claim(claim)).to.deep.equal({ kind: 'superseded' })
    expect(await store.claim({ ...claim, key: 'b' })).to.deep.equal({ kind: 'new' })
  })

  it('is never away', async () => {
    const store = trialStore({ monotonic: () => 0 })
    expect(store.state).to.deep.equal({ kind: 'ok' })
    await store.close()
  })
})
