import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { BusRecord } from '../../src/model/record.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { seeded, seedOfRun } from '../support/seed.ts'
import { busContract, driverHasNo } from './bus-contract.ts'
import { inTransaction, openEmbeddedFixture, openIn, temporaryFolder } from './embedded-fixture.ts'
import type { FullDiskReport } from './embedded-full-disk.ts'
import type { Acknowledged } from './embedded-writer.ts'
import { spawnMember } from './member-process.ts'
import { RecordingSink } from './recording-sink.ts'

driverHasNo('embedded', 'compressions', 'nobody else writes into the log, and it does not compress')
driverHasNo('embedded', 'stopBroker', 'there is no broker that could be stopped')

busContract('embedded', openEmbeddedFixture)

const topic = 't'

describe('The embedded log', function () {
  this.timeout(60_000)

  let path: string
  let open: Bus[]

  beforeEach(() => {
    path = temporaryFolder()
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map((bus) => bus.close()))
    rmSync(path, { recursive: true, force: true })
  })

  async function aBus(more: Parameters<typeof openIn>[1] = {}): Promise<Bus> {
    const bus = await openIn(path, more)
    open.push(bus)
    return bus
  }

  async function aBusWithTopic(partitions = 1): Promise<Bus> {
    const bus = await aBus()
    const spec = { name: topic, partitions, replication: 1, compacted: false }
    await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
    return bus
  }

  async function fill(bus: Bus, count: number): Promise<void> {
    for (let from = 0; from < count; from += 200) {
      await bus.produce(
        Array.from({ length: 200 }, (_, i) => {
          // Some of them above what fits on a page: those lie on pages of their own.
          const value = Buffer.alloc(i % 50 === 0 ? 20_000 : 900, String(from + i))
          return { topic, partition: 0, key: null, value, headers: [] }
        }),
      )
    }
  }

  describe('after kill -9', () => {
    it('has every acknowledged record, each where it was said to be, and goes on in order', async () => {
      const seed = seedOfRun()
      const random = seeded(seed)
      const bus = await aBusWithTopic(3)
      const acknowledged = new Map<string, string>()
      let unacknowledged = 0
      for (let life = 0; life < 5; life++) {
        const script = fileURLToPath(new URL('./embedded-writer.ts', import.meta.url))
        const child = fork(script, [path, topic, String(life)], { execArgv: ['--import', 'tsx'] })
        const before = acknowledged.size
        child.on('message', (message) => {
          const { placed } = message as Acknowledged // as: the script sends nothing else
          for (const one of placed) acknowledged.set(`${one.partition}/${one.offset}`, one.text)
        })
        await once(child, 'message')
        await new Promise((resolve) => setTimeout(resolve, random() * 300))
        child.kill('SIGKILL')
        await once(child, 'close')
        // The one that was killed may have held the writers' lock. We must not wait for it.
        await bus.produce([aRecord(0, `between ${life}`)])
        expect(acknowledged.size, `seed ${seed}`).to.be.above(before)
      }
      for (const records of await allOf(bus, 3)) {
        records.forEach((record, i) => {
          expect(record.offset, `seed ${seed}`).to.equal(BigInt(i))
          const text = record.value?.toString().split(' ')[0]
          const told = acknowledged.get(`${record.partition}/${record.offset}`)
          if (told === undefined) unacknowledged++
          else expect(text, `seed ${seed}`).to.equal(told)
          acknowledged.delete(`${record.partition}/${record.offset}`)
        })
      }
      expect([...acknowledged], `lost; seed ${seed}`).to.deep.equal([])
      // At most the calls in flight, of 20 records each, and our own in between.
      expect(unacknowledged, `seed ${seed}`).to.be.below(5 * 8 * 20 + 6)
    })

    it('can be opened anew, and a member takes its place back at once', async () => {
      const bus = await aBusWithTopic()
      const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
      const all = { ...options, stateDir: null, revokeGraceMs: 1_000 }
      const script = new URL('./embedded-member.ts', import.meta.url)
      const member = spawnMember(script, all, [path])
      await bus.produce([aRecord(0, 'first')])
      await member.until((news) => news.some((one) => one.kind === 'committed'), 20_000)
      await member.kill()
      const before = performance.now()
      const sink = new RecordingSink()
      await bus.consume(all, sink)
      await sink.until('the partition', () => sink.owned.size === 1, 5_000)
      // A session is 3 s: the dead process was noticed without waiting for it.
      expect(performance.now() - before).to.be.below(2_000)
      expect(sink.assignments[0]?.position).to.equal(1n)
    })
  })

  it('takes partitions from a process that stands still, and refuses what it commits later', async () => {
    const bus = await aBusWithTopic(2)
    const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
    const all = { ...options, stateDir: null, revokeGraceMs: 1_000 }
    const member = spawnMember(new URL('./embedded-member.ts', import.meta.url), all, [path])
    const assignments = () => member.news.filter((one) => one.kind === 'assigned')
    try {
      await member.until(() => assignments().length > 0, 20_000)
      const sink = new RecordingSink()
      await bus.consume(all, sink)
      await sink.until('half of the partitions', () => sink.owned.size === 1, 10_000)
      await member.until(() => assignments().length > 1, 10_000)
      member.signal('SIGSTOP')
      await sink.until('all of the partitions', () => sink.owned.size === 2, 10_000)
      member.signal('SIGCONT')
      // It finds itself expelled and joins again, whereupon we share once more.
      await sink.until('half again', () => sink.owned.size === 1, 10_000)
      await member.until(() => assignments().length > 2, 10_000)
      expect(sink.violations).to.deep.equal([])
    } finally {
      await member.kill()
    }
  })

  it('gives each record to one member, once, while members come and go in any order', async () => {
    const seed = seedOfRun()
    const random = seeded(seed)
    const first = await aBusWithTopic(6)
    const buses = [first, await aBus(), await aBus()]
    const handled = new Map<string, number>()
    const sinks: RecordingSink[] = []
    type Joined = { close: () => Promise<void> }
    const joined: Joined[] = []

    async function aMemberJoins(): Promise<void> {
      const bus = buses[Math.floor(random() * buses.length)] ?? first
      const sink = new RecordingSink()
      sinks.push(sink)
      const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
      const consumer = await bus.consume({ ...options, stateDir: null, revokeGraceMs: 5_000 }, sink)
      const next = new Map<string, bigint>()
      const take = sink.onRecords.bind(sink)
      sink.onRecords = (partition, epoch, records, nextOffset) => {
        take(partition, epoch, records, nextOffset)
        next.set(`${partition.partition}`, nextOffset)
        for (const record of records) {
          const id = `${record.partition}/${record.offset}`
          handled.set(id, (handled.get(id) ?? 0) + 1)
        }
      }
      sink.whileRevoking = async (revoked) => {
        const entries = revoked.flatMap((one) => {
          const offset = next.get(`${one.partition}`)
          next.delete(`${one.partition}`)
          return offset === undefined ? [] : [{ ...one, offset, metadata: '' }]
        })
        await consumer.commit(entries)
      }
      joined.push({ close: () => consumer.close(5_000) })
    }

    let produced = 0
    await aMemberJoins()
    for (let round = 0; round < 30; round++) {
      const leaving = random() < 0.45 ? joined.splice(Math.floor(random() * joined.length), 1) : []
      await Promise.all([
        ...leaving.map((member) => member.close()),
        random() < 0.6 ? aMemberJoins() : Promise.resolve(),
        first.produce(
          Array.from({ length: 50 }, (_, i) => aRecord((produced + i) % 6, `${produced + i}`)),
        ),
      ])
      produced += 50
      await new Promise((resolve) => setTimeout(resolve, random() * 60))
    }
    if (joined.length === 0) await aMemberJoins()
    const deadline = performance.now() + 20_000
    while (handled.size < produced && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await Promise.all(joined.map((member) => member.close()))
    expect(handled.size, `missing; seed ${seed}`).to.equal(produced)
    const repeated = [...handled].filter(([, times]) => times > 1)
    expect(repeated, `repeated; seed ${seed}`).to.deep.equal([])
    expect(
      sinks.flatMap((sink) => sink.violations),
      `seed ${seed}`,
    ).to.deep.equal([])
  })

  it('shows what another process appended within a moment', async () => {
    const bus = await aBusWithTopic(3)
    const sink = new RecordingSink()
    const options = { group: 'g', topics: [topic], startAt: 'latest' } as const
    await bus.consume({ ...options, stateDir: null, revokeGraceMs: 1_000 }, sink)
    await sink.until('the partitions', () => sink.owned.size === 3, 5_000)
    const script = fileURLToPath(new URL('./embedded-writer.ts', import.meta.url))
    const child = fork(script, [path, topic, 'x'], { execArgv: ['--import', 'tsx'] })
    await once(child, 'message')
    await sink.until('a record of the other', () => sink.records().length > 0, 1_000)
    child.kill('SIGKILL')
    await once(child, 'close')
  })

  describe('on a disk that is full', () => {
    it('says so and what to do, keeps what it acknowledged, and goes on once there is room', function () {
      const report = reportOnFullDisk(path)
      if (report === null) {
        expect(process.env['CI'], 'mounting a small file system is not allowed here').to.not.equal(
          'true',
        )
        if (this.test !== undefined) this.test.title += ' - not here: no right to mount'
        return
      }
      expect(report.refusal?.code).to.equal('full')
      expect(report.refusal?.message).to.include(join(path, 'log')).and.include('make room')
      expect(report.logged, 'once, not at every call').to.have.length(1)
      expect(report.acknowledged).to.be.above(0)
      expect(report.stillReadable).to.equal(report.acknowledged)
      expect(report.afterRoomIsMade).to.equal('taken')
      expect(report.kept).to.equal(report.acknowledged + 100)
      expect(report.keptInOrder).to.equal(true)
      expect(report.consumed).to.equal(report.kept)
      expect(report.afterRetention, 'retention makes room where there is none').to.equal('taken')
    })
  })

  describe('with a file that', () => {
    const damages: readonly { name: string; damage: (file: string) => void }[] = [
      { name: 'is text', damage: (file) => writeFileSync(file, 'no log at all\n'.repeat(9_999)) },
      { name: 'is a few bytes long', damage: (file) => writeFileSync(file, 'no') },
      { name: 'was cut in the first page', damage: (file) => truncateSync(file, 4_096) },
      { name: 'was cut in half', damage: (file) => truncateSync(file, statSync(file).size / 2) },
      { name: 'lost its last pages', damage: (file) => truncateSync(file, sizeLess(file, 24_576)) },
      {
        name: 'was overwritten with zeros',
        damage: (file) => overwrite(file, Buffer.alloc(8_192)),
      },
      {
        name: 'was overwritten with noise',
        damage: (file) => overwrite(file, Buffer.alloc(8_192, 0xa7)),
      },
    ]
    for (const { name, damage } of damages) {
      it(`${name} is refused as damaged, with its name and what to do`, async () => {
        const bus = await aBusWithTopic()
        await fill(bus, 2_000)
        await bus.close()
        const file = join(path, 'data.mdb')
        damage(file)
        const refusal = await refusalOf(openIn(path))
        expect(refusal?.code).to.equal('damaged')
        expect(refusal?.message)
          .to.include(file)
          .and.match(/point bus.path|put a copy back/)
      })
    }

    it('has a flipped bit in a record gives no wrong event, but says which record it is', async () => {
      const bus = await aBusWithTopic()
      await fill(bus, 200)
      await inTransaction(path, ({ log, topics }) => {
        const where: [number, number] = [topics.get(topic)?.firstId ?? 0, 7]
        const bytes = Buffer.from(log.get(where) ?? [])
        bytes[500] = (bytes[500] ?? 0) ^ 1
        void log.put(where, bytes)
      })
      const refusal = await refusalOf(allOf(bus, 1))
      expect(refusal?.code).to.equal('damaged')
      expect(refusal?.message).to.include(`${topic}/0/7`)
    })

    it('has a flipped bit stops that partition alone, and tells when it goes on', async () => {
      const bus = await aBusWithTopic(2)
      await bus.produce([aRecord(0, 'x'), aRecord(0, 'y'), aRecord(1, 'z')])
      await inTransaction(path, ({ log, topics }) => {
        const where: [number, number] = [topics.get(topic)?.firstId ?? 0, 0]
        const bytes = Buffer.from(log.get(where) ?? [])
        bytes[30] = (bytes[30] ?? 0) ^ 1
        void log.put(where, bytes)
      })
      const sink = new RecordingSink()
      const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
      const all = { ...options, stateDir: null, revokeGraceMs: 1_000 }
      const consumer = await bus.consume(all, sink)
      await sink.until('the other partition', () => sink.texts().includes('z'), 5_000)
      expect(sink.states.at(-1)).to.have.nested.property('error.code', 'damaged')
      consumer.seek({ topic, partition: 0 }, 1n)
      await sink.until('what lies behind it', () => sink.texts().includes('y'), 5_000)
      await sink.until('word of it', () => sink.states.at(-1)?.kind === 'ready', 5_000)
    })

    it('is empty is taken for a new one, as a crash at its making leaves it', async () => {
      writeFileSync(join(path, 'data.mdb'), '')
      expect(await (await aBus()).admin.listTopics()).to.deep.equal([])
    })

    it('has a newer format is refused, and left as it is', async () => {
      await (await aBusWithTopic()).close()
      await inTransaction(path, ({ meta }) => void meta.put('format', 2))
      for (let attempt = 0; attempt < 2; attempt++) {
        const refusal = await refusalOf(openIn(path))
        expect(refusal?.code).to.equal('invalid')
        expect(refusal?.message).to.include('format 2').and.include('newer Sluice')
      }
    })
  })

  it('is refused where its path is a file, or under a file', async () => {
    const file = join(path, 'file')
    writeFileSync(file, '')
    for (const wrong of [file, join(file, 'under')]) {
      expect((await refusalOf(openIn(wrong)))?.code).to.equal('invalid')
    }
  })

  it('works in a folder with a dot in its name, and makes the folders above it', async () => {
    const deep = join(path, 'a', 'data.d')
    const bus = await openIn(deep)
    await bus.close()
    expect(statSync(join(deep, 'data.mdb')).isFile()).to.equal(true)
  })

  it('takes records above its own bound in a topic that was made for them', async () => {
    const bus = await aBus()
    const spec = { name: topic, partitions: 1, replication: 1, compacted: false }
    const retention = { retentionMs: null, retentionBytes: null }
    await bus.admin.ensureTopics([{ ...spec, ...retention, recordBytesMax: 2 * 2 ** 20 }])
    const sized = (bytes: number) =>
      bus.produce([{ ...aRecord(0, ''), value: Buffer.alloc(bytes) }])
    await sized(2 * 2 ** 20)
    expect((await refusalOf(sized(2 * 2 ** 20 + 1)))?.code).to.equal('too-large')
  })

  it('keeps the order of a call that is larger than one transaction', async () => {
    const bus = await aBusWithTopic()
    const texts = Array.from({ length: 5_000 }, (_, i) => `${i} ${'.'.repeat(1_000)}`)
    const placed = await bus.produce(texts.map((text) => aRecord(0, text)))
    expect(placed.map(({ offset }) => Number(offset))).to.deep.equal(texts.map((_, i) => i))
    const [records] = await allOf(bus, 1)
    expect(records?.map((record) => record.value?.toString())).to.deep.equal(texts)
  })

  it('finds a topic again that another process deleted and made anew', async () => {
    const bus = await aBusWithTopic()
    await bus.produce([aRecord(0, 'before')])
    const other = await aBus()
    await other.admin.deleteTopics([topic])
    await aBusWithTopic()
    await bus.produce([aRecord(0, 'after')])
    const [records] = await allOf(bus, 1)
    expect(records?.map((record) => record.value?.toString())).to.deep.equal(['after'])
  })

  it('reads a topic made anew from its start, whatever was committed of the former one', async () => {
    const bus = await aBusWithTopic()
    await bus.produce(['a', 'b', 'c'].map((text) => aRecord(0, text)))
    const sink = new RecordingSink()
    const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
    const all = { ...options, stateDir: null, revokeGraceMs: 1_000 }
    const consumer = await bus.consume(all, sink)
    await sink.until('the former topic', () => sink.records().length === 3, 5_000)
    const refusals: (PortError | null)[] = []
    let isAnew = (): void => undefined
    const anew = new Promise<void>((resolve) => (isAnew = resolve))
    sink.whileRevoking = async (revoked) => {
      await anew
      const entries = revoked.map((one) => ({ ...one, offset: 3n, metadata: '' }))
      refusals.push(await refusalOf(consumer.commit(entries)))
    }
    await bus.admin.deleteTopics([topic])
    await aBusWithTopic()
    await bus.produce(['1', '2', '3', '4', '5'].map((text) => aRecord(0, text)))
    isAnew()
    await sink.until('the last record', () => sink.texts().includes('5'), 5_000)
    expect(sink.texts().slice(3)).to.deep.equal(['1', '2', '3', '4', '5'])
    expect(refusals[0]?.code).to.equal('not-owner')
  })

  it('wants keys in a compacted topic', async () => {
    const bus = await aBus()
    const spec = { name: topic, partitions: 1, replication: 1, compacted: true }
    await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
    expect((await refusalOf(bus.produce([aRecord(0, 'v')])))?.code).to.equal('invalid')
  })

  it('starts over where a group committed an offset above the end, and says so', async () => {
    const bus = await aBusWithTopic()
    await bus.produce([aRecord(0, 'v')])
    await inTransaction(path, ({ offsets }) => {
      void offsets.put(['g', topic, 0], { offset: 99, metadata: '' })
    })
    const sink = new RecordingSink()
    const options = { group: 'g', topics: [topic], startAt: 'latest' } as const
    await bus.consume({ ...options, stateDir: null, revokeGraceMs: 1_000 }, sink)
    await sink.until('the record', () => sink.records().length === 1, 5_000)
    expect(sink.assignments[0]?.position).to.equal(0n)
    expect(sink.states).to.deep.include({
      kind: 'skipped',
      partition: { topic, partition: 0 },
      from: 99n,
      to: 0n,
    })
  })

  it('ends the process when the sink throws, rather than pass over what it was given', () => {
    const script = `
      import { openIn } from './test/contract/embedded-fixture.ts'
      import { RecordingSink } from './test/contract/recording-sink.ts'
      const bus = await openIn(process.argv[1])
      const spec = { name: 't', partitions: 1, replication: 1, compacted: false }
      await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
      await bus.produce([{ topic: 't', key: null, value: null, headers: [] }])
      const sink = new RecordingSink()
      sink.onRecords = () => { throw new Error('an invariant of the engine') }
      const options = { group: 'g', topics: ['t'], startAt: 'earliest', stateDir: null }
      await bus.consume({ ...options, revokeGraceMs: 60_000 }, sink)
    `
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, path]
    const { status, stderr } = spawnSync(process.execPath, args, { timeout: 20_000 })
    expect(status).to.equal(1)
    expect(stderr.toString()).to.include('an invariant of the engine')
  })

  it('leaves no timer behind: a process that closes its bus ends by itself', () => {
    const script = `
      import { openIn } from './test/contract/embedded-fixture.ts'
      import { RecordingSink } from './test/contract/recording-sink.ts'
      const bus = await openIn(process.argv[1])
      const options = { group: 'g', topics: ['t'], startAt: 'latest', stateDir: null }
      await bus.consume({ ...options, revokeGraceMs: 60_000 }, new RecordingSink())
      await bus.close()
    `
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, path]
    const { status, signal } = spawnSync(process.execPath, args, { timeout: 20_000 })
    expect({ status, signal }).to.deep.equal({ status: 0, signal: null })
  })
})

function aRecord(partition: number, text: string) {
  return { topic, partition, key: null, value: Buffer.from(text), headers: [] }
}

async function allOf(bus: Bus, partitions: number): Promise<readonly (readonly BusRecord[])[]> {
  const all: BusRecord[][] = []
  for (let partition = 0; partition < partitions; partition++) {
    const own: BusRecord[] = []
    const range = { topic, partition, from: 0n, to: 1_000_000n }
    for await (const records of bus.readRange(range)) own.push(...records)
    all.push(own)
  }
  return all
}

async function refusalOf(promise: Promise<unknown>): Promise<PortError | null> {
  const [result] = await Promise.allSettled([promise])
  if (result?.status !== 'rejected') return null
  expect(result.reason).to.be.instanceOf(PortError)
  return result.reason as PortError // as: just looked at
}

function sizeLess(file: string, bytes: number): number {
  return statSync(file).size - bytes
}

/** Every third page behind the two meta pages. */
function overwrite(file: string, page: Buffer): void {
  const descriptor = openSync(file, 'r+')
  for (let at = 2 * page.length; at < statSync(file).size; at += 3 * page.length) {
    writeSync(descriptor, page, 0, page.length, at)
  }
  closeSync(descriptor)
}

/** Runs the scenario on a file system of 12 MiB of its own, or `null` where none can be mounted. */
function reportOnFullDisk(path: string): FullDiskReport | null {
  const script = fileURLToPath(new URL('./embedded-full-disk.ts', import.meta.url))
  const run = 'mount -t tmpfs -o size=12m tmpfs "$1" && exec "$2" --import tsx "$3" "$1"'
  for (const flags of ['-rm', '-m']) {
    const args = [flags, 'sh', '-c', run, 'sh', path, process.execPath, script]
    const { stdout } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 50_000 })
    const line = /^report (.*)$/m.exec(stdout ?? '')
    if (line?.[1] !== undefined) return JSON.parse(line[1]) as FullDiskReport // as: the script's
  }
  return null
}
