import { expect } from 'chai'
import { Housekeeping } from '../../../../src/drivers/embedded/housekeeping.ts'
import { ownEntry } from '../../../../src/drivers/embedded/liveness.ts'
import { trimRecordsMax } from '../../../../src/drivers/embedded/log.ts'
import { deleteTopics } from '../../../../src/drivers/embedded/topics.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import type { OpenLog } from './open-log.ts'
import { delays, openLog } from './open-log.ts'

describe('Housekeeping', () => {
  const hourMs = 3_600_000
  let log: OpenLog
  let clock: FakeClock
  let housekeeping: Housekeeping

  beforeEach(() => {
    log = openLog()
    clock = new FakeClock()
    const ports = { clock, logger: silentLogger }
    const retention = { ms: 24 * hourMs, bytes: 100_000 }
    housekeeping = new Housekeeping(log.environment, log.writer, ports, retention)
  })
  afterEach(async () => {
    await housekeeping.close()
    await log.close()
  })

  async function sweepAfter(ms: number): Promise<void> {
    await clock.advance(ms)
    await housekeeping.sweep()
  }

  it('removes records above the age of the log, however many, and no younger ones', async () => {
    const id = await log.makeTopic()
    const many = Array.from({ length: 2 * trimRecordsMax + 3 }, () => ({}))
    await log.append(id, many, clock.now())
    await clock.advance(2 * hourMs)
    await log.append(id, [{}], clock.now())
    await sweepAfter(22 * hourMs)
    expect(log.state(id).low).to.equal(0)
    await sweepAfter(1)
    expect(log.offsets(id)).to.deep.equal([many.length])
    expect(log.state(id).low).to.equal(many.length)
  })

  it('goes by the time of appending: an old timestamp makes no record old', async () => {
    const id = await log.makeTopic()
    await log.append(id, [{ timestampMs: 1 }], clock.now())
    await sweepAfter(hourMs)
    expect(log.offsets(id)).to.deep.equal([0])
  })

  it('goes by the age of the topic where it has one', async () => {
    const id = await log.makeTopic({ retentionMs: hourMs })
    await log.append(id, [{}], clock.now())
    await sweepAfter(hourMs + 1)
    expect(log.offsets(id)).to.deep.equal([])
  })

  it('removes the oldest records of a topic that is too large, whichever partition has them', async () => {
    const first = await log.makeTopic({ partitions: 2, retentionBytes: 5_000 })
    const value = 'x'.repeat(900)
    for (const partition of [0, 1, 0, 1, 0, 1, 1, 1]) {
      await log.append(first + partition, [{ value }], clock.now())
      await clock.advance(60_000)
    }
    await housekeeping.sweep()
    expect(log.offsets(first)).to.deep.equal([2])
    expect(log.offsets(first + 1)).to.deep.equal([1, 2, 3, 4])
    expect(log.state(first).bytes + log.state(first + 1).bytes).to.be.below(5_000)
  })

  it('goes by the size of the log where the topic has none', async () => {
    const id = await log.makeTopic()
    const record = { value: 'x'.repeat(1_000) }
    for (let i = 0; i < 150; i++) await log.append(id, [record], clock.now() + i * 2_000)
    await housekeeping.sweep()
    expect(log.state(id).bytes).to.be.within(98_000, 100_000)
  })

  it('removes what compaction has doomed, once it is due', async () => {
    const id = await log.makeTopic({ compacted: true })
    await log.append(id, [{ key: 'a' }, { key: 'a' }, { key: 'b' }], clock.now())
    await housekeeping.sweep()
    expect(log.offsets(id)).to.deep.equal([0, 1, 2])
    await sweepAfter(delays.supersededMs)
    expect(log.offsets(id)).to.deep.equal([1, 2])
  })

  it('keeps a compacted topic without bounds of its own, whatever its age and size', async () => {
    const id = await log.makeTopic({ compacted: true })
    const value = 'x'.repeat(60_000)
    await log.append(
      id,
      [
        { key: 'a', value },
        { key: 'b', value },
      ],
      clock.now(),
    )
    await sweepAfter(1_000 * hourMs)
    expect(log.offsets(id)).to.deep.equal([0, 1])
  })

  it('empties deleted topics', async () => {
    const id = await log.makeTopic({ partitions: 2 })
    const many = Array.from({ length: trimRecordsMax + 1 }, () => ({}))
    for (const partition of [0, 1]) await log.append(id + partition, many)
    await log.writer.write((transaction) => deleteTopics(log.environment, transaction, ['t']))
    await housekeeping.sweep()
    expect([...log.offsets(id), ...log.offsets(id + 1)]).to.deep.equal([])
  })

  it('forgets clients whose process is dead, and no other', async () => {
    const { clients } = log.environment
    await log.writer.write(() => {
      void clients.put('alive', ownEntry())
      void clients.put('dead', { ...ownEntry(), startedAt: '1' })
    })
    await housekeeping.sweep()
    await log.writer.write(() => undefined) // stored after it
    expect([...clients.getKeys({})]).to.deep.equal(['alive'])
  })

  it('writes nothing while nothing is due', async () => {
    const id = await log.makeTopic()
    await log.append(id, [{}], clock.now())
    const before = log.commits()
    await housekeeping.sweep()
    expect(log.commits()).to.equal(before)
  })

  it('comes round by itself until it is closed, and leaves no timer', async () => {
    const id = await log.makeTopic({ retentionMs: 1 })
    await log.append(id, [{}], clock.now())
    housekeeping.start()
    await clock.advance(5_000)
    await housekeeping.close()
    expect(log.offsets(id)).to.deep.equal([])
    expect(clock.pending).to.equal(0)
  })
})
