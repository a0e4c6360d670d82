import { createHook } from 'node:async_hooks'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Admin } from 'kafkajs'
import kafkajs from 'kafkajs'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import { Connection } from '../../src/drivers/kafkajs/connection.ts'
import type { Compression } from '../../src/drivers/kafkajs/codecs.ts'
import type { KafkaBusOptions } from '../../src/drivers/kafkajs/options.ts'
import type { BusRecord, NewRecord } from '../../src/model/record.ts'
import type { Bus, Consumer, ConsumeOptions } from '../../src/ports/bus.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { isServiceHere } from '../services/availability.ts'
import type { KafkaBroker } from '../services/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { kafkaOptions, recordingLogger } from './kafkajs-client.ts'
import type { MemberProcess } from './member-process.ts'
import { spawnMember } from './member-process.ts'
import { RecordingSink } from './recording-sink.ts'

/*
 * One test per trap of delivery.md 7, against a real broker of its own that is stopped, killed and
 * frozen on the way. What the contract suite shows for every driver is not shown here again.
 */
const patienceMs = 30_000

function traps(): void {
  let kafka: KafkaBroker
  let foreign: kafkajs.Kafka
  let admin: Admin
  let buses: Bus[] = []
  let consumers: Consumer[] = []
  let sinks: RecordingSink[] = []
  let members: MemberProcess[] = []

  before(async function () {
    this.timeout(10 * 60_000) // the jars may have to be fetched
    kafka = await startKafka()
    foreign = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING })
    admin = foreign.admin()
    await admin.connect()
  })
  after(async () => {
    await admin.disconnect()
    await kafka.close()
  })
  afterEach(async () => {
    await Promise.all(members.map((member) => member.kill()))
    await Promise.all(consumers.map((consumer) => consumer.close(1_000)))
    await Promise.all(buses.map((bus) => bus.close()))
    const violations = sinks.flatMap((sink) => sink.violations)
    members = []
    consumers = []
    buses = []
    sinks = []
    expect(violations).to.deep.equal([])
  })

  function open(more: Partial<KafkaBusOptions> = {}): Bus {
    const bus = openKafkaBus(kafkaOptions(kafka.brokers, more))
    buses.push(bus)
    return bus
  }

  async function aTopic(bus: Bus, partitions = 1): Promise<string> {
    const name = `topic-${randomUUID()}`
    const rest = { replication: 1, retentionMs: null, retentionBytes: null, compacted: false }
    await bus.admin.ensureTopics([{ name, partitions, ...rest }])
    return name
  }

  async function join(bus: Bus, topics: readonly string[], more: Partial<ConsumeOptions> = {}) {
    const sink = new RecordingSink()
    sinks.push(sink)
    const group = more.group ?? `group-${randomUUID()}`
    const options: ConsumeOptions = {
      ...{ group, topics, startAt: 'earliest', stateDir: null, revokeGraceMs: 5_000 },
      ...more,
    }
    const consumer = await bus.consume(options, sink)
    consumers.push(consumer)
    return { sink, consumer, group, options }
  }

  const until = (sink: RecordingSink, what: string, claim: () => boolean) =>
    sink.until(what, claim, patienceMs)

  const kinds = (sink: RecordingSink) => sink.states.map((state) => state.kind)

  describe('a commit', () => {
    it('that resolves is on the broker, also one made while the client stops', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const { sink, consumer, group } = await join(bus, [topic])
      await until(sink, 'our partition', () => sink.owned.size === 1)
      const [owned] = sink.owned.values()
      const epoch = owned?.epoch ?? 0
      const results: { offset: bigint; isStored: boolean }[] = []
      const commits: Promise<void>[] = []
      const commit = (offset: bigint) =>
        consumer.commit([{ topic, partition: 0, epoch, offset, metadata: '' }]).then(
          () => void results.push({ offset, isStored: true }),
          () => void results.push({ offset, isStored: false }),
        )
      commits.push(commit(1n), commit(2n))
      const closing = consumer.close(2_000)
      commits.push(commit(3n))
      await Promise.all([closing, ...commits])
      const highest = results.filter((one) => one.isStored).map((one) => one.offset)
      const [stored] = await bus.admin.groupOffsets(group, [topic])
      expect(stored?.offset).to.equal(highest.at(-1) ?? 0n)
      expect(results).to.have.length(3)
    })

    it('with metadata above the bound is refused by name, before the broker refuses all', async () => {
      const bus = open()
      const topic = await aTopic(bus, 2)
      const { sink, consumer } = await join(bus, [topic])
      await until(sink, 'our partitions', () => sink.owned.size === 2)
      const entries = [...sink.owned.values()].map(({ partition, epoch }) => ({
        ...{ topic, partition, epoch, offset: 1n },
        metadata: partition === 1 ? 'x'.repeat(4_097) : '',
      }))
      const error = await rejection(consumer.commit(entries))
      expect(error.code).to.equal('invalid')
      expect(error.message).to.contain(`${topic}/1`)
    })

    it('below the last one, which the broker accepts, ends with its epoch all the same', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const { sink, consumer, group } = await join(bus, [topic])
      await until(sink, 'our partition', () => sink.owned.size === 1)
      const [old] = sink.owned.values()
      const entry = { topic, partition: 0, epoch: old?.epoch ?? 0, metadata: '' }
      await consumer.commit([{ ...entry, offset: 5n }])
      await consumer.setTopics([topic, await aTopic(bus)])
      await until(sink, 'a new epoch', () => sink.owned.size === 2)
      const error = await rejection(consumer.commit([{ ...entry, offset: 2n }]))
      expect(error.code).to.equal('not-owner')
      expect((await bus.admin.groupOffsets(group, [topic]))[0]?.offset).to.equal(5n)
    })
  })

  describe('a commit of a member that the group has put out', () => {
    it('is refused, its partitions are lost at once, and it joins anew', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      // No heartbeat tells it before the commit does.
      const { sink, consumer, group } = await join(open({ timing: { heartbeat: 60_000 } }), [topic])
      await until(sink, 'our partition', () => sink.owned.size === 1)
      const [old] = sink.owned.values()
      const entry = { topic, partition: 0, offset: 0n, metadata: '' }
      await putOut(group)
      const error = await rejection(consumer.commit([{ ...entry, epoch: old?.epoch ?? 0 }]))
      expect(error.code).to.equal('not-owner')
      await until(sink, 'a new epoch', () => sink.assignments.length === 2)
      expect(sink.revocations.map(({ graceMs }) => graceMs)).to.deep.equal([0])
      const [now] = sink.owned.values()
      await consumer.commit([{ ...entry, epoch: now?.epoch ?? 0, metadata: 'again' }])
      expect((await bus.admin.groupOffsets(group, [topic]))[0]?.metadata).to.equal('again')
    })
  })

  describe('an outage', () => {
    it('ends every call within its deadline, and the consumer goes on by itself', async () => {
      const bus = open({ timing: { request: 1_000, produce: 1_500 } })
      const topic = await aTopic(bus)
      const { sink, consumer } = await join(bus, [topic])
      await bus.produce([aRecord(topic, 'before')])
      await until(sink, 'a record', () => sink.texts().length === 1)
      const [owned] = sink.owned.values()
      const entry = { topic, partition: 0, epoch: owned?.epoch ?? 0, offset: 1n, metadata: '' }
      await kafka.kill()
      const sinceMs = performance.now()
      const errors = await Promise.all([
        rejection(bus.produce([aRecord(topic, 'lost or not')])),
        rejection(consumer.commit([entry])),
        rejection(bus.admin.watermarks(topic)),
        rejection(bus.admin.listTopics()),
      ])
      expect(performance.now() - sinceMs).to.be.below(10_000)
      expect(errors.map((error) => error.code)).to.deep.equal(Array(4).fill('unreachable'))
      await until(sink, 'word of it', () => kinds(sink).includes('unreachable'))
      await kafka.start()
      await until(sink, 'readiness', () => kinds(sink).at(-1) === 'ready')
      await bus.produce([aRecord(topic, 'after')])
      await until(sink, 'what came after', () => sink.texts().includes('after'))
    })

    it('of a broker that is frozen, not gone, is noticed and lived through', async () => {
      const bus = open({ timing: { request: 1_000, produce: 2_500 } })
      const topic = await aTopic(bus)
      const { sink } = await join(bus, [topic])
      await bus.produce([aRecord(topic, 'before')])
      await until(sink, 'a record', () => sink.texts().length === 1)
      kafka.pause()
      try {
        const error = await rejection(bus.produce([aRecord(topic, 'during')]))
        expect(error.code).to.equal('unreachable')
        await until(sink, 'word of it', () => kinds(sink).includes('unreachable'))
      } finally {
        kafka.continue()
      }
      await until(sink, 'readiness', () => kinds(sink).at(-1) === 'ready')
      await bus.produce([aRecord(topic, 'after')])
      await until(sink, 'what came after', () => sink.texts().includes('after'))
    })

    it('does not undo a pause, and keeps the position', async () => {
      const bus = open()
      const topic = await aTopic(bus, 2)
      const { sink, consumer } = await join(bus, [topic])
      await until(sink, 'our partitions', () => sink.owned.size === 2)
      consumer.pause([{ topic, partition: 0 }])
      await kafka.stop()
      await until(sink, 'word of it', () => kinds(sink).includes('unreachable'))
      await kafka.start()
      await until(sink, 'readiness', () => kinds(sink).at(-1) === 'ready')
      if (sink.revocations.length > 0) return // the session ran out, and the pause with the epoch
      for (const partition of [0, 1]) {
        await bus.produce([{ ...aRecord(topic, `on ${partition}`), partition }])
      }
      await until(sink, 'the neighbour', () => sink.texts().includes('on 1'))
      expect(sink.texts()).to.deep.equal(['on 1'])
      consumer.resume([{ topic, partition: 0 }])
      await until(sink, 'what was held back', () => sink.texts().includes('on 0'))
    })

    it('during a join does not keep a close from being final', async () => {
      const bus = open({ timing: { request: 1_000 } })
      const topic = await aTopic(bus)
      await kafka.stop()
      const { sink, consumer, group } = await join(bus, [topic])
      await until(sink, 'word of it', () => kinds(sink).includes('unreachable'))
      const sinceMs = performance.now()
      await consumer.close(500)
      expect(performance.now() - sinceMs).to.be.below(5_000)
      await kafka.start()
      const told = sink.states.length
      await sleep(1_000) // longer than its back-off: it would be back by now
      expect(sink.states).to.have.length(told)
      expect((await admin.describeGroups([group])).groups[0]?.members ?? []).to.deep.equal([])
    })
  })

  describe('a partition', () => {
    it('that was paused, lost and regained is read again: pauses end with their epoch', async () => {
      const bus = open()
      const [topic, other] = [await aTopic(bus), await aTopic(bus)]
      const { sink, consumer } = await join(bus, [topic])
      await until(sink, 'our partition', () => sink.owned.size === 1)
      consumer.pause([{ topic, partition: 0 }])
      await bus.produce([aRecord(topic, 'waiting')])
      await consumer.setTopics([other])
      await until(sink, 'the other', () => sink.owned.has(`${other}/0`) && sink.owned.size === 1)
      await consumer.setTopics([topic])
      await until(sink, 'the record', () => sink.texts().includes('waiting'))
    })

    it('that is added to a topic is found, on every member', async () => {
      const timing = { lookAgain: 300 }
      const bus = open({ timing })
      const topic = await aTopic(bus)
      const one = await join(bus, [topic])
      const two = await join(open({ timing }), [topic], { group: one.group })
      await until(two.sink, 'its place in the group', () => kinds(two.sink).includes('ready'))
      await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
      await until(one.sink, 'two partitions', () => one.sink.owned.size === 2)
      await until(two.sink, 'two partitions', () => two.sink.owned.size === 2)
    })

    it('whose records are gone is read on from the first kept, with an alarm', async () => {
      const logger = recordingLogger()
      const bus = open({ logger })
      const topic = await aTopic(bus)
      const { sink, consumer, group } = await join(bus, [topic])
      await until(sink, 'our partition', () => sink.owned.size === 1)
      consumer.pause([{ topic, partition: 0 }])
      await bus.produce(['0', '1', '2', '3'].map((text) => aRecord(topic, text)))
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
      consumer.seek({ topic, partition: 0 }, 1n)
      consumer.resume([{ topic, partition: 0 }])
      await until(sink, 'the record kept', () => sink.texts().includes('3'))
      expect(sink.states).to.deep.include({
        ...{ kind: 'skipped', partition: { topic, partition: 0 } },
        ...{ from: 1n, to: 3n },
      })
      expect(logger.lines.filter((line) => line.level === 'error')).to.have.length(1)
      // kafkajs would have overwritten what is committed by now.
      expect((await bus.admin.groupOffsets(group, [topic]))[0]?.offset).to.equal(0n)
    })

    it('with a batch that compaction emptied, before a batch larger than a fetch, goes on', async () => {
      const bus = open()
      const topic = `topic-${randomUUID()}`
      await admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            ...{ topic, numPartitions: 1 },
            configEntries: [
              ...[
                ['cleanup.policy', 'compact'],
                ['min.cleanable.dirty.ratio', '0.0001'],
                ['segment.ms', '200'],
                ['max.message.bytes', String(8 * 2 ** 20)],
              ].map(([name = '', value = '']) => ({ name, value })),
            ],
          },
        ],
      })
      // The broker keeps the last batch of an idempotent producer, empty if need be, because its
      // head holds the sequence number.
      const producer = foreign.producer({
        ...{ idempotent: true, maxInFlightRequests: 1 },
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      })
      await producer.connect()
      await producer.send({ topic, messages: [{ key: 'k', value: 'old' }] })
      await producer.disconnect()
      const large = {
        ...aRecord(topic, ''),
        key: Buffer.from('k'),
        value: randomBytes(3 * 2 ** 20),
      }
      await bus.produce([large])
      for (;;) {
        await sleep(250) // the segment must be older than 200 ms before the next record rolls it
        await bus.produce([{ ...aRecord(topic, 'tick'), key: Buffer.from('tick') }])
        const [first] = await collect(bus, topic)
        if (first !== undefined && first.offset > 0n) break
      }
      const { sink } = await join(bus, [topic])
      await until(sink, 'the large one', () => sink.records().some((one) => one.offset === 1n))
    })
  })

  describe('a topic', () => {
    it('that is deleted and made again is taken out and taken in again', async () => {
      const bus = open({ timing: { lookAgain: 300 } })
      const [topic, stays] = [await aTopic(bus), await aTopic(bus)]
      const { sink } = await join(bus, [topic, stays])
      await until(sink, 'both', () => sink.owned.size === 2)
      await bus.admin.deleteTopics([topic])
      await until(sink, 'word of it', () => kinds(sink).includes('topic-missing'))
      await until(sink, 'the other alone', () => sink.owned.size === 1)
      const rest = { replication: 1, retentionMs: null, retentionBytes: null, compacted: false }
      await bus.admin.ensureTopics([{ name: topic, partitions: 1, ...rest }])
      await until(sink, 'both again', () => sink.owned.size === 2)
      await bus.produce([aRecord(topic, 'again')])
      await until(sink, 'its record', () => sink.texts(topic).includes('again'))
    })

    it('that is missing from the start keeps no other from being read', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const { sink } = await join(bus, [`missing-${randomUUID()}`, topic])
      await bus.produce([aRecord(topic, 'here')])
      await until(sink, 'the record', () => sink.texts().includes('here'))
      expect(kinds(sink)).to.include('topic-missing')
    })
  })

  describe('the settings of a topic', () => {
    it('that its operator has changed stay: neither is it made anew nor altered', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }
      const configEntries = [
        ['cleanup.policy', 'delete'],
        ['retention.ms', '7200000'],
        ['segment.bytes', '1048576'],
      ].map(([name = '', value = '']) => ({ name, value }))
      await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
      const rest = { replication: 1, retentionMs: 1_000, retentionBytes: null, compacted: true }
      await bus.admin.ensureTopics([{ name: topic, partitions: 3, ...rest }])
      const { resources } = await admin.describeConfigs({
        resources: [resource],
        includeSynonyms: false,
      })
      const values = resources[0]?.configEntries.map((one) => [one.configName, one.configValue])
      const settings = new Map(values as [string, string][]) // as: pairs
      for (const { name, value } of configEntries) expect(settings.get(name)).to.equal(value)
      expect((await bus.admin.describeTopics([topic]))[0]?.partitions).to.equal(1)
    })
  })

  describe('a producer', () => {
    it('gathers single records into batches', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const sinceMs = performance.now()
      await Promise.all(
        Array.from({ length: 30_000 }, (_, i) => bus.produce([aRecord(topic, String(i))])),
      )
      // One request each would take longer: at most 6,000 a second were measured.
      expect(performance.now() - sinceMs).to.be.below(3_000)
      expect((await bus.admin.watermarks(topic))[0]?.high).to.equal(30_000n)
    })

    it('blames only the record that is too large for its topic, not those beside it', async () => {
      const bus = open({ compression: 'none' })
      const topic = await aTopic(bus)
      const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }
      const configEntries = [{ name: 'max.message.bytes', value: '20000' }]
      await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          bus.produce([aRecord(topic, String(i).padEnd(i === 11 ? 30_000 : 2_000))]),
        ),
      )
      const refused = results.flatMap((result, i) => (result.status === 'rejected' ? [i] : []))
      expect(refused).to.deep.equal([11])
      const texts = (await collect(bus, topic)).map((one) => one.value?.toString().trim())
      expect(texts).to.deep.equal(
        Array.from({ length: 20 }, (_, i) => String(i)).filter((text) => text !== '11'),
      )
    })

    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      it(`writes ${compression} as a Java client reads it`, async () => {
        const bus = open({ compression: compression satisfies Compression })
        const topic = await aTopic(bus)
        const texts = Array.from(
          { length: 200 },
          (_, i) => `${compression} `.repeat(60) + String(i),
        )
        await bus.produce(texts.map((text) => aRecord(topic, text)))
        const said = await kafka.tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
          ...['--bootstrap-server', kafka.brokers.join(), '--topic', topic],
          ...['--from-beginning', '--max-messages', '200', '--timeout-ms', '20000'],
        ])
        expect(said.trimEnd().split('\n')).to.deep.equal(texts)
      })
    }
  })

  describe('an idle consumer', () => {
    it('sets few timers: no request queue wakes each millisecond', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const { sink } = await join(bus, [topic])
      await bus.produce([aRecord(topic, 'v')])
      await until(sink, 'a record', () => sink.texts().length === 1)
      let timers = 0
      const hook = createHook({ init: (_id, type) => void (timers += type === 'Timeout' ? 1 : 0) })
      hook.enable()
      await sleep(1_000)
      hook.disable()
      // Fetches and heartbeats with their deadlines; a queue that spins sets 1,000 alone.
      expect(timers).to.be.below(150)
    })
  })

  describe('a member', () => {
    it('that was killed takes itself out of the group when it comes back', async () => {
      const bus = open()
      const topic = await aTopic(bus)
      const stateDir = await mkdtemp(joinPath(tmpdir(), 'sluice-state-'))
      const group = `group-${randomUUID()}`
      const options: ConsumeOptions = {
        ...{ group, topics: [topic], startAt: 'earliest' },
        ...{ stateDir, revokeGraceMs: 1_000 },
      }
      try {
        const script = new URL('kafkajs-member.ts', import.meta.url)
        const killed = spawnMember(script, options, kafka.brokers)
        members.push(killed)
        await killed.until((news) => news.some((one) => one.kind === 'assigned'), patienceMs)
        await killed.kill()
        const sinceMs = performance.now()
        const { sink, consumer } = await join(bus, [topic], options)
        await until(sink, 'its partition', () => sink.owned.size === 1)
        expect(performance.now() - sinceMs, 'far below the session of 6 s').to.be.below(3_000)
        await consumer.close(1_000)
        expect(await readdir(stateDir), 'nothing is left behind').to.deep.equal([])
      } finally {
        await rm(stateDir, { recursive: true })
      }
    })

    it('that cannot keep its id beside its data reads all the same, and says so', async () => {
      const logger = recordingLogger()
      const bus = open({ logger })
      const topic = await aTopic(bus)
      const stateDir = '/dev/null/no-folder'
      const { sink } = await join(bus, [topic], { stateDir })
      await until(sink, 'its partition', () => sink.owned.size === 1)
      const said = logger.lines.filter((line) => line.fields['stateDir'] === stateDir)
      expect(said.map((line) => line.level)).to.include('warn')
    })

    it('that shares the folder and lives is left alone', async () => {
      const bus = open()
      const topic = await aTopic(bus, 2)
      const stateDir = await mkdtemp(joinPath(tmpdir(), 'sluice-state-'))
      try {
        const one = await join(bus, [topic], { stateDir })
        await until(one.sink, 'both', () => one.sink.owned.size === 2)
        const two = await join(open(), [topic], { stateDir, group: one.group })
        await until(two.sink, 'one', () => two.sink.owned.size === 1)
        await until(one.sink, 'the other', () => one.sink.owned.size === 1)
        expect(one.sink.revocations.map(({ graceMs }) => graceMs > 0)).to.deep.equal([true])
        await Promise.all([one.consumer.close(500), two.consumer.close(500)])
      } finally {
        await rm(stateDir, { recursive: true })
      }
    })

    it('that closes while it joins leaves nobody behind', async () => {
      const bus = open()
      const topic = await aTopic(bus, 2)
      const one = await join(bus, [topic], { revokeGraceMs: 20_000 })
      await until(one.sink, 'both', () => one.sink.owned.size === 2)
      const former = one.sink.assignments.map(({ epoch }) => epoch)
      let letGo: () => void = () => undefined
      one.sink.whileRevoking = () => new Promise((resolve) => (letGo = resolve))
      const two = await join(open(), [topic], { group: one.group })
      await until(one.sink, 'word of it', () => one.sink.revocations.length === 1)
      await two.consumer.close(1_000)
      one.sink.whileRevoking = () => Promise.resolve()
      letGo()
      const sinceMs = performance.now()
      await until(one.sink, 'both again', () => {
        const epochs = [...one.sink.owned.values()].map(({ epoch }) => epoch)
        return epochs.length === 2 && Math.min(...epochs) > Math.max(...former)
      })
      expect(performance.now() - sinceMs, 'far below the session of 6 s').to.be.below(3_000)
    })

    it('whose sink takes longer than a session to let go keeps its place until it has', async () => {
      const bus = open({ timing: { session: 6_000 } })
      const topic = await aTopic(bus, 2)
      const one = await join(bus, [topic], { revokeGraceMs: 20_000 })
      await until(one.sink, 'both', () => one.sink.owned.size === 2)
      one.sink.whileRevoking = async (revoked) => {
        await sleep(8_000) // what is tested is that time passes
        await one.consumer.commit(
          revoked.map((partition) => ({ ...partition, offset: 7n, metadata: 'late' })),
        )
      }
      const two = await join(open(), [topic], { group: one.group })
      await until(two.sink, 'one', () => two.sink.owned.size === 1)
      expect(two.sink.assignments[0]).to.include({ position: 7n, metadata: 'late' })
    })
  })

  /** Takes every member out of a group, as an operator may, or the group itself after a session. */
  async function putOut(groupId: string): Promise<void> {
    const { groups } = await admin.describeGroups([groupId])
    const connection = new Connection(kafkaOptions(kafka.brokers))
    const coordinator = await connection.coordinator(groupId)
    for (const { memberId } of groups[0]?.members ?? []) {
      await coordinator.leaveGroup({ groupId, memberId })
    }
    connection.close()
  }

  async function collect(bus: Bus, topic: string): Promise<readonly BusRecord[]> {
    const all: BusRecord[] = []
    const range = { topic, partition: 0, from: 0n, to: 1_000_000n }
    for await (const records of bus.readRange(range)) all.push(...records)
    return all
  }
}

function aRecord(topic: string, text: string): NewRecord {
  return { topic, partition: 0, key: null, value: Buffer.from(text), headers: [] }
}

async function rejection(promise: Promise<unknown>): Promise<PortError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof PortError) return error
    throw error
  }
  throw new Error('it did not reject')
}

// The runner says when there is no broker to be had here, and tells the reader.
if (isServiceHere('kafka')) {
  describe('The traps of Kafka and kafkajs', function () {
    this.timeout(90_000) // each wait has its own deadline; this only ends what hangs
    traps()
  })
}
