import { expect } from 'chai'
import { memoryStore } from '../../../../src/drivers/memory/store.ts'
import { Leases } from '../../../../src/engine/windows/leases.ts'
import { OrderedRun } from '../../../../src/engine/windows/ordered-run.ts'
import { newTask } from '../../../../src/model/task.ts'
import { anEvent } from '../../../support/builders.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

function fixture() {
  const clock = new FakeClock()
  const store = memoryStore({ clock })
  const counted: string[] = []
  const meters = {
    dedup: (result: string) => void counted.push(result),
    skipped: (reason: string) => void counted.push(reason),
  }
  const runOf = (processId: string): OrderedRun => {
    const leases = new Leases(store, clock, processId)
    return new OrderedRun(newTask('purge', anEvent(), 0), 'a', leases, meters)
  }
  return { clock, store, counted, runOf }
}

describe('a run in order', () => {
  it('keeps its key from one attempt to the next, and gives it back at its end', async () => {
    const { counted, runOf } = fixture()
    const [ours, theirs] = [runOf('here'), runOf('there')]
    expect(await ours.begin()).to.deep.equal({ kind: 'go' })
    await ours.failed()
    expect(await theirs.begin()).to.deep.equal({ kind: 'again', waitMs: 25 })
    expect(await ours.begin()).to.deep.equal({ kind: 'go' })
    await ours.acted()
    ours.ended()
    expect(await theirs.begin()).to.deep.equal({ kind: 'go' })
    expect(counted).to.deep.equal(['new', 'busy', 'new'])
  })

  it('asks for a key that another has half as often each time, up to once a second', async () => {
    const { clock, runOf } = fixture()
    await runOf('there').begin()
    const ours = runOf('here')
    const waits: number[] = []
    for (let asked = 0; asked < 8; asked++) {
      const begun = await ours.begin()
      if (begun.kind === 'again') waits.push(begun.waitMs)
      await clock.advance(1)
    }
    expect(waits).to.deep.equal([25, 50, 100, 200, 400, 800, 1_000, 1_000])
  })

  it('goes on without the store', async () => {
    const { store, runOf } = fixture()
    store.outage(true)
    expect(await runOf('here').begin()).to.deep.equal({ kind: 'go' })
  })

  it('that is dropped while it waits in place gives its key back, and is counted', async () => {
    const { counted, runOf } = fixture()
    const ours = runOf('here')
    await ours.begin()
    await ours.failed()
    ours.dropped()
    expect(await runOf('there').begin()).to.deep.equal({ kind: 'go' })
    expect(counted).to.deep.equal(['new', 'reassigned', 'new'])
  })

  it('that is dropped before it has its key leaves it to whoever has it', async () => {
    const { runOf } = fixture()
    await runOf('there').begin()
    const ours = runOf('here')
    await ours.begin()
    ours.dropped()
    expect((await runOf('elsewhere').begin()).kind).to.equal('again')
  })
})
