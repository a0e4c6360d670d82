import { expect } from 'chai'
import {
  kafkaErrorType,
  toPortError,
  withDeadline,
} from '../../../../src/drivers/kafkajs/errors.ts'
import { Generation } from '../../../../src/drivers/kafkajs/generation.ts'
import { groupTroubleOf } from '../../../../src/drivers/kafkajs/group-errors.ts'
import { errorOfCode } from '../../../../src/drivers/kafkajs/innards.ts'
import { OwnedPartition } from '../../../../src/drivers/kafkajs/owned-partition.ts'
import { summarised } from '../../../../src/drivers/kafkajs/summarised.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

describe('An error of Kafka becomes', () => {
  const rows = [
    { code: 1, want: 'unreachable' }, // OFFSET_OUT_OF_RANGE: the fetchers take care of it
    { code: 2, want: 'unreachable' }, // CORRUPT_MESSAGE
    { code: 3, want: 'unknown-topic' },
    { code: 5, want: 'unreachable' }, // LEADER_NOT_AVAILABLE
    { code: 6, want: 'unreachable' }, // NOT_LEADER_FOR_PARTITION
    { code: 7, want: 'unreachable' }, // REQUEST_TIMED_OUT
    { code: 10, want: 'too-large' },
    { code: 12, want: 'invalid' }, // OFFSET_METADATA_TOO_LARGE
    { code: 17, want: 'invalid' }, // INVALID_TOPIC_EXCEPTION
    { code: 18, want: 'too-large' },
    { code: 19, want: 'unreachable' }, // NOT_ENOUGH_REPLICAS
    { code: 23, want: 'invalid' }, // INCONSISTENT_GROUP_PROTOCOL
    { code: 29, want: 'denied' },
    { code: 30, want: 'denied' },
    { code: 31, want: 'denied' },
    { code: 38, want: 'invalid' }, // INVALID_REPLICATION_FACTOR
    { code: 58, want: 'denied' }, // SASL_AUTHENTICATION_FAILED
    { code: 87, want: 'invalid' }, // INVALID_RECORD
    { code: 999, want: 'unreachable' }, // of the future
  ]
  for (const { code, want } of rows) {
    it(`${want} for code ${code}`, () => {
      const error = toPortError(errorOfCode(code), 'try')
      expect(error.code).to.equal(want)
      expect(error.message).to.match(/^could not try: [A-Z_]+$/)
    })
  }

  it('itself when it is one of ours already', () => {
    const ours = new PortError('bus', 'closed', 'closed')
    expect(toPortError(ours, 'try')).to.equal(ours)
  })

  it('unreachable when it is anything else, a refused connection say', () => {
    expect(toPortError(new Error('ECONNREFUSED'), 'try').code).to.equal('unreachable')
    expect(toPortError('text', 'try').message).to.equal('could not try: text')
  })

  it('what its cause says, however deep, and also without end', () => {
    const deep = new Error('a', { cause: new Error('b', { cause: errorOfCode(10) }) })
    expect(kafkaErrorType(deep)).to.equal('MESSAGE_TOO_LARGE')
    const endless = new Error('endless')
    endless.cause = endless
    expect(kafkaErrorType(endless)).to.equal(null)
    const many = Object.assign(new Error('many'), { errors: [errorOfCode(36), errorOfCode(1)] })
    expect(kafkaErrorType(many)).to.equal('TOPIC_ALREADY_EXISTS')
  })
})

describe('An answer of the coordinator means', () => {
  const rows = [
    { code: 14, want: 'moved' },
    { code: 15, want: 'moved' },
    { code: 16, want: 'moved' },
    { code: 22, want: 'left-behind' },
    { code: 25, want: 'forgotten' },
    { code: 27, want: 'rebalancing' },
    { code: 30, want: 'other' },
  ]
  for (const { code, want } of rows) {
    it(`${want} for code ${code}`, () => {
      const wrapped = toPortError(errorOfCode(code), 'join')
      expect(groupTroubleOf(wrapped)).to.equal(want)
    })
  }
})

describe('A deadline', () => {
  it('gives the answer that comes in time, and leaves no timer', async () => {
    const clock = new FakeClock()
    expect(await withDeadline(clock, 10, 'try', Promise.resolve(1))).to.equal(1)
    expect(clock.pending).to.equal(0)
  })

  it('rejects as unreachable when nothing comes, and says that it is late', async () => {
    const clock = new FakeClock()
    let isLate = false
    const late = () => void (isLate = true)
    const waiting = withDeadline(clock, 10, 'try', new Promise(() => undefined), late)
    const caught = waiting.catch((error: unknown) => error)
    await clock.advance(9)
    expect(isLate).to.equal(false)
    await clock.advance(1)
    expect(isLate).to.equal(true)
    expect(await caught).to.include({ code: 'unreachable' })
  })
})

describe('A generation', () => {
  it('ends once, for the first reason', async () => {
    const generation = new Generation(1, 'me')
    expect(generation.isEnded).to.equal(false)
    generation.end({ kind: 'rebalance' })
    generation.end({ kind: 'closing' })
    expect(await generation.ended).to.deep.equal({ kind: 'rebalance' })
    expect(generation.isLost).to.equal(false)
  })

  it('can be lost after it has ended', async () => {
    const generation = new Generation(1, 'me')
    generation.end({ kind: 'rebalance' })
    generation.end({ kind: 'lost' })
    await generation.lost
    expect(generation.isLost).to.equal(true)
  })
})

describe('A partition that fetches in vain', () => {
  const aPartition = () =>
    new OwnedPartition({ topic: 't', partition: 0, epoch: 1, position: 0n, metadata: '' })

  it('asks for more each fifth time, up to a bound, until it moves', () => {
    const partition = aPartition()
    const doubled = Array.from({ length: 10 }, () => partition.stalled())
    expect(doubled.map(Number).join('')).to.equal('0000100001')
    expect(partition.bytesMax).to.equal(4 * 2 ** 20)
    for (let i = 0; i < 100; i++) partition.stalled()
    expect(partition.bytesMax).to.equal(64 * 2 ** 20)
    partition.moved()
    expect(partition.bytesMax).to.equal(2 ** 20)
  })

  it('knows by its count of seeks what was fetched before one', () => {
    const partition = aPartition()
    partition.seek(7n)
    expect([partition.position, partition.seeks]).to.deep.equal([7n, 1])
  })
})

describe('A log that is summarised', () => {
  it('has one line of a kind in ten seconds, which says how many it stands for', async () => {
    const clock = new FakeClock()
    const lines: object[] = []
    const log = summarised((fields) => void lines.push(fields), clock)
    for (let i = 0; i < 5; i++) log('a', { i }, 'said')
    log('b', { other: true }, 'said')
    await clock.advance(10_000)
    log('a', { i: 9 }, 'said')
    expect(lines).to.deep.equal([{ i: 0 }, { other: true }, { i: 9, repeats: 4 }])
  })

  it('does not grow with the number of kinds', () => {
    const lines: object[] = []
    const log = summarised((fields) => void lines.push(fields), new FakeClock())
    for (let i = 0; i <= 100; i++) log(`kind ${i}`, {}, 'said')
    log('kind 0', {}, 'said') // forgotten, so it is new
    expect(lines).to.have.length(102)
  })
})
