import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Bus } from '../../src/ports/bus.ts'
import { openIn, temporaryFolder } from './embedded-fixture.ts'

const topic = 't'

/** Where LMDB's lock file has the number of the last transaction (MDB_txbody in mdb.c). */
const setBack = `
  const { openSync, readSync, writeSync } = require('node:fs')
  const file = openSync(process.argv[1], 'r+')
  const number = Buffer.alloc(8)
  readSync(file, number, 0, 8, 8)
  number.writeBigUInt64LE(number.readBigUInt64LE() - 1n)
  writeSync(file, number, 0, 8, 8)`

/*
 * Found by the fault harness (seed 13, 3 daemons): events that the embedded log had acknowledged were
 * gone, once in about a thousand openings of the log by another process. See catch-up.ts.
 */
describe('a log that another process opens in the middle of a commit', function () {
  this.timeout(60_000)
  let path: string
  let buses: Bus[]

  beforeEach(() => {
    path = temporaryFolder()
    buses = []
  })
  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.close()))
    rmSync(path, { recursive: true, force: true })
  })

  async function opened(): Promise<Bus> {
    const bus = await openIn(path)
    buses.push(bus)
    const spec = { name: topic, partitions: 1, replication: 1, compacted: false }
    await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
    return bus
  }

  function produce(bus: Bus, ...texts: readonly string[]) {
    const record = { topic, partition: 0, key: null, headers: [] }
    return bus.produce(texts.map((text) => ({ ...record, value: Buffer.from(text) })))
  }

  async function kept(bus: Bus): Promise<readonly string[]> {
    const texts: string[] = []
    for await (const records of bus.readRange({ topic, partition: 0, from: 0n, to: 1_000n })) {
      texts.push(...records.map(({ value }) => String(value)))
    }
    return texts
  }

  /** What such an opening leaves behind, for certain instead of once in a thousand times. */
  function leaveNumberBehind(): void {
    // In a process of its own: who closes the file has all locks of its process taken away.
    const args = ['-e', setBack, join(path, 'lock.mdb')]
    expect(spawnSync(process.execPath, args).status).to.equal(0)
  }

  it('keeps what it had acknowledged, and takes more', async () => {
    const bus = await opened()
    await produce(bus, 'a')
    await produce(bus, 'b')
    leaveNumberBehind()
    const [placed] = await produce(bus, 'c')
    expect(placed?.offset).to.equal(2n)
    expect(await kept(bus)).to.deep.equal(['a', 'b', 'c'])
  })

  it('keeps it however often that happens, and each record once', async () => {
    const bus = await opened()
    const texts = Array.from({ length: 10 }, (_, i) => String(i))
    for (const text of texts) {
      await produce(bus, text)
      leaveNumberBehind() // until the next transaction, what is read is what was before the last one
    }
    await produce(bus, 'last')
    expect(await kept(bus)).to.deep.equal([...texts, 'last'])
  })
})
