import { expect } from 'chai'
import { leaseMs } from '../../../../src/engine/windows/leases.ts'
import type { Dedup } from '../../../../src/rules/rule.ts'
import { dedupOf, PartitionOfTest, WindowsOfTest } from './windows-fixture.ts'

describe('a key that another process has', () => {
  it('is asked for again after 25 ms, then half as often each time, up to once a second', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    await test.takeElsewhere(60_000)
    test.arrive(1)
    const gaps: number[] = []
    let askedMs = 0
    for (let asked = 0; asked < 9; asked++) {
      expect((await test.begin()).begun).to.equal('over')
      while (test.queued.length === 0) await test.clock.advance(25)
      gaps.push(test.clock.monotonic() - askedMs)
      askedMs = test.clock.monotonic()
    }
    expect(gaps).to.deep.equal([25, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000])
    expect(test.told).to.deep.equal([])
  })

  it('is asked for when its lease ends, where that is sooner', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    await test.takeElsewhere(10)
    test.arrive(1)
    await test.begin()
    await test.clock.advance(10)
    await test.act()
    expect(test.clock.monotonic()).to.equal(10)
  })

  it('is asked for anew by the newest of those that came meanwhile', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    await test.takeElsewhere(1_000)
    test.arrive(1)
    await test.begin()
    test.arrive(2)
    await test.clock.advance(25)
    expect(test.queued).to.deep.equal([2])
  })
})

interface Answered {
  readonly name: string
  readonly dedup: Dedup
  /** The event of offset 5 that another process acted on. */
  readonly theirs: { readonly version?: string; readonly windowMs: number }
  readonly ours: { readonly offset: number; readonly version?: string; readonly attempt?: number }
  readonly told: readonly string[]
  /** When it leads again; left out: not at all. */
  readonly againMs?: number
}

const answered: readonly Answered[] = [
  {
    name: 'skips one that is older, while the window is open',
    dedup: dedupOf({ keep: 'both' }),
    theirs: { windowMs: 3_000 },
    ours: { offset: 4 },
    told: ['4 superseded'],
  },
  {
    name: 'lets one that is newer wait for the end of the window',
    dedup: dedupOf({ keep: 'both' }),
    theirs: { windowMs: 3_000 },
    ours: { offset: 6 },
    told: [],
    againMs: 3_000,
  },
  {
    name: 'skips any with `keep: first`',
    dedup: dedupOf({ keep: 'first' }),
    theirs: { windowMs: 3_000 },
    ours: { offset: 6 },
    told: ['6 duplicate'],
  },
  {
    name: 'skips an older one behind the window',
    dedup: dedupOf({ keep: 'both' }),
    theirs: { windowMs: 0 },
    ours: { offset: 4 },
    told: ['4 superseded'],
  },
  {
    name: 'skips an older retry behind the window, with `keep: first` as well',
    dedup: dedupOf({ keep: 'first' }),
    theirs: { windowMs: 0 },
    ours: { offset: 4, attempt: 2 },
    told: ['4 superseded'],
  },
  {
    name: 'skips one of a lower version',
    dedup: dedupOf(null, { version: () => '' }),
    theirs: { windowMs: 0, version: '7' },
    ours: { offset: 6, version: '6' },
    told: ['6 superseded'],
  },
  {
    name: 'lets a newer one wait for a window that the rule has no more',
    dedup: dedupOf(null, { version: () => '' }),
    theirs: { windowMs: 3_000, version: '7' },
    ours: { offset: 6, version: '8' },
    told: [],
    againMs: 3_000,
  },
]

describe('what another process did', () => {
  for (const { name, dedup, theirs, ours, told, againMs } of answered) {
    it(name, async () => {
      const test = new WindowsOfTest(dedup)
      const { windowMs, version = null } = theirs
      await test.actElsewhere({ offset: 5n, version }, windowMs)
      const { offset, attempt = 1 } = ours
      test.arrive(offset, { stamp: { version: ours.version ?? null }, attempt })
      expect((await test.begin()).begun).to.equal('over')
      expect(test.told).to.deep.equal(told)
      expect(test.queued).to.deep.equal([])
      expect(test.ladder.pending.queue).to.equal(againMs === undefined ? 0 : 1)
      if (againMs === undefined) return
      await test.clock.advance(againMs - 1)
      expect(test.queued).to.deep.equal([])
      await test.clock.advance(1)
      expect(test.queued).to.deep.equal([offset])
    })
  }
})

describe('a store that is away', () => {
  it('is passed by with `on_outage: run`', async () => {
    const test = new WindowsOfTest(dedupOf({}, { onOutage: 'run' }))
    test.store.outage(true)
    test.arrive(1)
    await test.act()
    test.arrive(2)
    expect(test.queued).to.deep.equal([]) // what it did itself, it knows
    await test.clock.advance(5_000)
    expect(test.queued).to.deep.equal([2])
  })

  it('is asked once a second with `on_outage: wait`, and knows its own claim again', async () => {
    const test = new WindowsOfTest(dedupOf({}, { onOutage: 'wait' }))
    test.store.outage(true, { isApplied: true })
    test.arrive(1)
    for (let asked = 0; asked < 3; asked++) {
      expect((await test.begin()).begun).to.equal('over')
      await test.clock.advance(999)
      expect(test.queued).to.deep.equal([])
      await test.clock.advance(1)
    }
    test.store.outage(false)
    await test.act() // under the token whose claim was made, or its key would be busy
  })

  it('is not kept from others by one that waits for the store and then goes elsewhere', async () => {
    const test = new WindowsOfTest(dedupOf({}, { onOutage: 'wait' }))
    test.leases.start()
    test.store.outage(true, { isApplied: true })
    test.arrive(1)
    await test.begin()
    test.store.outage(false)
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    await test.clock.advance(leaseMs)
    const theirs = { rule: 'purge', key: 'a', token: 'there', leaseMs, task: 'theirs' }
    const stamp = { version: null, source: 'edits/0', offset: 1n, timeMs: 0 }
    const answer = await test.store.claim({ ...theirs, against: 'lease', stamp })
    expect(answer.kind).to.equal('new')
    test.leases.stop()
  })
})

describe('a partition that goes elsewhere', () => {
  it('takes with it what waits', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    const other = new PartitionOfTest()
    test.arrive(1)
    await test.act()
    test.arrive(2)
    test.arrive(3, { partition: other })
    other.isRevoked = true
    test.windows.dropRevoked()
    await test.clock.advance(5_000)
    expect(test.queued).to.deep.equal([2])
    expect(test.ladder.skipped).to.deep.equal({ reassigned: 1 })
  })

  it('takes with it a lead that has no slot yet; what that one covered leads instead', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    await test.act()
    test.arrive(2, { partition: new PartitionOfTest() })
    test.arrive(3)
    await test.clock.advance(5_000)
    expect(test.queued).to.deep.equal([3])
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    test.dropQueued()
    expect(test.queued).to.deep.equal([2])
    expect(test.ladder.skipped).to.deep.equal({ reassigned: 1 })
  })

  it('stops a lead whose claim is under way, and gives the key back', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.store.delay(100)
    test.arrive(1)
    const beginning = test.begin()
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    await test.clock.advance(100)
    expect((await beginning).begun).to.equal('over')
    test.store.delay(0)
    expect(test.ladder.skipped).to.deep.equal({ reassigned: 1 })
    await test.takeElsewhere()
    test.arrive(2, { partition: new PartitionOfTest() })
    expect((await test.begin()).begun).to.equal('over') // theirs by now
  })

  it('lets what acts go on, and what it covers be settled with it', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    await test.act()
    test.arrive(2)
    test.arrive(3)
    await test.clock.advance(5_000)
    const { run } = await test.begin()
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    await run.acted()
    run.ended('done')
    expect(test.told).to.deep.equal(['2 superseded'])
  })

  it('leaves what a run covers that is left itself', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    await test.act()
    test.arrive(2)
    test.arrive(3)
    await test.clock.advance(5_000)
    const { run } = await test.begin()
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    run.ended('left')
    expect(test.told).to.deep.equal([])
    expect(test.ladder.skipped).to.deep.equal({ reassigned: 1 })
  })

  it('hands over what waits of an event whose other task has begun', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    await test.act()
    test.arrive(2)
    test.arrive(3, { hasBegun: true })
    test.partition.isRevoked = true
    test.windows.dropRevoked()
    await test.clock.advance(0)
    expect(test.told).to.deep.equal(['3 handed over', '2 superseded'])
  })
})

describe('a run that failed', () => {
  it('lets the next one of its key go', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    const { run } = await test.begin()
    test.arrive(2)
    await run.failed(10_000)
    run.ended('handed-on')
    expect(test.queued).to.deep.equal([2])
    await test.act()
    await test.clock.advance(60_000)
    test.arrive(1, { attempt: 2, waitMs: 0 })
    expect(test.told).to.deep.equal(['1 superseded'])
  })
})

describe('what waits', () => {
  const acted = async (dedup: Dedup): Promise<WindowsOfTest> => {
    const test = new WindowsOfTest(dedup)
    test.arrive(1)
    await test.act()
    return test
  }

  it('stays in memory for up to 60 s', async () => {
    const test = await acted(dedupOf({ ms: 60_000 }))
    test.arrive(2)
    await test.clock.advance(59_999)
    expect(test.told).to.deep.equal([])
    await test.clock.advance(1)
    expect(test.queued).to.deep.equal([2])
  })

  it('goes to a tier for longer, the newest for all that came within a second', async () => {
    const test = await acted(dedupOf({ ms: 90_000 }))
    test.arrive(2)
    await test.clock.advance(400)
    test.arrive(3)
    await test.clock.advance(1_000)
    expect(test.told).to.deep.equal(['3 to a tier in 88600', '2 superseded'])
    expect(test.ladder.pending.queue).to.equal(0)
  })

  it('goes to a tier at once where its partition is crowded', async () => {
    const test = await acted(dedupOf({}))
    test.arrive(2)
    test.partition.isCrowded = true
    test.arrive(3)
    await test.clock.advance(0)
    expect(test.told).to.deep.equal(['3 to a tier in 5000', '2 superseded'])
  })

  it('stays away for a second at least, where it would be due at once', async () => {
    const test = new WindowsOfTest(dedupOf({}))
    test.arrive(1)
    await test.begin()
    test.partition.isCrowded = true
    test.arrive(2)
    await test.clock.advance(0)
    expect(test.told).to.deep.equal(['2 to a tier in 1000'])
  })

  it('is settled only when the tier has it', async () => {
    const test = await acted(dedupOf({}))
    let store: (isStored: boolean) => void = () => {}
    test.tier = new Promise((resolve) => (store = resolve))
    test.arrive(2)
    test.partition.isCrowded = true
    test.arrive(3)
    await test.clock.advance(1_000)
    expect(test.told).to.deep.equal(['3 to a tier in 5000'])
    store(true)
    await test.clock.advance(0)
    expect(test.told).to.deep.equal(['3 to a tier in 5000', '2 superseded'])
  })

  it('waits again here where the partition of the newest went elsewhere before the tier had it', async () => {
    const test = await acted(dedupOf({}))
    const other = new PartitionOfTest()
    test.tier = Promise.resolve(false)
    test.arrive(2)
    other.isCrowded = true
    test.arrive(3, { partition: other })
    await test.clock.advance(5_000)
    expect(test.queued).to.deep.equal([2])
  })

  it('stays where order forbids that others pass it by', async () => {
    const test = new WindowsOfTest(dedupOf({ keep: 'first' }), { order: 'key', key: () => 'a' })
    test.arrive(1)
    await test.begin()
    test.partition.isCrowded = true
    test.arrive(2)
    await test.clock.advance(60_000)
    expect(test.told).to.deep.equal([])
  })
})

describe('a window with `keep: last`', () => {
  const last = dedupOf({ keep: 'last', waitMaxMs: 12_000 })

  it('is not hurried by an older one that comes back', async () => {
    const test = new WindowsOfTest(last)
    test.arrive(5)
    await test.clock.advance(1_000)
    test.arrive(4, { attempt: 2, waitMs: 0 })
    await test.clock.advance(3_999)
    expect(test.queued).to.deep.equal([])
    await test.clock.advance(1)
    expect(test.queued).to.deep.equal([5])
  })

  it('lets a newest one that comes back go at once', () => {
    const test = new WindowsOfTest(last)
    test.arrive(5)
    test.arrive(6, { attempt: 2, waitMs: 0 })
    expect(test.queued).to.deep.equal([6])
  })

  it('lets one that came back from too short a tier wait on', async () => {
    const test = new WindowsOfTest(last)
    test.arrive(5, { waitMs: 3_000 })
    await test.clock.advance(2_999)
    expect(test.queued).to.deep.equal([])
    await test.clock.advance(1)
    expect(test.queued).to.deep.equal([5])
  })

  it('counts max_wait from the first, also where that one waits in a tier', async () => {
    const test = new WindowsOfTest(last)
    test.partition.isCrowded = true
    for (let offset = 1; offset <= 4; offset++) {
      test.arrive(offset)
      await test.clock.advance(4_000)
    }
    expect(test.told).to.deep.equal([
      '1 to a tier in 5000',
      '2 to a tier in 5000',
      '3 to a tier in 4000', // 12 s behind the first
      '4 to a tier in 5000', // that one was due
    ])
  })
})

describe('windows in which nothing waits', () => {
  it('are remembered while they are open, and so many of them', async () => {
    const test = new WindowsOfTest(dedupOf({ keep: 'first', ms: 60_000 }))
    const keys = 2_048 + 64 // some more at times, since they are not looked through each time
    for (let key = 0; key <= keys; key++) {
      test.arrive(key, { key: String(key) })
      await test.act()
    }
    test.store.outage(true)
    test.arrive(3_000, { key: '0' })
    expect(test.told).to.deep.equal([]) // forgotten: it goes by what the store says
    test.arrive(3_001, { key: String(keys) })
    expect(test.told).to.deep.equal(['3001 duplicate'])
  })
})
