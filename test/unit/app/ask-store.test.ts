import { expect } from 'chai'
import { askStore } from '../../../src/app/ask-store.ts'
import { memoryStore } from '../../../src/drivers/memory/store.ts'
import type { Store, StoreState, StoreTrouble } from '../../../src/ports/store.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('asking a store how it stands', () => {
  let clock: FakeClock
  beforeEach(() => void (clock = new FakeClock()))

  /** As the store answers it, and how long that took. */
  async function asked(store: Store): Promise<{ state: StoreState; tookMs: number }> {
    let tookMs = 0
    let isDone = false
    const asking = askStore(store, clock, 3_000).then((state) => {
      tookMs = clock.monotonic()
      isDone = true
      return state
    })
    await new Promise(setImmediate) // the first answer needs no time
    while (!isDone) await clock.advance(100)
    return { state: await asking, tookMs }
  }

  it('leaves nothing in a store that is well', async () => {
    const store = memoryStore({ clock })
    expect(await asked(store)).to.deep.equal({ state: { kind: 'ok' }, tookMs: 0 })
    expect(store.size).to.equal(0)
  })

  it('waits a while for one that is not yet there', async () => {
    const store = memoryStore({ clock })
    store.outage(true)
    clock.schedule(1_050, () => store.outage(false))
    expect(await asked(store)).to.deep.equal({ state: { kind: 'ok' }, tookMs: 1_100 })
  })

  /** A store that never answers, for this reason. */
  const silent = (state: StoreState): Store => {
    const store = memoryStore({ clock })
    store.outage(true)
    return { ...store, release: (request) => store.release(request), state }
  }

  const troubles: Readonly<Record<StoreTrouble, 'waits' | 'gives up at once'>> = {
    unreachable: 'waits',
    slow: 'waits',
    'failing-over': 'waits',
    'read-only': 'gives up at once',
    full: 'gives up at once',
    denied: 'gives up at once',
    damaged: 'gives up at once',
    refused: 'gives up at once',
  }
  for (const [name, does] of Object.entries(troubles)) {
    it(`${does} when it is ${name}`, async () => {
      const trouble = name as StoreTrouble // as: a key of that record
      const state = { kind: 'degraded', trouble, error: 'x' } as const
      const { state: told, tookMs } = await asked(silent(state))
      expect(told).to.deep.equal(state)
      expect(tookMs).to.equal(does === 'waits' ? 3_000 : 0)
    })
  }

  it('takes for slow what neither answers nor says why', async () => {
    expect((await asked(silent({ kind: 'ok' }))).state).to.deep.equal({
      kind: 'degraded',
      trouble: 'slow',
      error: 'it does not answer',
    })
  })
})
