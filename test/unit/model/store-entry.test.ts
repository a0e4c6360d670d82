import { expect } from 'chai'
import fc from 'fast-check'
import type { Stamp } from '../../../src/model/stamp.ts'
import { isCoveredBy } from '../../../src/model/stamp.ts'
import type { ClaimRequest, CompleteRequest } from '../../../src/model/store-calls.ts'
import type { StoreEntry } from '../../../src/model/store-entry.ts'
import {
  claimOn,
  completeOn,
  entryEndsMs,
  noteWaitingOn,
  releaseOn,
  renewOn,
} from '../../../src/model/store-entry.ts'

const leaseMs = 10
const againsts = ['lease', 'window', 'order'] as const

/** The run of the event with that offset: its task, token and stamp go by it. */
function run(offset: number, more: Partial<ClaimRequest & CompleteRequest> = {}) {
  const stamp: Stamp = { version: null, source: 'a/0', offset: BigInt(offset), timeMs: 0 }
  const own = { rule: 'r', key: 'k', token: `token-${offset}`, task: `task-${offset}`, stamp }
  return { ...own, leaseMs, against: 'lease', windowMs: 0, keepMs: 0, ...more } as const
}

/** An entry after `run(offset)` was given the lease at `nowMs`. */
function leased(offset: number, nowMs: number, entry: StoreEntry | null = null): StoreEntry | null {
  const called = claimOn(entry, run(offset), nowMs)
  expect(called.answer).to.deep.equal({ kind: 'new' })
  return called.entry
}

describe('A lease', () => {
  const moments: [string, number, 'busy' | 'new'][] = [
    ['at once', 100, 'busy'],
    ['a millisecond before it ends', 109, 'busy'],
    ['at the millisecond at which it ends', 110, 'new'],
    ['later', 1_000, 'new'],
  ]
  for (const [when, nowMs, want] of moments) {
    for (const against of againsts) {
      it(`makes a claim against ${against} by another run ${want} ${when}`, () => {
        const { answer } = claimOn(leased(1, 100), run(2, { against }), nowMs)
        expect(answer).to.deep.equal(
          want === 'busy' ? { kind: 'busy', leftMs: 110 - nowMs } : { kind: 'new' },
        )
      })
    }
  }

  it('is as long as the renewal says, from then on', () => {
    const { entry, answer } = renewOn(leased(1, 100), run(1, { leaseMs: 3 }), 105)
    expect(answer).to.equal('held')
    expect(claimOn(entry, run(2), 107).answer).to.deep.equal({ kind: 'busy', leftMs: 1 })
    expect(claimOn(entry, run(2), 108).answer.kind).to.equal('new')
  })

  it('that is over can be renewed by whoever is first', () => {
    const late = renewOn(leased(1, 100), run(1), 110)
    expect(late.answer).to.equal('held')
    const lost = renewOn(leased(2, 110, leased(1, 100)), run(1), 111)
    expect(lost.answer).to.equal('lost')
    expect(lost.entry?.lease).to.deep.equal({ token: 'token-2', untilMs: 120 })
  })

  const enders = [
    ['completes', (entry: StoreEntry | null, nowMs: number) => completeOn(entry, run(1), nowMs)],
    ['releases', (entry: StoreEntry | null, nowMs: number) => releaseOn(entry, run(1), nowMs)],
  ] as const
  for (const [how, end] of enders) {
    it(`ends, and nothing is left, when its run ${how}`, () => {
      expect(end(leased(1, 100), 101)).to.equal(null)
    })

    it(`of another stays when a late run ${how}`, () => {
      const entry = end(leased(2, 110, leased(1, 100)), 111)
      expect(entry?.lease).to.deep.equal({ token: 'token-2', untilMs: 120 })
    })
  }

  it('of another run of the same task stays as well', () => {
    const again = claimOn(leased(1, 100), run(1, { token: 'next life' }), 110).entry
    expect(releaseOn(again, run(1), 111)?.lease?.token).to.equal('next life')
  })
})

describe('A window', () => {
  const marked = completeOn(leased(5, 100), run(5, { windowMs: 20 }), 100)

  const claims: [ClaimRequest['against'], number, number, string][] = [
    ['lease', 4, 101, 'new'],
    ['window', 4, 101, 'done covered 19'],
    ['window', 6, 101, 'done 19'],
    ['window', 6, 119, 'done 1'],
    ['window', 6, 120, 'new'],
    ['window', 4, 120, 'new'],
    ['window', 5, 101, 'new'],
    ['order', 4, 101, 'done covered 19'],
    ['order', 6, 119, 'done 1'],
    ['order', 5, 101, 'new'],
  ]
  for (const [against, offset, nowMs, want] of claims) {
    it(`of 100 to 120 gives the event at ${offset} against ${against} at ${nowMs}: ${want}`, () => {
      const { answer } = claimOn(marked, run(offset, { against }), nowMs)
      const told =
        answer.kind === 'done'
          ? `done ${answer.isCovered ? 'covered ' : ''}${answer.leftMs}`
          : answer.kind
      expect(told).to.equal(want)
    })
  }

  it('is forgotten at the millisecond at which it ends, with all that there is', () => {
    expect(marked === null ? null : entryEndsMs(marked)).to.equal(120)
    expect(releaseOn(marked, run(1), 119)).to.not.equal(null)
    expect(releaseOn(marked, run(1), 120)).to.equal(null)
  })

  it('is opened by an older event that was acted on as well, which does not become the newest', () => {
    const newest = { ...marked?.newest, windowUntilMs: 601 }
    const entry = completeOn(marked, run(4, { windowMs: 500, keepMs: 500 }), 101)
    expect(entry).to.deep.equal({ ...marked, newest })
    expect(completeOn(marked, run(4, { windowMs: 5, keepMs: 500 }), 101)).to.deep.equal(marked)
  })

  it('begins anew with the same event and with a newer one', () => {
    for (const offset of [5, 6]) {
      const entry = completeOn(marked, run(offset, { windowMs: 20 }), 110)
      expect(entry?.newest?.windowUntilMs).to.equal(130)
    }
  })
})

describe('The newest event', () => {
  const acted = completeOn(null, run(5, { keepMs: 20 }), 100)

  it('supersedes what is not newer until the millisecond at which it is forgotten', () => {
    const ask = (offset: number, nowMs: number) =>
      claimOn(acted, run(offset, { against: 'order', task: 'other' }), nowMs).answer.kind
    expect([ask(4, 119), ask(5, 119), ask(6, 119), ask(4, 120)]).to.deep.equal([
      'superseded',
      'superseded',
      'new',
      'new',
    ])
  })

  it('is remembered as long as the last failed task is out', () => {
    const failed = releaseOn(releaseOn(acted, run(4, { keepMs: 50 }), 100), run(3), 101)
    const ask = (nowMs: number) => claimOn(failed, run(4, { against: 'order' }), nowMs).answer.kind
    expect([ask(149), ask(150)]).to.deep.equal(['superseded', 'new'])
  })

  it('that comes while a failed task is out is remembered as well, and no other', () => {
    const failed = releaseOn(null, run(4, { keepMs: 50 }), 100)
    expect(claimOn(failed, run(3, { against: 'order' }), 101).answer.kind).to.equal('new')
    const then = completeOn(failed, run(5), 110)
    const ask = (nowMs: number) => claimOn(then, run(4, { against: 'order' }), nowMs).answer.kind
    expect([ask(149), ask(150)]).to.deep.equal(['superseded', 'new'])
  })
})

describe('An event that waits', () => {
  const waiting = noteWaitingOn(null, run(5, { keepMs: 20 }), 100)
  const ask = (entry: StoreEntry | null, more: Partial<ClaimRequest>, nowMs: number) =>
    claimOn(entry, run(4, { against: 'order', ...more }), nowMs).answer.kind

  it('supersedes older ones against the order until it is forgotten', () => {
    expect(ask(waiting, {}, 119)).to.equal('superseded')
    expect(ask(waiting, {}, 120)).to.equal('new')
    for (const against of ['lease', 'window'] as const) {
      expect(ask(waiting, { against }, 119)).to.equal('new')
    }
  })

  it('supersedes neither itself, nor the same by another name, nor a newer one', () => {
    expect(ask(waiting, run(5), 101)).to.equal('new')
    expect(ask(waiting, { ...run(5, { against: 'order' }), task: 'replayed' }, 101)).to.equal('new')
    expect(ask(waiting, run(6, { against: 'order' }), 101)).to.equal('new')
  })

  it('gives way to a newer one that waits, not to an older one', () => {
    const older = noteWaitingOn(waiting, run(4, { keepMs: 99 }), 101)
    expect(older?.waiting).to.deep.equal(waiting?.waiting)
    expect(noteWaitingOn(waiting, run(6, { keepMs: 9 }), 101)?.waiting?.task).to.equal('task-6')
  })
})

describe('An event that comes back from a tier', () => {
  it('finds what was acted on meanwhile, however short that was to be remembered', () => {
    const acted = completeOn(noteWaitingOn(null, run(5, { keepMs: 50 }), 100), run(6), 110)
    const ask = (nowMs: number) => claimOn(acted, run(5, { against: 'order' }), nowMs).answer.kind
    expect([ask(149), ask(150)]).to.deep.equal(['superseded', 'new'])
  })

  it('shortens nothing that another needs', () => {
    const both = noteWaitingOn(releaseOn(null, run(4, { keepMs: 50 }), 100), run(5), 101)
    expect(both?.keepUntilMs).to.equal(150)
  })
})

describe('Whatever is called in whatever order', () => {
  const stamp = fc.record<Stamp>({
    version: fc.constantFrom(null, '1', '2'),
    source: fc.constantFrom('a/0', 'b/0'),
    offset: fc.bigInt({ min: 0n, max: 3n }),
    timeMs: fc.integer({ min: 0, max: 3 }),
  })
  const call = fc.record({
    kind: fc.constantFrom('claim', 'claim', 'renew', 'complete', 'release', 'noteWaiting'),
    passMs: fc.integer({ min: 0, max: 4 }),
    token: fc.constantFrom('A', 'B', 'C'),
    task: fc.constantFrom('t', 'u', 'v'),
    against: fc.constantFrom(...againsts),
    stamp,
    leaseMs: fc.integer({ min: 1, max: 9 }),
    windowMs: fc.integer({ min: 0, max: 9 }),
    keepMs: fc.integer({ min: 0, max: 9 }),
  })
  type Step = typeof call extends fc.Arbitrary<infer T> ? T : never

  function after(entry: StoreEntry | null, step: Step, nowMs: number) {
    const request = { rule: 'r', key: 'k', ...step }
    switch (step.kind) {
      case 'claim':
        return claimOn(entry, request, nowMs)
      case 'renew':
        return renewOn(entry, request, nowMs)
      case 'complete':
        return { entry: completeOn(entry, request, nowMs), answer: 'done' }
      case 'release':
        return { entry: releaseOn(entry, request, nowMs), answer: 'done' }
      case 'noteWaiting':
        return { entry: noteWaitingOn(entry, request, nowMs), answer: 'done' }
    }
  }

  /** Every step of any sequence, with the entry before and behind it. */
  function eachStep(
    look: (
      step: Step,
      nowMs: number,
      before: StoreEntry | null,
      now: ReturnType<typeof after>,
    ) => void,
  ): void {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (steps) => {
        let entry: StoreEntry | null = null
        let nowMs = 1_000
        for (const step of steps) {
          nowMs += step.passMs
          const called = after(entry, step, nowMs)
          look(step, nowMs, entry, called)
          entry = called.entry
        }
      }),
      { numRuns: 1_000 },
    )
  }

  const kindOf = (answer: unknown) =>
    typeof answer === 'object' && answer !== null && 'kind' in answer ? answer.kind : answer

  it('no run is given a key, or keeps it, while another has it', () => {
    eachStep(({ kind, token }, nowMs, before, { answer }) => {
      const lease = before?.lease ?? null
      const isOthers = lease !== null && lease.token !== token && lease.untilMs > nowMs
      if (kind === 'claim') expect(kindOf(answer) === 'busy').to.equal(isOthers)
      if (kind === 'renew') expect(answer).to.equal(isOthers ? 'lost' : 'held')
    })
  })

  it('no call changes the lease of another', () => {
    eachStep(({ token }, nowMs, before, { entry }) => {
      const lease = before?.lease ?? null
      if (lease === null || lease.token === token || lease.untilMs <= nowMs) return
      expect(entry?.lease).to.deep.equal(lease)
    })
  })

  it('no event is told of itself', () => {
    eachStep(({ kind, task }, _nowMs, before, { answer }) => {
      if (kind !== 'claim' || before?.newest?.task !== task) return
      expect(kindOf(answer)).to.not.equal('done')
      if (before.waiting === null) expect(kindOf(answer)).to.not.equal('superseded')
    })
  })

  it('whoever is kept from acting is covered, or told how long', () => {
    eachStep(({ stamp: asks }, _nowMs, before, { answer }) => {
      if (kindOf(answer) === 'superseded') {
        const others = [before?.newest, before?.waiting].flatMap((told) => told ?? [])
        expect(others.some((told) => isCoveredBy(asks, told.stamp))).to.equal(true)
      } else if (typeof answer === 'object' && 'leftMs' in answer) {
        expect(answer.leftMs).to.be.within(1, 9)
      }
    })
  })

  it('an event that was acted on gives way only to one that is not older', () => {
    eachStep(({ task, stamp: asks }, nowMs, before, { entry }) => {
      const newest = before?.newest ?? null
      if (newest === null || entry?.newest?.stamp === newest.stamp) return
      if (entry?.newest == null) {
        const untilMs = Math.max(newest.untilMs, newest.windowUntilMs, before?.keepUntilMs ?? 0)
        expect(untilMs).to.be.at.most(nowMs)
      } else if (Math.max(newest.untilMs, newest.windowUntilMs) > nowMs) {
        expect(newest.task === task || !isCoveredBy(asks, newest.stamp)).to.equal(true)
      }
    })
  })

  it('an entry that has run out is as good as none', () => {
    eachStep((step, _nowMs, before, { entry }) => {
      if (entry === null || before === null) return
      const endMs = entryEndsMs(entry)
      expect(after(entry, step, endMs)).to.deep.equal(after(null, step, endMs))
    })
  })

  it('no entry is kept of which nothing holds', () => {
    eachStep((_step, nowMs, _before, { entry }) => {
      if (entry !== null) expect(entryEndsMs(entry)).to.be.above(nowMs)
    })
  })
})
