import { expect } from 'chai'
import fc from 'fast-check'
import {
  buryStep,
  compactStep,
  headAppendedMs,
  offsetForTime,
  readChunk,
  trimHead,
  trimRecordsMax,
} from '../../../../src/drivers/embedded/log.ts'
import { deleteTopics } from '../../../../src/drivers/embedded/topics.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import type { OpenLog, TestRecord } from './open-log.ts'
import { delays, openLog } from './open-log.ts'

const where = { topic: 't', partition: 0 }

describe('A partition of the log', () => {
  let log: OpenLog
  beforeEach(() => {
    log = openLog()
  })
  afterEach(() => log.close())

  const times = (count: number, timeOf: (i: number) => number): TestRecord[] =>
    Array.from({ length: count }, (_, i) => ({ timestampMs: timeOf(i) }))

  const trimBelow = (id: number, offset: number) =>
    log.writer.write((transaction) =>
      trimHead(log.environment, transaction, id, (record) => record.offset < offset),
    )

  describe('is read in chunks', () => {
    it('of a bounded number of records, and says where to go on', async () => {
      const id = await log.makeTopic()
      await log.append(
        id,
        times(1_203, (i) => i),
      )
      const sizes: number[] = []
      let next = 0
      while (next < 1_203) {
        const chunk = readChunk(log.environment, where, id, next, 1_203)
        expect(chunk.records[0]?.offset).to.equal(BigInt(next))
        sizes.push(chunk.records.length)
        next = chunk.next
      }
      expect(sizes).to.deep.equal([500, 500, 203])
    })

    it('of bounded bytes, but of one record at least, however large', async () => {
      const id = await log.makeTopic()
      const large = 'x'.repeat(700_000)
      await log.append(id, [{ value: large }, { value: large }, { value: large.repeat(3) }, {}])
      const sizes = [0, 1, 2, 3].map((from) => {
        const { records, next } = readChunk(log.environment, where, id, from, 4)
        return [records.length, next]
      })
      expect(sizes).to.deep.equal([
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 4],
      ])
    })

    it('that end before `to`, and are empty where nothing is left', async () => {
      const id = await log.makeTopic()
      await log.append(id, [{}, {}, {}])
      expect(readChunk(log.environment, where, id, 0, 2).records).to.have.length(2)
      expect(readChunk(log.environment, where, id, 2, 2)).to.deep.equal({ records: [], next: 2 })
    })
  })

  describe('finds the first record not older than a time', () => {
    const oracle = (kept: readonly { offset: number; time: number }[], time: number, end: number) =>
      kept.find((record) => record.time >= time)?.offset ?? end

    const find = (id: number, time: number) =>
      offsetForTime(log.environment, where, id, time, () => Promise.resolve())

    // Long enough that the index has several entries, with gaps that are and are not rises.
    const shapes: readonly { name: string; timeOf: (i: number) => number }[] = [
      { name: 'rise', timeOf: (i) => 1_000 + i },
      { name: 'fall', timeOf: (i) => 10_000 - i },
      { name: 'stand still', timeOf: () => 5_000 },
      { name: 'rise in steps', timeOf: (i) => 1_000 + Math.floor(i / 700) * 100 },
      { name: 'jump ahead once and stay behind', timeOf: (i) => (i === 10 ? 9_000 : 1_000 + i) },
      { name: 'rise once after a long plateau', timeOf: (i) => (i < 2_500 ? 1_000 : 2_000) },
      { name: 'swing', timeOf: (i) => 5_000 + Math.round(3_000 * Math.sin(i / 200)) },
    ]
    for (const { name, timeOf } of shapes) {
      it(`when times ${name}, also once the head was trimmed`, async () => {
        const id = await log.makeTopic()
        const records = times(3_000, timeOf)
        for (let from = 0; from < 3_000; from += 300) {
          await log.append(id, records.slice(from, from + 300))
        }
        for (const low of [0, 11, 300, 1_700]) {
          while ((await trimBelow(id, low)) > 0);
          const kept = records
            .map(({ timestampMs = 0 }, offset) => ({ offset, time: timestampMs }))
            .slice(low)
          const asked = [0, 999, 1_000, 1_001, 1_512, 2_000, 2_700, 4_999, 5_000, 7_999, 8_000]
          for (const time of [...asked, 8_999, 9_000, 9_001, 10_000, 99_999]) {
            const want = oracle(kept, time, 3_000)
            expect(await find(id, time), `${time} above ${low}`).to.equal(want)
          }
        }
      })
    }

    it('and its end when there is none, and zero in an empty one', async () => {
      const id = await log.makeTopic()
      expect(await find(id, 0)).to.equal(0)
      await log.append(id, [{ timestampMs: 5 }])
      expect(await find(id, 6)).to.equal(1)
    })
  })

  describe('is trimmed', () => {
    it('in bounded steps', async () => {
      const id = await log.makeTopic()
      await log.append(
        id,
        times(trimRecordsMax + 20, () => 0),
      )
      const steps = [await trimBelow(id, 9_999), await trimBelow(id, 9_999)]
      expect(steps).to.deep.equal([trimRecordsMax, 20])
      expect(log.state(id)).to.include({ low: trimRecordsMax + 20, bytes: 0 })
      expect(await trimBelow(id, 9_999)).to.equal(0)
    })

    it('in steps of bounded bytes, but of one record at least, however large', async () => {
      const id = await log.makeTopic()
      const large = 'x'.repeat(3 * 2 ** 20)
      await log.append(
        id,
        [large, large, large, large.repeat(3), ''].map((value) => ({ value })),
      )
      const steps = [0, 1, 2, 3].map(() => trimBelow(id, 9_999))
      expect(await Promise.all(steps)).to.deep.equal([2, 1, 1, 1])
      expect(log.state(id)).to.include({ low: 5, bytes: 0 })
    })

    it('and goes on with the next offset, never with one that was used', async () => {
      const id = await log.makeTopic()
      await log.append(id, [{}, {}])
      await trimBelow(id, 2)
      await log.append(id, [{}])
      expect(log.offsets(id)).to.deep.equal([2])
    })

    it('no further than the first record that must stay', async () => {
      const id = await log.makeTopic()
      for (const nowMs of [10, 20, 5, 30]) await log.append(id, [{}], nowMs)
      await log.writer.write((transaction) =>
        trimHead(log.environment, transaction, id, (record) => record.appendedMs < 15),
      )
      expect(log.offsets(id)).to.deep.equal([1, 2, 3])
      expect(headAppendedMs(log.environment, id, log.state(id))).to.equal(20)
    })
  })

  it('keeps at least the newest record of each key, and counts what it keeps', async () => {
    const keys = fc.constantFrom('a', 'b', 'c')
    const steps = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ key: keys, value: fc.option(fc.string()) }) },
        { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 1_500 }) }) },
        { weight: 1, arbitrary: fc.record({ trimBelow: fc.integer({ min: 0, max: 20 }) }) },
      ),
      { maxLength: 25 },
    )
    let topics = 0
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const id = await log.makeTopic({ name: `c${++topics}`, compacted: true })
        let nowMs = 1_000_000 * topics
        const model: { offset: number; key: string; isTombstone: boolean; atMs: number }[] = []
        let low = 0
        let next = 0
        for (const step of taken) {
          if ('key' in step) {
            await log.append(id, [step], nowMs)
            model.push({
              offset: next++,
              key: step.key,
              isTombstone: step.value === null,
              atMs: nowMs,
            })
          } else if ('passMs' in step) {
            nowMs += step.passMs
            await log.writer.write((transaction) =>
              compactStep(log.environment, transaction, nowMs),
            )
          } else {
            low = Math.max(low, Math.min(step.trimBelow, next))
            while ((await trimBelow(id, low)) > 0);
          }
        }
        nowMs += delays.tombstoneMs + delays.supersededMs
        await log.writer.write((transaction) => compactStep(log.environment, transaction, nowMs))
        // All delays are over: exactly the newest of each key is left, unless it is a tombstone.
        const newest = new Map(model.map((record) => [record.key, record]))
        const want = [...newest.values()]
          .filter((record) => !record.isTombstone && record.offset >= low)
          .map((record) => record.offset)
          .toSorted((a, b) => a - b)
        expect(log.offsets(id)).to.deep.equal(want)
        const bytes = want.map(
          (offset) => log.environment.log.get([id, offset])?.length ?? Number.NaN,
        )
        expect(log.state(id).bytes).to.equal(bytes.reduce((sum, one) => sum + one, 0))
        const kept = [...log.environment.keys.getKeys({ start: [id], end: [id + 1] })]
        expect(kept).to.have.length(want.length)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps superseded records and tombstones for their time', async () => {
    const id = await log.makeTopic({ compacted: true })
    await log.append(id, [{ key: 'a' }, { key: 'a', value: null }], 1_000)
    const compactAt = async (nowMs: number) => {
      await log.writer.write((transaction) => compactStep(log.environment, transaction, nowMs))
      return log.offsets(id)
    }
    expect(await compactAt(1_000 + delays.supersededMs - 1)).to.deep.equal([0, 1])
    expect(await compactAt(1_000 + delays.supersededMs)).to.deep.equal([1])
    expect(await compactAt(1_000 + delays.tombstoneMs - 1)).to.deep.equal([1])
    expect(await compactAt(1_000 + delays.tombstoneMs)).to.deep.equal([])
  })

  describe('that is compacted, where a record is damaged', () => {
    async function damaged(): Promise<number> {
      const id = await log.makeTopic({ compacted: true })
      await log.append(id, [{ key: 'a' }, { key: 'a' }, { key: 'b' }, { key: 'b' }])
      await log.writer.write(() => {
        const bytes = Buffer.from(log.environment.log.get([id, 0]) ?? [])
        bytes[30] = (bytes[30] ?? 0) ^ 1
        void log.environment.log.put([id, 0], bytes)
      })
      return id
    }

    it('is compacted all the same', async () => {
      const id = await damaged()
      await log.writer.write((transaction) => compactStep(log.environment, transaction, 9_999))
      expect(log.offsets(id)).to.deep.equal([1, 3])
    })

    it('is trimmed all the same', async () => {
      const id = await damaged()
      expect(await trimBelow(id, 2)).to.equal(2)
      expect(log.offsets(id)).to.deep.equal([2, 3])
    })
  })

  it('of a deleted topic takes nothing more, and is emptied step by step', async () => {
    const id = await log.makeTopic({ compacted: true })
    const other = await log.makeTopic({ name: 'other' })
    await log.append(id, [{ key: 'a' }, { key: 'b' }])
    await log.append(
      id,
      Array.from({ length: trimRecordsMax }, (_, i) => ({ key: `k${i}` })),
    )
    await log.append(other, [{}])
    await log.writer.write((transaction) => deleteTopics(log.environment, transaction, ['t']))
    const refused = await log.append(id, [{}]).catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(PortError).with.property('code', 'unknown-topic')

    const bury = () => log.writer.write(() => buryStep(log.environment, id))
    expect([await bury(), await bury()]).to.deep.equal([false, true])
    const { log: records, times, keys, graves } = log.environment
    const left = [records, times, keys].map((database) => [
      ...database.getKeys({ start: [id], end: [id + 1] }),
    ])
    expect(left).to.deep.equal([[], [], []])
    expect([...graves.getKeys({})]).to.deep.equal([])
    expect(log.offsets(other)).to.deep.equal([0])
  })
})
