import { expect } from 'chai'
import { Writer } from '../../../../src/drivers/embedded/writer.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import type { OpenLog } from './open-log.ts'
import { openLog } from './open-log.ts'

describe('The writer', () => {
  let log: OpenLog
  beforeEach(() => {
    log = openLog()
  })
  afterEach(() => log.close())

  const put = (name: string, value: number) => () => {
    void log.environment.meta.put(name, value)
    return value
  }

  it('gives back what the job returned once it is stored', async () => {
    expect(await log.writer.write(put('a', 7))).to.equal(7)
    expect(log.environment.meta.get('a')).to.equal(7)
  })

  it('runs jobs of one turn in one transaction, in order', async () => {
    const order: number[] = []
    const jobs = [1, 2, 3, 4, 5].map((i) => log.writer.write(() => order.push(i)))
    await Promise.all(jobs)
    expect(order).to.deep.equal([1, 2, 3, 4, 5])
    expect(log.commits()).to.equal(1)
  })

  it('gathers what comes during a commit for the next one', async () => {
    const first = log.writer.write(put('a', 1))
    await Promise.resolve()
    await Promise.resolve()
    const later = [1, 2, 3].map((i) => log.writer.write(put(`b${i}`, i)))
    await Promise.all([first, ...later])
    expect(log.commits()).to.equal(2)
  })

  it('lets a job see what one before it in the transaction has written', async () => {
    const count = () => log.writer.write(() => put('n', (log.environment.meta.get('n') ?? 0) + 1)())
    expect(await Promise.all([count(), count(), count()])).to.deep.equal([1, 2, 3])
  })

  it('stores the state of a partition that jobs have changed in place', async () => {
    const id = await log.makeTopic()
    const grow = () =>
      log.writer.write((transaction) => {
        const state = transaction.partition(id)
        if (state !== null) state.next++
      })
    await Promise.all([grow(), grow(), grow()])
    expect(log.state(id).next).to.equal(3)
  })

  it('has no state for a partition that is not there, or was dropped before', async () => {
    const id = await log.makeTopic()
    const [before, , after] = await Promise.all([
      log.writer.write((transaction) => transaction.partition(id)),
      log.writer.write((transaction) => transaction.dropPartition(id)),
      log.writer.write((transaction) => transaction.partition(id)),
    ])
    expect(before).to.not.equal(null)
    expect(after).to.equal(null)
    expect(log.environment.partitions.get(id)).to.equal(undefined)
    expect(await log.writer.write((transaction) => transaction.partition(99))).to.equal(null)
  })

  it('rejects a job that throws a PortError, and that job alone', async () => {
    const refusal = new PortError('bus', 'not-owner', 'no')
    const results = await Promise.allSettled([
      log.writer.write(put('a', 1)),
      log.writer.write(() => {
        throw refusal
      }),
      log.writer.write(put('b', 2)),
    ])
    expect(results.map((one) => one.status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).to.have.property('reason', refusal)
    expect(log.commits()).to.equal(1)
  })

  it('stores nothing of a job that breaks half-way, and everything of the others', async () => {
    const results = await Promise.allSettled([
      log.writer.write(put('a', 1)),
      log.writer.write(() => {
        put('half', 1)()
        throw new Error('broken half-way')
      }),
      log.writer.write(put('b', 2)),
    ])
    expect(results.map((one) => one.status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
    const kept = ['a', 'half', 'b'].map((name) => log.environment.meta.get(name))
    expect(kept).to.deep.equal([1, undefined, 2])
    const [, broken] = results
    expect(broken).to.have.property('reason').that.is.instanceOf(PortError)
  })

  it('makes callers wait while much is queued, and serves them all in the end', async () => {
    let running = 0
    const jobs = Array.from({ length: 12 }, () =>
      log.writer.write(() => void running++, 16 * 2 ** 20),
    )
    await Promise.all(jobs)
    expect(running).to.equal(12)
  })

  it('lets appends wait, and nothing else, while room is made on the disk', async () => {
    const order: string[] = []
    const note = (what: string) => () => void order.push(what)
    const before = log.writer.append(note('append before'), 1)
    const making = log.writer.withoutAppends(async () => {
      const append = log.writer.append(note('append'), 1)
      await log.writer.write(note('removal'))
      await log.writer.write(note('commit'))
      during.push(append)
    })
    const during: Promise<void>[] = []
    await Promise.all([before, making])
    await Promise.all(during)
    expect(order).to.deep.equal(['append before', 'removal', 'commit', 'append'])
  })

  it('refuses appends that wait for room on the disk when it is closed', async () => {
    let makeRoom = (): void => undefined
    const making = log.writer.withoutAppends(() => new Promise((resolve) => (makeRoom = resolve)))
    const append = log.writer.append(put('a', 1), 1).catch((error: unknown) => error)
    await log.writer.close()
    expect(await append)
      .to.be.instanceOf(PortError)
      .with.property('code', 'closed')
    await Promise.resolve()
    makeRoom()
    await making
  })

  it('stores what is queued when it is closed, and refuses what comes later', async () => {
    const writer = new Writer(log.environment, new FakeClock(), () => undefined)
    const queued = writer.write(put('queued', 1))
    await writer.close()
    expect(await queued).to.equal(1)
    const late = await writer.write(put('late', 1)).catch((error: unknown) => error)
    expect(late).to.be.instanceOf(PortError).with.property('code', 'closed')
    expect(log.environment.meta.get('late')).to.equal(undefined)
  })
})
