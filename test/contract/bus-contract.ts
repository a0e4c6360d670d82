import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Bus, Consumer, ConsumeOptions, TopicSpec } from '../../src/ports/bus.ts'
import type { BusRecord, NewRecord } from '../../src/model/record.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { RecordingSink } from './recording-sink.ts'
import type { MemberProcess } from './member-process.ts'

/**
 * A bus to run the contract on, and what the tests need of it beside the port. The capabilities at
 * the end may be absent: the driver's own test file then says in words why it has none.
 */
export interface BusFixture {
  /** Shared by all tests; none of them closes it. */
  readonly bus: Bus
  /** Another client of the same bus, as another process would be. Closed by the fixture at last. */
  second(): Promise<Bus>
  /** A name that no other test uses, for a topic or a group. */
  uniqueName(prefix: string): string
  /** Ends every client and what stands behind them. */
  close(): Promise<void>
  /** How long anything that must happen may take here, a rebalance after a crash included. */
  readonly patienceMs: number
  /** Above this, a record's value is refused as `too-large`. At least 1 MiB. */
  readonly recordBytesMax: number
  /** Whether header values can be null here. */
  readonly nullHeaderValues: boolean
  /** A member in a process of its own, as one can be killed there only. */
  readonly spawnMember?: (options: ConsumeOptions) => MemberProcess
  /** Makes a topic of one partition with holes in it, and says which offsets are there. */
  readonly holes?: (topic: string) => Promise<readonly bigint[]>
  /** Removes records below `offset` of partition 0, as retention would. */
  readonly trim?: (topic: string, offset: bigint) => Promise<void>
  /** Codecs in which others may have written, and a producer that uses them. */
  readonly compressions?: readonly string[]
  readonly produceCompressed?: (
    codec: string,
    topic: string,
    values: readonly string[],
  ) => Promise<void>
  /** Stops what stands behind the bus, and starts it again on the same data. */
  readonly stopBroker?: () => Promise<void>
  readonly startBroker?: () => Promise<void>
}

const minutesMs = 60_000

/** What every Bus promises. A new driver is done when this passes for it. */
export function busContract(driver: string, open: () => Promise<BusFixture>): void {
  describe(`Bus contract: ${driver}`, function () {
    this.timeout(3 * minutesMs) // each wait has its own deadline; this only ends what hangs

    let fixture: BusFixture
    let bus: Bus
    let sinks: RecordingSink[] = []
    let consumers: Consumer[] = []
    let members: MemberProcess[] = []

    before(async () => {
      fixture = await open()
      bus = fixture.bus
    })
    after(() => fixture.close())
    afterEach(async () => {
      await Promise.all(members.map((member) => member.kill()))
      await Promise.all(consumers.map((consumer) => consumer.close(1_000)))
      const violations = sinks.flatMap((sink) => sink.violations)
      sinks = []
      consumers = []
      members = []
      expect(violations, 'what broke the promises of ConsumerSink').to.deep.equal([])
    })

    async function aTopic(partitions = 1, more: Partial<TopicSpec> = {}): Promise<string> {
      const name = fixture.uniqueName('topic')
      await bus.admin.ensureTopics([{ ...specOf(name, partitions), ...more }])
      return name
    }

    function aGroup(): string {
      return fixture.uniqueName('group')
    }

    function optionsOf(group: string, topics: readonly string[]): ConsumeOptions {
      return { group, topics, startAt: 'earliest', stateDir: null, revokeGraceMs: 5_000 }
    }

    async function join(
      options: ConsumeOptions,
      { on = bus, sink = new RecordingSink() }: { on?: Bus; sink?: RecordingSink } = {},
    ): Promise<{ sink: RecordingSink; consumer: Consumer }> {
      sinks.push(sink)
      const consumer = await on.consume(options, sink)
      consumers.push(consumer)
      return { sink, consumer }
    }

    const until = (sink: RecordingSink, what: string, claim: () => boolean) =>
      sink.until(what, claim, fixture.patienceMs)

    const untilOwned = (sink: RecordingSink, count: number) =>
      until(sink, `${count} partitions of our own`, () => sink.owned.size === count)

    const untilTexts = (sink: RecordingSink, count: number) =>
      until(sink, `${count} records`, () => sink.texts().length >= count)

    async function produceTexts(topic: string, texts: readonly string[], partition = 0) {
      return bus.produce(texts.map((text) => aRecord(topic, text, { partition })))
    }

    async function readAll(topic: string, partition = 0): Promise<readonly BusRecord[]> {
      return collect(bus.readRange({ topic, partition, from: 0n, to: 1_000_000n }))
    }

    async function committedOf(group: string, topic: string) {
      return bus.admin.groupOffsets(group, [topic])
    }

    describe('producing', () => {
      it('gives a record back as it was put: key, value, headers and time', async () => {
        const topic = await aTopic()
        const record: NewRecord = {
          topic,
          partition: 0,
          key: Buffer.from([0, 255, 1]),
          value: Buffer.from('{"é":"✓"}'),
          headers: [
            ['name', Buffer.from('first')],
            ['other', Buffer.alloc(0)],
            ['name', Buffer.from('second')],
          ],
          timestampMs: 1_700_000_000_123,
        }
        await bus.produce([record])
        const [back] = await readAll(topic)
        expect(back?.offset).to.equal(0n)
        expect(back?.key).to.deep.equal(record.key)
        expect(back?.value).to.deep.equal(record.value)
        expect(back?.timestampMs).to.equal(record.timestampMs)
        // Drivers may group repeated names, but keep the order among those of one name.
        expect(valuesOf(back, 'name')).to.deep.equal([Buffer.from('first'), Buffer.from('second')])
        expect(valuesOf(back, 'other')).to.deep.equal([Buffer.alloc(0)])
        expect(back?.headers).to.have.length(3)
      })

      it('tells null from empty in keys and values', async () => {
        const topic = await aTopic()
        const base = { topic, partition: 0, headers: [] }
        await bus.produce([
          { ...base, key: Buffer.from('k'), value: null },
          { ...base, key: Buffer.from('k'), value: Buffer.alloc(0) },
          { ...base, key: null, value: Buffer.from('v') },
          { ...base, key: Buffer.alloc(0), value: Buffer.from('v') },
        ])
        const back = await readAll(topic)
        expect(back.map(({ key, value }) => [key?.toString(), value?.toString()])).to.deep.equal([
          ['k', undefined],
          ['k', ''],
          [undefined, 'v'],
          ['', 'v'],
        ])
      })

      it('keeps a header without a value', async function () {
        if (!fixture.nullHeaderValues) return expectSaid(driver, 'nullHeaderValues', this.test)
        const topic = await aTopic()
        const headers = [['none', null]] as const
        await bus.produce([aRecord(topic, 'v', { partition: 0, headers })])
        expect(valuesOf((await readAll(topic))[0], 'none')).to.deep.equal([null])
      })

      it('stamps a record without a time with now', async () => {
        const topic = await aTopic()
        const before = Date.now()
        await produceTexts(topic, ['v'])
        const [back] = await readAll(topic)
        expect(back?.timestampMs).to.be.within(before - 1_000, Date.now() + 1_000)
      })

      it('says where each record went, in the order given', async () => {
        const topic = await aTopic(2)
        const other = await aTopic()
        const placed = await bus.produce([
          aRecord(topic, 'a', { partition: 1 }),
          aRecord(other, 'b', { partition: 0 }),
          aRecord(topic, 'c', { partition: 0 }),
          aRecord(topic, 'd', { partition: 1 }),
        ])
        expect(placed).to.deep.equal([
          { topic, partition: 1, offset: 0n },
          { topic: other, partition: 0, offset: 0n },
          { topic, partition: 0, offset: 0n },
          { topic, partition: 1, offset: 1n },
        ])
      })

      it('takes an empty call for done', async () => {
        expect(await bus.produce([])).to.deep.equal([])
      })

      it('keeps the order within a call and tells no offset twice over calls that overlap', async () => {
        const topic = await aTopic()
        const second = await fixture.second()
        const calls = Array.from({ length: 60 }, (_, call) =>
          (call % 2 === 0 ? bus : second).produce(
            [0, 1, 2].map((i) => aRecord(topic, `${call}.${i}`, { partition: 0 })),
          ),
        )
        const placed = await Promise.all(calls)
        const textAt = new Map<bigint, string>()
        placed.forEach((call, index) => {
          expect(call.map((one) => one.offset)).to.deep.equal(
            call.map((one) => one.offset).toSorted(byValue),
          )
          call.forEach((one, i) => textAt.set(one.offset, `${index}.${i}`))
        })
        expect(textAt.size).to.equal(180)
        for (const { offset, value } of await readAll(topic)) {
          expect(value?.toString()).to.equal(textAt.get(offset))
        }
      })

      it('puts a record where its partition key says, and keeps its own key', async () => {
        const topic = await aTopic(4)
        const keyed = (key: string, partitionKey?: string) => ({
          ...aRecord(topic, 'v', { key }),
          ...(partitionKey === undefined ? {} : { partitionKey: Buffer.from(partitionKey) }),
        })
        const pages = Array.from({ length: 20 }, (_, i) => `page-${i}`)
        const byKey = await bus.produce(pages.map((page) => keyed(page)))
        const byPartitionKey = await bus.produce(pages.map((page, i) => keyed(`job-${i}`, page)))
        expect(byPartitionKey.map((one) => one.partition)).to.deep.equal(
          byKey.map((one) => one.partition),
        )
        const last = (await readAll(topic, byPartitionKey[0]?.partition)).map(({ key }) =>
          String(key),
        )
        expect(last).to.include('job-0').and.to.include('page-0')
      })

      it('puts a key on the same partition whoever produces it, and spreads keys', async () => {
        const topic = await aTopic(4)
        const second = await fixture.second()
        const keys = Array.from({ length: 40 }, (_, i) => aRecord(topic, 'v', { key: `key-${i}` }))
        const first = await bus.produce(keys)
        const again = await second.produce(keys)
        expect(again.map((one) => one.partition)).to.deep.equal(first.map((one) => one.partition))
        expect(new Set(first.map((one) => one.partition)).size).to.equal(4)
      })

      it('spreads records without a key', async () => {
        const topic = await aTopic(3)
        const placed = await bus.produce(Array.from({ length: 60 }, () => aRecord(topic, 'v')))
        expect(new Set(placed.map((one) => one.partition)).size).to.be.above(1)
      })

      it('takes a record of 1 MiB', async () => {
        const topic = await aTopic()
        // Chance, so that no compression can make it small.
        const value = randomBytes(2 ** 20 - 2_048)
        await bus.produce([{ topic, partition: 0, key: null, value, headers: [] }])
        const [back] = await readAll(topic)
        expect(back?.value?.equals(value)).to.equal(true)
      })

      it('refuses a record above its limit as too-large, and no other call suffers', async () => {
        const topic = await aTopic()
        const huge = randomBytes(fixture.recordBytesMax + 1_024)
        const results = await Promise.allSettled([
          produceTexts(topic, ['before']),
          bus.produce([{ topic, partition: 0, key: null, value: huge, headers: [] }]),
          produceTexts(topic, ['after']),
        ])
        expect(results.map((one) => one.status)).to.deep.equal([
          'fulfilled',
          'rejected',
          'fulfilled',
        ])
        expect(codeOf(results[1])).to.equal('too-large')
        expect(textsOf(await readAll(topic)).toSorted()).to.deep.equal(['after', 'before'])
      })

      it('refuses an unknown topic, and no other call suffers', async () => {
        const topic = await aTopic()
        const results = await Promise.allSettled([
          bus.produce([aRecord(fixture.uniqueName('nowhere'), 'lost')]),
          produceTexts(topic, ['kept']),
        ])
        expect(codeOf(results[0])).to.equal('unknown-topic')
        expect(textsOf(await readAll(topic))).to.deep.equal(['kept'])
      })
    })

    describe('readRange', () => {
      it('gives what lies in [from, to) and nothing else', async () => {
        const topic = await aTopic(2)
        await produceTexts(topic, numbered(10))
        await produceTexts(topic, ['elsewhere'], 1)
        const range = bus.readRange({ topic, partition: 0, from: 3n, to: 7n })
        expect(textsOf(await collect(range))).to.deep.equal(['3', '4', '5', '6'])
      })

      it('ends at the end of the log as it was at the call', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(5))
        const texts: string[] = []
        for await (const records of bus.readRange({ topic, partition: 0, from: 0n, to: 99n })) {
          texts.push(...textsOf(records))
          await produceTexts(topic, ['later'])
        }
        expect(texts).to.deep.equal(numbered(5))
      })

      it('is empty for an empty partition, and for a range beyond the end', async () => {
        const topic = await aTopic(2)
        await produceTexts(topic, ['v'], 1)
        expect(await readAll(topic, 0)).to.deep.equal([])
        const beyond = bus.readRange({ topic, partition: 1, from: 5n, to: 9n })
        expect(await collect(beyond)).to.deep.equal([])
      })

      it('gives many records in order, each once', async () => {
        const topic = await aTopic()
        const texts = numbered(3_000).map((text) => text.padEnd(500, '.'))
        await produceTexts(topic, texts)
        expect(textsOf(await readAll(topic))).to.deep.equal(texts)
      })

      it('stops when its signal aborts', async () => {
        const topic = await aTopic()
        await produceTexts(
          topic,
          numbered(3_000).map((text) => text.padEnd(1_000, '.')),
        )
        const stop = new AbortController()
        let seen = 0
        const reading = (async () => {
          const range = { topic, partition: 0, from: 0n, to: 3_000n, signal: stop.signal }
          for await (const records of bus.readRange(range)) {
            seen += records.length
            stop.abort(new Error('enough'))
          }
        })()
        await reading.catch((error: unknown) => {
          expect((error as Error).message).to.equal('enough') // as: whatever it is, it has none
        })
        expect(seen).to.be.within(1, 2_999)
      })

      it('refuses an unknown topic', async () => {
        const topic = fixture.uniqueName('nowhere')
        const reading = collect(bus.readRange({ topic, partition: 0, from: 0n, to: 1n }))
        expect(await codeOfRejection(reading)).to.equal('unknown-topic')
      })

      it('leaves a group that reads the same partition alone', async () => {
        const topic = await aTopic()
        const group = aGroup()
        await produceTexts(topic, numbered(3))
        const { sink } = await join(optionsOf(group, [topic]))
        await untilTexts(sink, 3)
        const before = await committedOf(group, topic)
        await readAll(topic)
        await produceTexts(topic, ['next'])
        await untilTexts(sink, 4)
        expect(sink.revocations).to.deep.equal([])
        expect(await committedOf(group, topic)).to.deep.equal(before)
      })

      it('passes over holes', async function () {
        if (fixture.holes === undefined) return expectSaid(driver, 'holes', this.test)
        const topic = fixture.uniqueName('holes')
        const kept = await fixture.holes(topic)
        expect(hasHole(kept), 'the fixture made a hole').to.equal(true)
        expect((await readAll(topic)).map((one) => one.offset)).to.deep.equal(kept)
      })

      it('starts at the first record kept when older ones are gone', async function () {
        if (fixture.trim === undefined) return expectSaid(driver, 'trim', this.test)
        const topic = await aTopic()
        await produceTexts(topic, numbered(10))
        await fixture.trim(topic, 4n)
        expect(textsOf(await readAll(topic))).to.deep.equal(['4', '5', '6', '7', '8', '9'])
      })
    })

    describe('compression of others', () => {
      it('is undone, whichever of the codecs it is', async function () {
        const { compressions, produceCompressed } = fixture
        if (compressions === undefined || produceCompressed === undefined) {
          return expectSaid(driver, 'compressions', this.test)
        }
        for (const codec of compressions) {
          const topic = await aTopic()
          const texts = numbered(50).map((text) => `${codec} `.repeat(50) + text)
          await produceCompressed(codec, topic, texts)
          expect(textsOf(await readAll(topic)), codec).to.deep.equal(texts)
        }
      })
    })

    describe('topics', () => {
      it('are made once, whoever asks and however often', async () => {
        const second = await fixture.second()
        const specs = [fixture.uniqueName('made'), fixture.uniqueName('made')].map((name) =>
          specOf(name, 2),
        )
        const answers = await Promise.all([
          bus.admin.ensureTopics(specs),
          second.admin.ensureTopics(specs),
          bus.admin.ensureTopics(specs),
        ])
        const names = specs.map((spec) => spec.name).toSorted()
        const created = answers.flatMap((answer) => answer.created)
        expect([...new Set(created)].toSorted()).to.deep.equal(names)
        expect((await bus.admin.ensureTopics(specs)).created).to.deep.equal([])
      })

      it('are not changed by a second ensure', async () => {
        const topic = await aTopic(2)
        await bus.admin.ensureTopics([specOf(topic, 5)])
        const [description] = await bus.admin.describeTopics([topic])
        expect(description?.partitions).to.equal(2)
      })

      it('can be listed and described; those that are not there are left out', async () => {
        const topic = await aTopic(3, { compacted: true, retentionMs: 3_600_000 })
        expect(await bus.admin.listTopics()).to.include(topic)
        const described = await bus.admin.describeTopics([fixture.uniqueName('nowhere'), topic])
        expect(described).to.deep.equal([
          { name: topic, partitions: 3, compacted: true, retentionMs: 3_600_000 },
        ])
      })

      it('are gone from the list once they are deleted, and so is what was in them', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(3))
        await bus.admin.deleteTopics([topic])
        await eventually('the topic is gone', async () => {
          return !(await bus.admin.listTopics()).includes(topic)
        })
        await eventually('the topic is made anew', async () => {
          await bus.admin.ensureTopics([specOf(topic, 1)])
          return (await bus.admin.watermarks(topic))[0]?.high === 0n
        })
        expect(await readAll(topic)).to.deep.equal([])
      })

      it('with a name that a bus cannot have are refused', async () => {
        const making = bus.admin.ensureTopics([specOf('no/such name', 1)])
        expect(await codeOfRejection(making)).to.equal('invalid')
      })

      it('tell their watermarks', async () => {
        const topic = await aTopic(2)
        await produceTexts(topic, numbered(3), 1)
        expect(await bus.admin.watermarks(topic)).to.deep.equal([
          { topic, partition: 0, low: 0n, high: 0n },
          { topic, partition: 1, low: 0n, high: 3n },
        ])
      })

      it('tell which offset a time stands for', async () => {
        const topic = await aTopic(2)
        const times = [1_000, 2_000, 3_000, 4_000].map((ms) => 1_700_000_000_000 + ms)
        for (const timestampMs of times) {
          await bus.produce([aRecord(topic, 'v', { partition: 0, timestampMs })])
        }
        const offsetAt = async (ms: number) => {
          const offsets = await bus.admin.offsetsForTime(topic, 1_700_000_000_000 + ms)
          return offsets.map(({ offset }) => offset)
        }
        expect(await offsetAt(0)).to.deep.equal([0n, 0n])
        expect(await offsetAt(2_000)).to.deep.equal([1n, 0n])
        expect(await offsetAt(2_001)).to.deep.equal([2n, 0n])
        expect(await offsetAt(9_000)).to.deep.equal([4n, 0n])
      })

      it('that are unknown cannot be asked about', async () => {
        const topic = fixture.uniqueName('nowhere')
        expect(await codeOfRejection(bus.admin.watermarks(topic))).to.equal('unknown-topic')
        expect(await codeOfRejection(bus.admin.offsetsForTime(topic, 0))).to.equal('unknown-topic')
      })
    })

    describe('a group', () => {
      it('reads what is there and what comes, in the order of the partition', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(5))
        const { sink } = await join(optionsOf(aGroup(), [topic]))
        await untilTexts(sink, 5)
        await produceTexts(topic, ['5', '6'])
        await untilTexts(sink, 7)
        expect(sink.texts()).to.deep.equal(numbered(7))
        expect(sink.states.map((state) => state.kind)).to.include('ready')
      })

      it('does not touch another group', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(4))
        const one = await join(optionsOf(aGroup(), [topic]))
        const group = aGroup()
        const other = await join(optionsOf(group, [topic]))
        await untilTexts(one.sink, 4)
        await untilTexts(other.sink, 4)
        await one.consumer.commit([entryOf(one.sink, topic, 0, 4n)])
        expect((await committedOf(group, topic))[0]?.offset).to.equal(0n)
      })

      const starts = [
        { name: 'earliest', startAt: 'earliest', want: ['0', '1', '2', '3', 'new'] },
        { name: 'latest', startAt: 'latest', want: ['new'] },
        { name: 'a time', startAt: 1_700_000_002_000, want: ['2', '3', 'new'] },
      ] as const
      for (const { name, startAt, want } of starts) {
        it(`starts at ${name} where nothing is committed, and commits the start at once`, async () => {
          const topic = await aTopic()
          const group = aGroup()
          for (const [i, text] of numbered(4).entries()) {
            const timestampMs = 1_700_000_000_000 + i * 1_000
            await bus.produce([aRecord(topic, text, { partition: 0, timestampMs })])
          }
          const { sink } = await join({ ...optionsOf(group, [topic]), startAt })
          await untilOwned(sink, 1)
          const [committed] = await committedOf(group, topic)
          expect(committed?.offset).to.equal(sink.assignments[0]?.position)
          await produceTexts(topic, ['new'])
          await untilTexts(sink, want.length)
          expect(sink.texts()).to.deep.equal(want)
        })
      }

      it('that started at latest and stopped without a commit misses nothing in between', async () => {
        const topic = await aTopic()
        const options: ConsumeOptions = { ...optionsOf(aGroup(), [topic]), startAt: 'latest' }
        const first = await join(options)
        await untilOwned(first.sink, 1)
        await first.consumer.close(1_000)
        await produceTexts(topic, ['in between'])
        const second = await join(options)
        await untilTexts(second.sink, 1)
        expect(second.sink.texts()).to.deep.equal(['in between'])
      })

      it('reads its position and metadata back, to the last of 4,096 characters', async () => {
        const topic = await aTopic()
        const group = aGroup()
        const metadata = '✓'.repeat(4_096)
        await produceTexts(topic, numbered(4))
        const first = await join(optionsOf(group, [topic]))
        await untilTexts(first.sink, 4)
        await first.consumer.commit([{ ...entryOf(first.sink, topic, 0, 3n), metadata }])
        expect(await committedOf(group, topic)).to.deep.equal([
          { topic, partition: 0, offset: 3n, metadata },
        ])
        await first.consumer.close(1_000)
        const second = await join(optionsOf(group, [topic]))
        await untilTexts(second.sink, 1)
        expect(second.sink.assignments[0]).to.include({ position: 3n, metadata })
        expect(second.sink.texts()).to.deep.equal(['3'])
      })

      it('is refused metadata above the bound, and its offset stays', async () => {
        const topic = await aTopic()
        const group = aGroup()
        const { sink, consumer } = await join(optionsOf(group, [topic]))
        await untilOwned(sink, 1)
        const entry = { ...entryOf(sink, topic, 0, 1n), metadata: 'x'.repeat(4_097) }
        expect(await codeOfRejection(consumer.commit([entry]))).to.equal('invalid')
        expect((await committedOf(group, topic))[0]?.offset).to.equal(0n)
      })

      it('is told of its position in each partition apart', async () => {
        const topic = await aTopic(3)
        const group = aGroup()
        for (const partition of [0, 1, 2]) await produceTexts(topic, numbered(4), partition)
        const first = await join(optionsOf(group, [topic]))
        await untilTexts(first.sink, 12)
        await first.consumer.commit([
          { ...entryOf(first.sink, topic, 0, 1n), metadata: 'zero' },
          { ...entryOf(first.sink, topic, 2, 3n), metadata: 'two' },
        ])
        await first.consumer.close(1_000)
        const { sink } = await join(optionsOf(group, [topic]))
        await untilOwned(sink, 3)
        const told = [0, 1, 2].map((partition) => sink.owned.get(`${topic}/${partition}`))
        expect(told.map((one) => [one?.position, one?.metadata])).to.deep.equal([
          [1n, 'zero'],
          [0n, ''],
          [3n, 'two'],
        ])
      })

      it('passes over holes and goes on above them', async function () {
        if (fixture.holes === undefined) return expectSaid(driver, 'holes', this.test)
        const topic = fixture.uniqueName('holes')
        const kept = await fixture.holes(topic)
        const { sink } = await join(optionsOf(aGroup(), [topic]))
        await untilTexts(sink, kept.length)
        expect(sink.records().map((one) => one.offset)).to.deep.equal(kept)
        await bus.produce([aRecord(topic, 'above', { partition: 0, key: 'above' })])
        await untilTexts(sink, kept.length + 1)
        expect(sink.texts().at(-1)).to.equal('above')
      })

      it('is told what it lost when records below its position are gone', async function () {
        if (fixture.trim === undefined) return expectSaid(driver, 'trim', this.test)
        const topic = await aTopic()
        const group = aGroup()
        const first = await join(optionsOf(group, [topic]))
        await untilOwned(first.sink, 1)
        await first.consumer.close(1_000)
        await produceTexts(topic, numbered(6))
        await fixture.trim(topic, 4n)
        const { sink } = await join(optionsOf(group, [topic]))
        await untilTexts(sink, 2)
        expect(sink.texts()).to.deep.equal(['4', '5'])
        const skipped = sink.states.find((state) => state.kind === 'skipped')
        expect(skipped).to.deep.equal({
          kind: 'skipped',
          partition: { topic, partition: 0 },
          from: 0n,
          to: 4n,
        })
      })

      it('is given metadata only with the position that it was committed with', async function () {
        if (fixture.trim === undefined) return expectSaid(driver, 'trim', this.test)
        const topic = await aTopic()
        const group = aGroup()
        const first = await join(optionsOf(group, [topic]))
        await produceTexts(topic, numbered(6))
        await untilTexts(first.sink, 6)
        await first.consumer.commit([{ ...entryOf(first.sink, topic, 0, 1n), metadata: 'of 1' }])
        await first.consumer.close(1_000)
        await fixture.trim(topic, 4n)
        const { sink } = await join(optionsOf(group, [topic]))
        await untilTexts(sink, 2)
        const { position, metadata } = sink.assignments[0] ?? {}
        expect(metadata).to.equal(position === 1n ? 'of 1' : '')
      })

      it('can change its topics, and keeps the place in those that stay', async () => {
        const [first, second] = [await aTopic(), await aTopic()]
        const { sink, consumer } = await join(optionsOf(aGroup(), [first]))
        await produceTexts(first, ['a'])
        await untilTexts(sink, 1)
        await consumer.commit([entryOf(sink, first, 0, 1n)])
        await consumer.setTopics([first, second])
        await produceTexts(second, ['b'])
        await until(sink, 'the second topic', () => sink.texts(second).length === 1)
        await produceTexts(first, ['c'])
        await until(sink, 'the first topic again', () => sink.texts(first).includes('c'))
        expect(sink.texts(first)).to.deep.equal(['a', 'c'])
        await consumer.setTopics([second])
        await until(sink, 'the first topic to be given back', () => {
          return sink.owned.size === 1 && sink.owned.has(`${second}/0`)
        })
      })

      it('reads the other topics when one is deleted, and says so', async () => {
        const [stays, goes] = [await aTopic(), await aTopic()]
        const { sink } = await join(optionsOf(aGroup(), [stays, goes]))
        await untilOwned(sink, 2)
        await bus.admin.deleteTopics([goes])
        await until(sink, 'word of the missing topic', () =>
          sink.states.some((state) => state.kind === 'topic-missing' && state.topic === goes),
        )
        await produceTexts(stays, ['still'])
        await until(sink, 'a record of the other', () => sink.texts(stays).includes('still'))
      })
    })

    describe('pause, resume and seek', () => {
      it('hold back a partition and not its neighbour, then give all of it, once and in order', async () => {
        const topic = await aTopic(2)
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await untilOwned(sink, 2)
        const paused = { topic, partition: 0 }
        consumer.pause([paused])
        for (const text of numbered(5)) {
          await produceTexts(topic, [text], 0)
          await produceTexts(topic, [text], 1)
          await until(sink, 'the neighbour', () => deliveriesOf(sink, 1).flat().includes(text))
        }
        // A fetch may have been on its way when we paused; what it asked for may still come.
        expect(deliveriesOf(sink, 0).length).to.be.below(2)
        consumer.resume([paused])
        await until(sink, 'what was held back', () => deliveriesOf(sink, 0).flat().length >= 5)
        expect(deliveriesOf(sink, 0).flat()).to.deep.equal(numbered(5))
      })

      it('can be asked for in onAssigned, before a record comes', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(3))
        const neighbour = await aTopic()
        const sink = new RecordingSink()
        const options = optionsOf(aGroup(), [topic, neighbour])
        const { consumer } = await join(options, { sink })
        // The consumer may assign before `consume` resolves, so we pause as soon as we can.
        consumer.pause([{ topic, partition: 0 }])
        await untilOwned(sink, 2)
        consumer.pause([{ topic, partition: 0 }])
        await produceTexts(neighbour, ['n'])
        await until(sink, 'the neighbour', () => sink.texts(neighbour).length === 1)
        consumer.resume([{ topic, partition: 0 }])
        await until(sink, 'all of it', () => sink.texts(topic).length >= 3)
        expect(sink.texts(topic)).to.deep.equal(numbered(3))
      })

      it('go back under the same epoch', async () => {
        const topic = await aTopic()
        await produceTexts(topic, numbered(4))
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await untilTexts(sink, 4)
        const partition = { topic, partition: 0 }
        sink.expectFrom(partition, 1n)
        consumer.seek(partition, 1n)
        await untilTexts(sink, 7)
        expect(sink.texts()).to.deep.equal(['0', '1', '2', '3', '1', '2', '3'])
        expect(sink.assignments).to.have.length(1)
      })

      it('go forward', async () => {
        const topic = await aTopic()
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await untilOwned(sink, 1)
        const partition = { topic, partition: 0 }
        consumer.pause([partition])
        await produceTexts(topic, numbered(5))
        consumer.seek(partition, 4n)
        sink.expectFrom(partition, 0n) // a fetch on its way may still bring the first ones
        consumer.resume([partition])
        await until(sink, 'the record sought', () => sink.texts().includes('4'))
      })

      it('do nothing for a partition that is not ours', async () => {
        const [ours, foreign] = [await aTopic(), await aTopic()]
        const { sink, consumer } = await join(optionsOf(aGroup(), [ours]))
        await untilOwned(sink, 1)
        consumer.seek({ topic: foreign, partition: 0 }, 0n)
        consumer.pause([{ topic: foreign, partition: 0 }])
        consumer.resume([{ topic: foreign, partition: 0 }])
        await produceTexts(ours, ['fine'])
        await untilTexts(sink, 1)
      })
    })

    describe('an epoch', () => {
      it('that is over commits nothing; the others of the call are stored all the same', async () => {
        const topic = await aTopic(2)
        const group = aGroup()
        const { sink, consumer } = await join(optionsOf(group, [topic]))
        await untilOwned(sink, 2)
        const old = entryOf(sink, topic, 0, 7n)
        const rebalanced = await aTopic()
        await consumer.setTopics([topic, rebalanced])
        await until(sink, 'a new assignment', () => sink.owned.has(`${rebalanced}/0`))
        const fresh = entryOf(sink, topic, 1, 2n)
        expect(fresh.epoch).to.be.above(old.epoch)
        expect(await codeOfRejection(consumer.commit([old, fresh]))).to.equal('not-owner')
        const committed = await committedOf(group, topic)
        expect(committed.map(({ offset }) => offset)).to.deep.equal([0n, 2n])
      })

      it('ends with the consumer: a commit after close is refused', async () => {
        const topic = await aTopic()
        const group = aGroup()
        const { sink, consumer } = await join(optionsOf(group, [topic]))
        await untilOwned(sink, 1)
        const entry = entryOf(sink, topic, 0, 5n)
        await consumer.close(1_000)
        expect(await codeOfRejection(consumer.commit([entry]))).to.be.oneOf(['not-owner', 'closed'])
        expect((await committedOf(group, topic))[0]?.offset).to.equal(0n)
      })
    })

    describe('two members', () => {
      it('share the partitions, and each record goes to one of them', async () => {
        const topic = await aTopic(4)
        const options = optionsOf(aGroup(), [topic])
        const one = await join(options)
        await untilOwned(one.sink, 4)
        const two = await join(options, { on: await fixture.second() })
        await untilOwned(two.sink, 2)
        await untilOwned(one.sink, 2)
        for (const partition of [0, 1, 2, 3]) await produceTexts(topic, numbered(5), partition)
        await until(two.sink, 'all records', () => {
          return one.sink.texts().length + two.sink.texts().length === 20
        }).catch(() => undefined) // the expectation below says what came
        await untilTexts(one.sink, 10)
        expect([one.sink.texts().length, two.sink.texts().length]).to.deep.equal([10, 10])
      })

      it('hand over with a grace in which commits count', async () => {
        const topic = await aTopic(2)
        const group = aGroup()
        for (const partition of [0, 1]) await produceTexts(topic, numbered(8), partition)
        const one = await join(optionsOf(group, [topic]))
        await untilTexts(one.sink, 16)
        one.sink.whileRevoking = async (revoked, graceMs) => {
          expect(graceMs).to.be.within(1, 5_000)
          await one.consumer.commit(
            revoked.map((partition) => ({ ...partition, offset: 6n, metadata: 'in the grace' })),
          )
        }
        const two = await join(optionsOf(group, [topic]), { on: await fixture.second() })
        await untilOwned(two.sink, 1)
        expect(one.sink.revocations[0]?.revoked).to.have.length(2)
        expect(two.sink.assignments[0]).to.include({ position: 6n, metadata: 'in the grace' })
        await untilTexts(two.sink, 2)
        expect(two.sink.texts()).to.deep.equal(['6', '7'])
      })

      it('hand over when the grace ends, even if the sink never lets go', async () => {
        const topic = await aTopic(2)
        const options = { ...optionsOf(aGroup(), [topic]), revokeGraceMs: 500 }
        const one = await join(options)
        await untilOwned(one.sink, 2)
        const held = [...one.sink.owned.values()].map((partition) => ({
          ...partition,
          offset: 1n,
          metadata: '',
        }))
        let letGo: () => void = () => undefined
        one.sink.whileRevoking = () => new Promise((resolve) => (letGo = resolve))
        const two = await join(options, { on: await fixture.second() })
        await untilOwned(two.sink, 1)
        expect(await codeOfRejection(one.consumer.commit(held))).to.equal('not-owner')
        // Our sink holds a promise that nobody waits for any more; it is not part of the check.
        sinks = sinks.filter((sink) => sink !== one.sink)
        letGo()
      })

      it('hand over when one leaves, each committed record to one of them only', async () => {
        const topic = await aTopic(2)
        const group = aGroup()
        const one = await join(optionsOf(group, [topic]))
        const two = await join(optionsOf(group, [topic]), { on: await fixture.second() })
        await untilOwned(two.sink, 1)
        await untilOwned(one.sink, 1)
        two.sink.whileRevoking = (revoked) =>
          two.consumer.commit(
            revoked.map((partition) => ({ ...partition, offset: 3n, metadata: 'left' })),
          )
        for (const partition of [0, 1]) await produceTexts(topic, numbered(3), partition)
        await untilTexts(two.sink, 3)
        const [left] = [...two.sink.owned.values()]
        await two.consumer.close(5_000)
        await untilOwned(one.sink, 2)
        const taken = one.sink.owned.get(`${topic}/${left?.partition}`)
        expect(taken).to.include({ position: 3n, metadata: 'left' })
      })

      it('hand over when one is killed: what it committed is not read again', async function () {
        if (fixture.spawnMember === undefined) {
          return expectSaid(driver, 'spawnMember', this.test)
        }
        const topic = await aTopic(2)
        const group = aGroup()
        const options = optionsOf(group, [topic])
        const killed = fixture.spawnMember(options)
        members.push(killed)
        for (const partition of [0, 1]) await produceTexts(topic, numbered(3), partition)
        await killed.until(
          (news) =>
            news.filter((one) => one.kind === 'committed' && one.offset === '3').length === 2,
          fixture.patienceMs,
        )
        await killed.kill()
        const { sink } = await join(options)
        await untilOwned(sink, 2)
        for (const { position, metadata } of sink.assignments) {
          expect({ position, metadata }).to.deep.equal({ position: 3n, metadata: 'by the child' })
        }
        await produceTexts(topic, ['after'])
        await untilTexts(sink, 1)
        expect(sink.texts()).to.deep.equal(['after'])
      })

      it('hand over when one is killed while the other is there', async function () {
        if (fixture.spawnMember === undefined) {
          return expectSaid(driver, 'spawnMember', this.test)
        }
        const topic = await aTopic(2)
        const options = optionsOf(aGroup(), [topic])
        const { sink } = await join(options)
        await untilOwned(sink, 2)
        const killed = fixture.spawnMember(options)
        members.push(killed)
        await killed.until(
          (news) => news.some((one) => one.kind === 'assigned' && one.partitions.length === 1),
          fixture.patienceMs,
        )
        await untilOwned(sink, 1)
        await killed.kill()
        await untilOwned(sink, 2)
      })

      it('with different topics each get partitions of their own topics only', async () => {
        const [first, second] = [await aTopic(), await aTopic()]
        const group = aGroup()
        const one = await join(optionsOf(group, [first]))
        const two = await join(optionsOf(group, [first, second]), { on: await fixture.second() })
        await until(two.sink, 'the second topic', () => two.sink.owned.has(`${second}/0`))
        await produceTexts(second, ['v'])
        await until(two.sink, 'its record', () => two.sink.texts(second).length === 1)
        expect(one.sink.assignments.every((partition) => partition.topic === first)).to.equal(true)
      })
    })

    describe('closing', () => {
      it('of a consumer revokes once, with the deadline as grace, and is idempotent', async () => {
        const topic = await aTopic(2)
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await untilOwned(sink, 2)
        await Promise.all([consumer.close(1_500), consumer.close(1_500)])
        await consumer.close(1_500)
        expect(sink.revocations).to.have.length(1)
        expect(sink.revocations[0]?.revoked).to.have.length(2)
        expect(sink.revocations[0]?.graceMs).to.be.within(1, 1_500)
      })

      it('of a consumer ends in time, even if the sink never lets go', async () => {
        const topic = await aTopic()
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await untilOwned(sink, 1)
        sink.whileRevoking = () => new Promise(() => undefined)
        const before = performance.now()
        await consumer.close(300)
        expect(performance.now() - before).to.be.below(fixture.patienceMs)
      })

      it('of a consumer is quiet: nothing is delivered afterwards', async () => {
        const topic = await aTopic()
        const group = aGroup()
        const { sink, consumer } = await join(optionsOf(group, [topic]))
        await untilOwned(sink, 1)
        await consumer.close(1_000)
        await produceTexts(topic, ['late'])
        const witness = await join(optionsOf(group, [topic]))
        await untilTexts(witness.sink, 1)
        expect(sink.texts()).to.deep.equal([])
      })

      it('of a bus ends its consumers, is idempotent, and every later call is refused', async () => {
        const topic = await aTopic()
        const own = await fixture.second()
        const { sink } = await join(optionsOf(aGroup(), [topic]), { on: own })
        await untilOwned(sink, 1)
        await Promise.all([own.close(), own.close()])
        await own.close()
        expect(sink.owned.size).to.equal(0)
        const calls: readonly Promise<unknown>[] = [
          own.produce([aRecord(topic, 'late')]),
          own.consume(optionsOf(aGroup(), [topic]), new RecordingSink()),
          own.admin.listTopics(),
          own.admin.watermarks(topic),
          own.admin.ensureTopics([specOf(topic, 1)]),
          collect(own.readRange({ topic, partition: 0, from: 0n, to: 1n })),
        ]
        for (const call of calls) expect(await codeOfRejection(call)).to.equal('closed')
        expect(await readAll(topic)).to.deep.equal([])
      })
    })

    describe('a stop of the broker', () => {
      it('is lived through: the group goes on where it was and nothing is lost', async function () {
        const { stopBroker, startBroker } = fixture
        if (stopBroker === undefined || startBroker === undefined) {
          return expectSaid(driver, 'stopBroker', this.test)
        }
        const topic = await aTopic()
        const { sink, consumer } = await join(optionsOf(aGroup(), [topic]))
        await produceTexts(topic, ['before'])
        await untilTexts(sink, 1)
        await consumer.commit([entryOf(sink, topic, 0, 1n)])
        await stopBroker()
        const produced = produceTexts(topic, ['during']).catch((error: unknown) => {
          expect((error as PortError).code).to.equal('unreachable') // as: anything else fails here
        })
        await startBroker()
        await produced
        await eventually('producing works again', async () => {
          await produceTexts(topic, ['after'])
          return true
        })
        await until(sink, 'what came after', () => sink.texts().includes('after'))
        const place = [...sink.owned.values()]
        expect(place.every((partition) => partition.position <= 1n)).to.equal(true)
      })
    })

    /** For what a bus does on its own time and gives no signal of. */
    async function eventually(what: string, claim: () => Promise<boolean>): Promise<void> {
      const end = performance.now() + fixture.patienceMs
      let last: unknown = null
      while (performance.now() < end) {
        try {
          if (await claim()) return
          last = null
        } catch (error) {
          last = error // not yet; told below if it stays
        }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`waited in vain: ${what}`, { cause: last })
    }

    const deliveriesOf = (sink: RecordingSink, partition: number) =>
      sink.deliveries
        .filter((delivery) => delivery.partition === partition && delivery.records.length > 0)
        .map((delivery) => textsOf(delivery.records))
  })
}

/** Capabilities that a driver does not have, each with the reason that its test file gives. */
const absent = new Map<string, string>()

/** Says why a driver has no such capability; without it, the test that needs it fails. */
export function driverHasNo(driver: string, capability: string, reason: string): void {
  absent.set(`${driver}: ${capability}`, reason)
}

function expectSaid(driver: string, capability: string, test: { title: string } | undefined): void {
  const reason = absent.get(`${driver}: ${capability}`)
  expect(reason, `${driver} neither has ${capability} nor says why`).to.be.a('string')
  if (test !== undefined) test.title += ` - not here: ${reason}`
}

function specOf(name: string, partitions: number): TopicSpec {
  return {
    name,
    partitions,
    replication: 1,
    retentionMs: null,
    retentionBytes: null,
    compacted: false,
  }
}

function aRecord(
  topic: string,
  text: string,
  more: Partial<Omit<NewRecord, 'key'>> & { key?: string } = {},
): NewRecord {
  const { key, ...rest } = more
  return {
    topic,
    key: key === undefined ? null : Buffer.from(key),
    value: Buffer.from(text),
    headers: [],
    ...rest,
  }
}

function entryOf(sink: RecordingSink, topic: string, partition: number, offset: bigint) {
  const epoch = sink.owned.get(`${topic}/${partition}`)?.epoch ?? -1
  return { topic, partition, epoch, offset, metadata: '' }
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => String(i))
}

function textsOf(records: readonly BusRecord[]): readonly string[] {
  return records.map((record) => record.value?.toString('utf8') ?? '(tombstone)')
}

function valuesOf(record: BusRecord | undefined, name: string) {
  return record?.headers.filter((header) => header[0] === name).map((header) => header[1])
}

async function collect(range: AsyncIterable<readonly BusRecord[]>): Promise<readonly BusRecord[]> {
  const all: BusRecord[] = []
  for await (const records of range) all.push(...records)
  return all
}

function hasHole(offsets: readonly bigint[]): boolean {
  return offsets.some((offset, i) => i > 0 && offset !== (offsets[i - 1] ?? 0n) + 1n)
}

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function codeOf(result: PromiseSettledResult<unknown> | undefined): string | null {
  if (result?.status !== 'rejected') return null
  return result.reason instanceof PortError ? result.reason.code : String(result.reason)
}

async function codeOfRejection(promise: Promise<unknown>): Promise<string | null> {
  const [result] = await Promise.allSettled([promise])
  return codeOf(result)
}
