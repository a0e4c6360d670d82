import { expect } from 'chai'
import fc from 'fast-check'
import type { Stamp } from '../../src/model/stamp.ts'
import { versionOf } from '../../src/model/stamp.ts'
import type {
  ClaimAnswer,
  ClaimRequest,
  CompleteRequest,
  LeaseRequest,
  ReleaseRequest,
  StoreDone,
  WaitingRequest,
} from '../../src/model/store-calls.ts'
import type { StoreEntry } from '../../src/model/store-entry.ts'
import {
  claimOn,
  completeOn,
  noteWaitingOn,
  releaseOn,
  renewOn,
} from '../../src/model/store-entry.ts'
import type { Store } from '../../src/ports/store.ts'
import type { RecordingStoreListener } from './recording-store-listener.ts'

/** A store to run the contract on, and what the tests need of it beside the port. */
export interface StoreFixture {
  /** Shared by all tests; none of them closes it. Its time-box should be seconds: machines are busy. */
  readonly store: Store
  /** What `store` has told. */
  readonly told: RecordingStoreListener
  /** Another client of the same store, as another replica would be. Closed by the fixture at last. */
  second(): Promise<Store>
  /** Lets so much time pass by the clock of the store, at least. */
  passTime(ms: number): Promise<void>
  /** Whether no time passes but by `passTime`. Otherwise tests allow for a machine that is busy. */
  readonly isTimeFaked: boolean
  /** Removes all that the store holds, as an operator would. */
  wipe(): Promise<void>
  /** Ends every client and what stands behind them. */
  close(): Promise<void>
}

/** Longer than a test takes on any machine: what lasts that long does not run out in between. */
const longMs = 600_000
/** Runs out by itself while a test waits for it. Redis counts milliseconds, and we wait for a few. */
const shortMs = 40
const overMs = shortMs + 10

const againsts = ['lease', 'window', 'order'] as const

/** What every Store promises. A new driver is done when this passes for it. */
export function describeStoreContract(driver: string, open: () => Promise<StoreFixture>): void {
  describe(`Store contract: ${driver}`, function () {
    this.timeout(60_000) // only ends what hangs

    let fixture: StoreFixture
    let store: Store
    let other: Store
    let tests = 0
    let rule: string

    before(async () => {
      fixture = await open()
      store = fixture.store
      other = await fixture.second()
    })
    after(() => fixture.close())
    // A rule of its own for each test: keys of different rules never meet.
    beforeEach(() => void (rule = `rule-${++tests}`))

    /** The run of the event with that offset: its task, token and stamp go by it. */
    function run(offset: number, more: Partial<ClaimRequest & CompleteRequest> = {}) {
      const stamp = stampAt(offset)
      const own = { rule, key: 'k', token: `token-${offset}`, task: `task-${offset}`, stamp }
      return { ...own, leaseMs: longMs, against: 'lease', windowMs: 0, keepMs: 0, ...more } as const
    }

    const claim = (offset: number, more: Partial<ClaimRequest> = {}, by = store) =>
      by.claim(run(offset, more))

    async function expectNew(offset: number, more: Partial<ClaimRequest> = {}, by = store) {
      expect(await claim(offset, more, by)).to.deep.equal({ kind: 'new' })
    }

    async function expectBusy(offset: number, more: Partial<ClaimRequest> = {}, by = store) {
      await expectKind('busy', claim(offset, more, by))
    }

    async function expectKind(kind: ClaimAnswer['kind'], answer: Promise<ClaimAnswer>) {
      expect((await answer).kind).to.equal(kind)
    }

    /** Whoever asks later finds that much left, less what the machine needed in between. */
    function expectLeft(answer: ClaimAnswer, ms: number): void {
      expect(answer).to.have.property('leftMs')
      if (!('leftMs' in answer)) return
      expect(answer.leftMs).to.be.at.most(ms)
      if (fixture.isTimeFaked) expect(answer.leftMs).to.equal(ms)
      else expect(answer.leftMs).to.be.above(ms - longMs / 2)
    }

    async function complete(offset: number, more: Partial<CompleteRequest> = {}, by = store) {
      expect(await by.complete(run(offset, more))).to.equal('done')
    }

    async function release(offset: number, keepMs = 0, by = store) {
      expect(await by.release(run(offset, { keepMs }))).to.equal('done')
    }

    async function wait(offset: number, more: Partial<WaitingRequest> = {}) {
      expect(await store.noteWaiting(run(offset, { keepMs: longMs, ...more }))).to.equal('done')
    }

    it('is well after it was opened', async () => {
      await expectNew(1)
      expect(store.state).to.deep.equal({ kind: 'ok' })
    })

    describe('a claim', () => {
      for (const against of againsts) {
        it(`against ${against} is new where nothing is known`, () => expectNew(1, { against }))

        it(`against ${against} is busy while another run has the lease, and told how long`, async () => {
          await expectNew(1)
          const answer = await claim(2, { against })
          expect(answer.kind).to.equal('busy')
          expectLeft(answer, longMs)
        })

        it(`against ${against} is busy for another run of the same task`, async () => {
          await expectNew(1)
          await expectBusy(1, { against, token: 'another' })
        })

        it(`against ${against} is busy although a window is open as well`, async () => {
          await complete(1, { windowMs: longMs })
          await expectNew(2)
          await expectBusy(3, { against })
        })

        it(`against ${against} is new again for the run that has the lease`, async () => {
          await expectNew(1, { against })
          await expectNew(1, { against })
        })
      }

      it('holds as long as the last claim says', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await expectNew(1)
        await fixture.passTime(overMs)
        await expectBusy(2)
      })

      it('that asks in vain leaves the lease as it was', async () => {
        await expectNew(1)
        await expectBusy(2)
        await expectBusy(3)
        await expectNew(1)
      })

      it('is told less as time goes by', async () => {
        await expectNew(1)
        await fixture.passTime(100)
        const answer = await claim(2)
        expectLeft(answer, longMs - 100)
      })

      it('is new once the lease of a run that died is over', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(1, { token: 'its next life' })
        await expectBusy(1)
      })

      it('by another client finds the lease', async () => {
        await expectNew(1)
        await expectBusy(2, {}, other)
        await release(1, 0, other)
        await expectNew(2, {}, other)
        await expectBusy(1)
      })

      it('of another rule or of another key is its own', async () => {
        const pairs = [
          [rule, 'k'],
          [rule, 'l'],
          [`${rule}k`, ''],
          [`${rule}-`, 'k'],
          [`${rule}`, '-k'],
          [`x${rule}`, 'k'],
        ] as const
        for (const [at, [name, key]] of pairs.entries()) await expectNew(at, { rule: name, key })
        for (const [at, [name, key]] of pairs.entries()) {
          await expectBusy(99, { rule: name, key })
          await expectNew(at, { rule: name, key })
        }
      })
    })

    describe('of many claims at once', () => {
      it('exactly one is new where all want the same key', async () => {
        const offsets = Array.from({ length: 1_000 }, (_, i) => i)
        const asked = offsets.map((offset) => claim(offset, {}, offset % 2 === 0 ? store : other))
        const kinds = (await Promise.all(asked)).map(({ kind }) => kind)
        expect(kinds.filter((kind) => kind === 'new')).to.have.length(1)
        expect(kinds.filter((kind) => kind === 'busy')).to.have.length(999)
        await expectNew(kinds.indexOf('new'))
      })

      it('one per key is new, and each can be given back', async () => {
        const keys = Array.from({ length: 200 }, (_, i) => `key ${i}`)
        const rivals = [1, 2, 3, 4, 5]
        const rounds = await Promise.all(
          keys.map(async (key) => {
            const asked = rivals.map((at) => claim(at, { key }, at % 2 === 0 ? store : other))
            const answers = await Promise.all(asked)
            const holders = rivals.filter((_, i) => answers[i]?.kind === 'new')
            await Promise.all(holders.map((at) => store.release(run(at, { key }))))
            return holders.length
          }),
        )
        expect(rounds.filter((count) => count !== 1)).to.deep.equal([])
        await Promise.all(keys.map((key) => expectNew(9, { key })))
      })

      it('no two have a key at the same time while they come and go', async () => {
        const holds = new Map<string, number>()
        const keys = ['a', 'b', 'c']
        let acted = 0
        const worker = async (at: number, by: Store) => {
          for (let turn = 0; turn < 30; turn++) {
            const key = keys[(at + turn) % keys.length] ?? ''
            const token = `${at}/${turn}`
            if ((await by.claim(run(at, { key, token }))).kind !== 'new') continue
            const holders = (holds.get(key) ?? 0) + 1
            holds.set(key, holders)
            expect(holders, `holders of ${key}`).to.equal(1)
            await Promise.resolve()
            acted++
            holds.set(key, 0)
            await by.complete(run(at, { key, token }))
          }
        }
        const workers = Array.from({ length: 20 }, (_, i) => worker(i, i % 2 === 0 ? store : other))
        await Promise.all(workers)
        expect(acted).to.be.above(29)
      })

      it('hundreds share a round trip', async function () {
        const before = fixture.told.roundTrips.length
        await Promise.all(Array.from({ length: 1_000 }, (_, i) => claim(i, { key: `${i}` })))
        const trips = fixture.told.roundTrips.slice(before)
        expect(trips.reduce((sum, { calls }) => sum + calls, 0)).to.equal(1_000)
        for (const { tookMs } of trips) expect(tookMs).to.be.at.least(0)
        if (!fixture.isTimeFaked) expect(trips.length).to.be.below(50)
      })
    })

    describe('an open window', () => {
      beforeEach(() => complete(5, { windowMs: longMs }))

      it('does not keep from acting who asks for the lease only', () => expectNew(6))

      for (const against of ['window', 'order'] as const) {
        it(`tells an event against ${against} that it is newer than the one acted on`, async () => {
          const answer = await claim(6, { against })
          expect(answer).to.include({ kind: 'done', isCovered: false })
          expectLeft(answer, longMs)
        })

        it(`tells an event against ${against} that it is covered`, async () => {
          const answer = await claim(4, { against })
          expect(answer).to.include({ kind: 'done', isCovered: true })
          expectLeft(answer, longMs)
        })

        it(`does not keep an event against ${against} from acting that is the one itself`, async () => {
          await expectNew(5, { against, token: 'redelivered' })
        })

        it(`is seen by another client against ${against}`, async () => {
          await expectKind('done', claim(6, { against }, other))
        })

        it(`leaves no lease with who was told against ${against}`, async () => {
          await expectKind('done', claim(6, { against }))
          await expectNew(7)
        })
      }

      it('is not there for another rule, nor for another key', async () => {
        await expectNew(6, { rule: `${rule}-other`, against: 'window' })
        await expectNew(6, { key: 'other', against: 'window' })
      })

      it('is left as it is by a lease that comes and goes', async () => {
        await expectNew(6)
        await release(6)
        await expectKind('done', claim(7, { against: 'window' }))
      })
    })

    describe('a window', () => {
      it('ends, and then an older event is new against it, but superseded against the order', async () => {
        await complete(5, { windowMs: shortMs, keepMs: longMs })
        await fixture.passTime(overMs)
        await expectKind('superseded', claim(4, { against: 'order' }))
        await expectNew(4, { against: 'window' })
      })

      it('of none is none', async () => {
        await complete(5, { keepMs: longMs })
        await expectNew(6, { against: 'window' })
      })

      it('outlasts the time for which the event is to be remembered', async () => {
        await complete(5, { windowMs: longMs, keepMs: shortMs })
        await fixture.passTime(overMs)
        await expectKind('done', claim(6, { against: 'window' }))
      })

      it('begins anew with each newer event', async () => {
        await complete(5, { windowMs: shortMs })
        await complete(6, { windowMs: longMs })
        await fixture.passTime(overMs)
        await expectKind('done', claim(7, { against: 'window' }))
      })
    })

    describe('the newest event of a key', () => {
      it('makes every event that is not newer superseded', async () => {
        await complete(5, { keepMs: longMs })
        await expectKind('superseded', claim(4, { against: 'order' }))
        await expectKind('superseded', claim(5, { against: 'order', task: 'replayed' }))
        await expectKind('superseded', claim(4, { against: 'order' }, other))
        await expectNew(6, { against: 'order' })
      })

      it('never makes itself superseded', async () => {
        await complete(5, { keepMs: longMs })
        await expectNew(5, { against: 'order', token: 'redelivered' })
      })

      it('is nothing to who does not ask for the order', async () => {
        await complete(5, { keepMs: longMs })
        await expectNew(4, { against: 'window' })
      })

      it('is forgotten when it need not be remembered any longer', async () => {
        await complete(5, { keepMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(4, { against: 'order' })
      })

      it('is forgotten at once where nothing asks to remember it', async () => {
        await complete(5)
        await expectNew(4, { against: 'order' })
      })
    })

    describe('what is newer', () => {
      const versions: [string, string, 'superseded' | 'new'][] = [
        ['9', '10', 'new'],
        ['10', '9', 'superseded'],
        ['10', '10', 'superseded'],
        ['10', '10.0', 'superseded'],
        ['10', '10.000000001', 'new'],
        ['-2', '-1', 'new'],
        ['-1', '-2', 'superseded'],
        ['-1', '0', 'new'],
        ['9007199254740993', '9007199254740994', 'new'],
        ['99999999999999999999', '99999999999999999998', 'superseded'],
        ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', 'new'],
        ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', 'superseded'],
      ]
      for (const [acted, asks, want] of versions) {
        it(`goes by version: ${asks} behind ${acted} is ${want}`, async () => {
          // By offset and by time it would be the other way round.
          const [low, high] = [stampAt(1, { timeMs: 1 }), stampAt(9, { timeMs: 9 })]
          const [first, then] = want === 'new' ? [high, low] : [low, high]
          await complete(1, { stamp: { ...first, version: versionOf(acted) }, keepMs: longMs })
          const stamp = { ...then, version: versionOf(asks) }
          await expectKind(want, claim(2, { stamp, against: 'order' }))
        })
      }

      const stamps: [string, Partial<Stamp>, Partial<Stamp>, 'superseded' | 'new'][] = [
        ['a higher offset', { offset: 9n, timeMs: 9 }, { offset: 10n, timeMs: 1 }, 'new'],
        ['a lower offset', { offset: 10n, timeMs: 1 }, { offset: 9n, timeMs: 9 }, 'superseded'],
        ['the same offset', { offset: 9n }, { offset: 9n }, 'superseded'],
        [
          'a higher offset where one has no version',
          { offset: 9n, version: versionOf('2') },
          { offset: 10n },
          'new',
        ],
        [
          'a lower offset where one has no version',
          { offset: 10n },
          { offset: 9n, version: versionOf('2') },
          'superseded',
        ],
        [
          'the next offset above what a double holds',
          { offset: 2n ** 53n },
          { offset: 2n ** 53n + 1n },
          'new',
        ],
        [
          'the offset before, above what a double holds',
          { offset: 2n ** 63n - 1n },
          { offset: 2n ** 63n - 2n },
          'superseded',
        ],
        ['a later time of another source', { timeMs: 5 }, { timeMs: 6, source: 'b/0' }, 'new'],
        [
          'an earlier time of another source',
          { timeMs: 6 },
          { timeMs: 5, source: 'b/0', offset: 99n },
          'superseded',
        ],
        ['the same time of another source', { timeMs: 5 }, { timeMs: 5, source: 'b/0' }, 'new'],
        [
          'an earlier time before 1970',
          { timeMs: -5 },
          { timeMs: -50, source: 'b/0' },
          'superseded',
        ],
        ['a later time before 1970', { timeMs: -50 }, { timeMs: -5, source: 'b/0' }, 'new'],
      ]
      for (const [what, acted, asks, want] of stamps) {
        it(`goes by offset, else by time: ${what} is ${want}`, async () => {
          await complete(1, { stamp: stampAt(1, acted), keepMs: longMs })
          await expectKind(want, claim(2, { stamp: stampAt(1, asks), against: 'order' }))
        })
      }
    })

    describe('to renew', () => {
      it('holds the lease for longer', async () => {
        await expectNew(1, { leaseMs: shortMs })
        expect(await store.renew(run(1))).to.equal('held')
        await fixture.passTime(overMs)
        await expectBusy(2)
      })

      it('is lost when another run has the lease, which stays with it', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(2)
        expect(await store.renew(run(1))).to.equal('lost')
        await expectBusy(3)
        await expectNew(2)
      })

      it('takes a lease anew that is over and that nobody took', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await fixture.passTime(overMs)
        expect(await store.renew(run(1))).to.equal('held')
        await expectBusy(2)
      })

      it('takes a lease anew when the store was emptied, unless another was faster', async () => {
        await expectNew(1)
        await expectNew(1, { key: 'l' })
        await fixture.wipe()
        await expectNew(2, { key: 'l' })
        expect(await store.renew(run(1))).to.equal('held')
        expect(await store.renew(run(1, { key: 'l' }))).to.equal('lost')
        await expectBusy(2)
      })

      it('leaves window and newest event as they are', async () => {
        await complete(5, { windowMs: longMs, keepMs: longMs })
        await expectNew(6)
        expect(await store.renew(run(6))).to.equal('held')
        await release(6)
        await expectKind('done', claim(7, { against: 'window' }))
      })
    })

    describe('to complete', () => {
      it('ends the lease', async () => {
        await expectNew(1)
        await complete(1)
        await expectNew(2)
      })

      it('marks an event whose claim was unknown all the same', async () => {
        await complete(1, { windowMs: longMs })
        await expectKind('done', claim(2, { against: 'window' }))
      })

      it('an older event ends its lease and leaves the newer one and its window', async () => {
        await complete(5, { windowMs: longMs, keepMs: longMs })
        await expectNew(4)
        await complete(4, { windowMs: 0, keepMs: 0 })
        expect(await claim(5, { against: 'order', task: 'replayed' })).to.include({
          kind: 'done',
          isCovered: true,
        })
        await expectNew(5, { against: 'window' })
      })

      it('the same event again measures its window anew', async () => {
        await complete(5, { windowMs: shortMs })
        await complete(5, { windowMs: longMs })
        await fixture.passTime(overMs)
        await expectKind('done', claim(6, { against: 'window' }))
      })

      it('late leaves the lease that another has by now, and marks', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(2)
        await complete(1, { windowMs: longMs })
        await expectBusy(3)
        await release(2)
        await expectKind('done', claim(3, { against: 'window' }))
      })
    })

    describe('to release', () => {
      it('gives the lease back', async () => {
        await expectNew(1)
        await release(1)
        await expectNew(2)
      })

      it('late leaves the lease that another has by now', async () => {
        await expectNew(1, { leaseMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(2)
        await release(1)
        await expectBusy(3)
      })

      it('what nobody has is no trouble', () => release(1))

      it('marks nothing', async () => {
        await expectNew(1)
        await release(1, longMs)
        await expectNew(2, { against: 'order' })
      })

      it('remembers the newest that is there until the failed task is back', async () => {
        await complete(5, { keepMs: shortMs })
        await release(4, longMs)
        await fixture.passTime(overMs)
        await expectKind('superseded', claim(4, { against: 'order' }))
      })

      it('remembers the newest that is yet to come as well', async () => {
        await release(4, longMs)
        await complete(5)
        await expectKind('superseded', claim(4, { against: 'order' }))
      })

      it('remembers no shorter than another failed task needs', async () => {
        await release(3, longMs)
        await release(4, 1)
        await release(4)
        await complete(5)
        await fixture.passTime(overMs)
        await expectKind('superseded', claim(3, { against: 'order' }))
      })

      it('forgets once the task must be back', async () => {
        await release(4, shortMs)
        await complete(5)
        await fixture.passTime(overMs)
        await expectNew(4, { against: 'order' })
      })
    })

    describe('an event that waits', () => {
      it('makes an older one superseded, against the order only', async () => {
        await wait(5)
        await expectKind('superseded', claim(4, { against: 'order' }))
        await expectKind('superseded', claim(4, { against: 'order' }, other))
        await expectNew(4, { against: 'window' })
      })

      it('keeps neither itself nor a newer one from acting', async () => {
        await wait(5)
        await expectNew(5, { against: 'order' })
        await release(5)
        await expectNew(6, { against: 'order' })
      })

      it('and another at one time, of another source, do not give way to each other', async () => {
        const twin = { stamp: stampAt(5, { source: 'b/0' }) }
        await wait(5)
        await expectNew(6, { ...twin, against: 'order' })
        await release(6)
        await wait(6, twin)
        await expectNew(5, { against: 'order' })
      })

      it('and the same one by another name do not give way to each other', async () => {
        await wait(5)
        await expectNew(5, { against: 'order', task: 'replayed' })
      })

      it('is replaced by a newer one, and not by an older one', async () => {
        await wait(5)
        await wait(7)
        await wait(3)
        await expectKind('superseded', claim(6, { against: 'order' }))
        await expectNew(7, { against: 'order' })
      })

      it('is forgotten once it must have fallen due', async () => {
        await wait(5, { keepMs: shortMs })
        await fixture.passTime(overMs)
        await expectNew(4, { against: 'order' })
      })

      it('can be noted to wait for longer', async () => {
        await wait(5, { keepMs: shortMs })
        await wait(5)
        await fixture.passTime(overMs)
        await expectKind('superseded', claim(4, { against: 'order' }))
      })

      it('finds what was acted on until it comes back, before or after it was noted', async () => {
        await complete(6, { key: 'before', keepMs: shortMs })
        await wait(5, { key: 'before' })
        await wait(5, { key: 'after' })
        await complete(6, { key: 'after' })
        await fixture.passTime(overMs)
        for (const key of ['before', 'after']) {
          await expectKind('superseded', claim(5, { key, against: 'order' }))
        }
      })

      it('leaves lease, window and newest as they are', async () => {
        await complete(1, { windowMs: longMs })
        await expectNew(2)
        await wait(5)
        await expectBusy(3)
        await release(2)
        await expectKind('done', claim(3, { against: 'window' }))
      })
    })

    describe('any text', () => {
      const long = 'x'.repeat(100 * 1_024)
      const texts: [string, string][] = [
        ['nothing', ''],
        ['a space', ' '],
        ['NUL', '\0'],
        ['two NULs', '\0\0'],
        ['a NUL in between', 'a\0b'],
        ['what is before a NUL', 'a'],
        ['braces', '{}'],
        ['braces around', '{a}'],
        ['an opened brace', '{'],
        ['line feeds', 'a\nb\r\nc'],
        ['quotes', `"'\\`],
        ['a colon', ':'],
        ['a star', '*'],
        ['an emoji', '😀'],
        ['half of an emoji', '😀'.slice(0, 1)],
        ['the other half', '😀'.slice(1)],
        ['the halves turned round', `${'😀'.slice(1)}${'😀'.slice(0, 1)}`],
        ['what stands for halves', '�'],
        ['an accent', 'é'],
        ['an accent of two', 'e\u0301'],
        ['a number', '1'],
        ['a number with a zero', '01'],
        ['100 KiB', long],
        ['100 KiB and something', `${long}y`],
        ['100 KiB that differ in front', `y${long}`],
        ['a thousand emoji', '😀'.repeat(1_000)],
        ['a name of objects', '__proto__'],
      ]

      it('is a key of its own, the same for every client', async () => {
        const keys = texts.map(([, key]) => key)
        const first = await Promise.all(keys.map((key, at) => claim(at, { key })))
        expect(keysThatAreNot('new', first)).to.deep.equal([])
        const second = await Promise.all(keys.map((key) => claim(99, { key }, other)))
        expect(keysThatAreNot('busy', second)).to.deep.equal([])
        await Promise.all(keys.map((key, at) => store.release(run(at, { key }))))
        const third = await Promise.all(keys.map((key) => claim(99, { key }, other)))
        expect(keysThatAreNot('new', third)).to.deep.equal([])
      })

      it('is a rule of its own', async () => {
        const rules = texts.map(([, text]) => `${rule}${text}`)
        const first = await Promise.all(rules.map((name, at) => claim(at, { rule: name })))
        expect(keysThatAreNot('new', first)).to.deep.equal([])
        const second = await Promise.all(rules.map((name) => claim(99, { rule: name })))
        expect(keysThatAreNot('busy', second)).to.deep.equal([])
      })

      // These are made of names of topics and of numbers: neither broken nor of any length.
      const names = texts.filter(([, text]) => !/\p{Surrogate}/u.test(text) && text.length <= 2_000)
      for (const [what, text] of names) {
        it(`is the name of a task and of a source: ${what}`, async () => {
          const task = text
          const own = { task, stamp: stampAt(5, { source: text }) }
          await complete(5, { ...own, windowMs: longMs })
          await expectNew(5, { ...own, against: 'order' })
          await release(5)
          const newer = stampAt(6, { source: text, timeMs: 0 })
          const asked = claim(6, { task: `${text}.`, stamp: newer, against: 'window' })
          expect(await asked).to.include({ kind: 'done', isCovered: false })
          const foreign = stampAt(6, { source: `${text}.`, timeMs: 0 })
          const askedToo = claim(6, { task: `${text}.`, stamp: foreign, against: 'window' })
          expect(await askedToo).to.include({ kind: 'done', isCovered: true })
        })
      }

      it('of 64 characters is the token of a run', async () => {
        const tokens = ['t'.repeat(64), `${'t'.repeat(63)}u`]
        await expectNew(1, { token: tokens[0] ?? '' })
        await expectBusy(1, { token: tokens[1] ?? '' })
        await expectNew(1, { token: tokens[0] ?? '' })
      })

      function keysThatAreNot(kind: ClaimAnswer['kind'], answers: readonly ClaimAnswer[]) {
        return texts.filter((_, at) => answers[at]?.kind !== kind).map(([what]) => what)
      }
    })

    it('answers any sequence of calls as the functions of store-entry.ts do', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(aStep(fixture.isTimeFaked), { maxLength: 40 }), async (steps) => {
          rule = `rule-${++tests}`
          const model = new Model()
          for (const step of steps) {
            if (step.kind === 'pass') {
              model.nowMs += step.ms
              await fixture.passTime(step.ms)
              continue
            }
            const call = callOf(rule, step)
            const want = model.answer(call)
            const answer = await answerOf(step.byOther ? other : store, call)
            if (typeof want === 'object' && 'leftMs' in want && typeof answer === 'object') {
              expectLeft(answer, want.leftMs)
              expect({ ...answer, leftMs: 0 }).to.deep.equal({ ...want, leftMs: 0 })
            } else {
              expect(answer).to.deep.equal(want)
            }
          }
        }),
        { numRuns: fixture.isTimeFaked ? 500 : 60 },
      )
    })

    describe('closing', () => {
      it('answers all that comes later with unknown, and what is under way somehow', async () => {
        const client = await fixture.second()
        const underWay = Array.from({ length: 50 }, (_, i) => claim(i, { key: `${i}` }, client))
        await client.close()
        for (const { kind } of await Promise.all(underWay)) {
          expect(kind).to.be.oneOf(['new', 'unknown'])
        }
        const asked = run(1)
        expect(await client.claim(asked)).to.deep.equal({ kind: 'unknown' })
        expect(await client.renew(asked)).to.equal('unknown')
        expect(await client.complete(asked)).to.equal('unknown')
        expect(await client.release(asked)).to.equal('unknown')
        expect(await client.noteWaiting(asked)).to.equal('unknown')
      })

      it('can be asked for twice, also at once', async () => {
        const client = await fixture.second()
        await Promise.all([client.close(), client.close()])
        await client.close()
      })

      it('leaves the leases and marks to the other clients', async () => {
        const client = await fixture.second()
        await expectNew(1, {}, client)
        await complete(1, { key: 'l', windowMs: longMs }, client)
        await client.close()
        await expectBusy(2)
        await expectKind('done', claim(2, { key: 'l', against: 'window' }))
      })
    })

    it('was never in trouble', () => {
      expect(fixture.told.states).to.deep.equal([])
      expect(store.state).to.deep.equal({ kind: 'ok' })
    })
  })
}

/** Offsets and times of one source rise together, unless `more` says otherwise. */
export function stampAt(offset: number, more: Partial<Stamp> = {}): Stamp {
  const timeMs = Date.UTC(2026, 0, 1)
  return { version: null, source: 'a/0', offset: BigInt(offset), timeMs, ...more }
}

type Call =
  | { readonly kind: 'claim'; readonly request: ClaimRequest }
  | { readonly kind: 'renew'; readonly request: LeaseRequest }
  | { readonly kind: 'complete'; readonly request: CompleteRequest }
  | { readonly kind: 'release'; readonly request: ReleaseRequest }
  | { readonly kind: 'noteWaiting'; readonly request: WaitingRequest }

type Answer = ClaimAnswer | 'held' | 'lost' | StoreDone

function answerOf(store: Store, call: Call): Promise<Answer> {
  switch (call.kind) {
    case 'claim':
      return store.claim(call.request)
    case 'renew':
      return store.renew(call.request)
    case 'complete':
      return store.complete(call.request)
    case 'release':
      return store.release(call.request)
    case 'noteWaiting':
      return store.noteWaiting(call.request)
  }
}

/** What the store should hold: the pure functions on a map. */
class Model {
  nowMs = 1_000_000
  readonly #entries = new Map<string, StoreEntry | null>()

  answer(call: Call): Answer {
    const { key } = call.request
    const entry = this.#entries.get(key) ?? null
    switch (call.kind) {
      case 'claim':
        return this.#keep(key, claimOn(entry, call.request, this.nowMs))
      case 'renew':
        return this.#keep(key, renewOn(entry, call.request, this.nowMs))
      case 'complete':
        return this.#done(key, completeOn(entry, call.request, this.nowMs))
      case 'release':
        return this.#done(key, releaseOn(entry, call.request, this.nowMs))
      case 'noteWaiting':
        return this.#done(key, noteWaitingOn(entry, call.request, this.nowMs))
    }
  }

  #keep<T>(key: string, { entry, answer }: { entry: StoreEntry | null; answer: T }): T {
    this.#entries.set(key, entry)
    return answer
  }

  #done(key: string, entry: StoreEntry | null): 'done' {
    this.#entries.set(key, entry)
    return 'done'
  }
}

type CallStep = {
  readonly kind: Call['kind']
  readonly byOther: boolean
  readonly key: string
  readonly run: number
  readonly task: number
  readonly against: ClaimRequest['against']
  readonly stamp: Stamp
  readonly leaseMs: number
  readonly windowMs: number
  readonly keepMs: number
}

/** With real time, only what holds for longer than the test takes, or not at all, can be foretold. */
function aStep(isTimeFaked: boolean): fc.Arbitrary<CallStep | { kind: 'pass'; ms: number }> {
  const durationMs = isTimeFaked
    ? fc.integer({ min: 0, max: 8 })
    : fc.constantFrom(0, longMs, longMs * 2)
  const leaseMs = isTimeFaked ? fc.integer({ min: 1, max: 8 }) : fc.constant(longMs)
  const stamp = fc.record<Stamp>({
    version: fc.constantFrom(null, null, versionOf('1'), versionOf('2')),
    source: fc.constantFrom('a/0', 'a/0', 'b/0'),
    offset: fc.bigInt({ min: 0n, max: 3n }),
    timeMs: fc.integer({ min: 0, max: 3 }),
  })
  const call = fc.record<CallStep>({
    kind: fc.constantFrom('claim', 'claim', 'renew', 'complete', 'release', 'noteWaiting'),
    byOther: fc.boolean(),
    key: fc.constantFrom('k', 'k', 'l'),
    run: fc.integer({ min: 0, max: 3 }),
    task: fc.integer({ min: 0, max: 2 }),
    against: fc.constantFrom(...againsts),
    stamp,
    leaseMs,
    windowMs: durationMs,
    keepMs: durationMs,
  })
  if (!isTimeFaked) return call
  const pass = fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 6 }) })
  return fc.oneof({ weight: 4, arbitrary: call }, { weight: 1, arbitrary: pass })
}

function callOf(rule: string, step: CallStep): Call {
  const { kind, key, against, stamp, leaseMs, windowMs, keepMs } = step
  const own = { rule, key, token: `run ${step.run}`, task: `task ${step.task}` }
  // A request with the fields of all: a driver takes of it what its call is said to take.
  const request = { ...own, against, stamp, leaseMs, windowMs, keepMs }
  return { kind, request }
}
