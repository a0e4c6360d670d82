import type { ChildProcess } from 'node:child_process'
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { machineTime } from '../../src/drivers/embedded/machine-time.ts'
import { openStoreFile } from '../../src/drivers/embedded/store-file.ts'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Logger } from '../../src/ports/logger.ts'
import { PortError } from '../../src/ports/port-error.ts'
import type { Store } from '../../src/ports/store.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { contendFor } from './contend.ts'
import { temporaryFolder } from './embedded-fixture.ts'
import type { FullStoreReport } from './embedded-store-full-disk.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { describeStoreContract, stampAt } from './store-contract.ts'

describeStoreContract('embedded', async () => {
  const path = temporaryFolder()
  const listeners: RecordingStoreListener[] = []
  const open = async () => {
    const listener = new RecordingStoreListener()
    listeners.push(listener)
    const shared = { path, clock: systemClock, logger: silentLogger, timeoutMs: 10_000 }
    return { store: await openEmbeddedStore({ ...shared, listener }), listener }
  }
  const { store, listener: told } = await open()
  const clients = [store]
  return {
    store,
    told,
    second: async () => {
      const { store: client } = await open()
      clients.push(client)
      return client
    },
    passTime: (ms) => systemClock.sleep(ms + 1), // a timer may fire within the millisecond before
    isTimeFaked: false,
    wipe: async () => {
      rmSync(join(path, 'store'), { recursive: true })
      await Promise.all(
        listeners.map((one) => one.until('an empty store', () => one.wiped > 0, 10_000)),
      )
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      rmSync(path, { recursive: true })
    },
  }
})

const longMs = 600_000
/** For what happens at the next look at the file, every second, on a machine that is busy. */
const patienceMs = 10_000

describe('The embedded store', function () {
  this.timeout(60_000)

  let path: string
  let told: RecordingStoreListener
  let logged: string[]
  let stores: Store[]
  let members: ChildProcess[]

  beforeEach(() => {
    path = temporaryFolder()
    told = new RecordingStoreListener()
    logged = []
    stores = []
    members = []
  })
  afterEach(async () => {
    await Promise.all(members.map(kill))
    await Promise.all(stores.map((store) => store.close()))
    rmSync(path, { recursive: true, force: true })
  })

  async function open(more: { timeoutMs?: number; now?: () => number } = {}): Promise<Store> {
    const note = (_fields: unknown, sentence: string) => void logged.push(sentence)
    const logger: Logger = { ...silentLogger, info: note, warn: note, error: note }
    const { timeoutMs = patienceMs, now } = more
    const clock = now === undefined ? systemClock : { ...systemClock, now }
    const store = await openEmbeddedStore({ path, clock, logger, listener: told, timeoutMs })
    stores.push(store)
    return store
  }

  function aMember(deed: 'leave' | 'stop' | 'contend'): ChildProcess {
    const script = fileURLToPath(new URL('./embedded-store-member.ts', import.meta.url))
    const member = fork(script, [path, deed], { execArgv: ['--import', 'tsx'] })
    members.push(member)
    return member
  }

  const claim = (store: Store, key: string, token = 'ours', more: { leaseMs?: number } = {}) =>
    store.claim({ ...runOf(key, token), against: 'window', ...more })

  const fileOf = () => join(path, 'store', `${machineTime(systemClock).era}.v1`, 'data.mdb')

  function entryCount(): number {
    const file = openStoreFile(path, machineTime(systemClock).era)
    // as: lmdb gives what LMDB counts, untyped
    const { entryCount: count } = file.entries.getStats() as { entryCount: number }
    void file.close()
    return count
  }

  describe('shared by processes', () => {
    it('keeps leases and marks of one that is killed, by the same clock', async () => {
      const member = aMember('leave')
      await once(member, 'message')
      await kill(member)
      const store = await open()
      const leased = await claim(store, 'leased')
      const marked = await claim(store, 'marked')
      expect([leased.kind, marked.kind]).to.deep.equal(['busy', 'done'])
      for (const answer of [leased, marked]) {
        expect('leftMs' in answer && answer.leftMs).to.be.within(longMs - 30_000, longMs)
      }
    })

    it('gives a key to one of them at a time', async () => {
      const store = await open()
      const others = [aMember('contend'), aMember('contend')]
      const news = others.map((other) => once(other, 'message'))
      const clashes = await contendFor(store, path, 'we', 300)
      expect(clashes).to.equal(0)
      expect((await Promise.all(news)).map(([theirs]: unknown[]) => theirs)).to.deep.equal([0, 0])
    })

    it('goes on when one is killed in the middle of its calls', async () => {
      const store = await open()
      for (let life = 0; life < 3; life++) {
        const member = aMember('contend')
        const file = join(path, 'held')
        while (!existsSync(file)) await systemClock.sleep(1)
        await kill(member)
        rmSync(file, { force: true })
        expect((await claim(store, `life ${life}`)).kind).to.equal('new')
        // The next one must not wait ten minutes for the lease of this one.
        rmSync(join(path, 'store'), { recursive: true })
        await told.until('an empty store', () => told.wiped === life + 1, patienceMs)
      }
      expect(told.states).to.deep.equal([])
    })
  })

  describe('while another process stands still in a transaction', () => {
    const timeoutMs = 200
    let store: Store
    let member: ChildProcess

    beforeEach(async () => {
      store = await open({ timeoutMs })
      await store.complete({ ...runOf('marked', 'ours'), windowMs: 1 })
      member = aMember('stop')
      while (stateOf(member) !== 'T') await systemClock.sleep(5)
      // A look at the file may have been waiting for the lock for a while: each test sees its own.
      told.states.length = 0
    })

    it('answers unknown within the time-box, the next at once, and leaves the event loop alone', async () => {
      const startedMs = performance.now()
      let laps = 0
      let last = startedMs
      let longest = 0
      const lap = () => {
        const now = performance.now()
        longest = Math.max(longest, now - last)
        last = now
        laps++
        if (isWatching) setImmediate(lap)
      }
      let isWatching = true
      lap()
      expect(await claim(store, 'k')).to.deep.equal({ kind: 'unknown' })
      const tookMs = performance.now() - startedMs
      const againMs = performance.now()
      expect(await claim(store, 'l')).to.deep.equal({ kind: 'unknown' })
      expect(await store.renew(runOf('l', 'ours'))).to.equal('unknown')
      expect(performance.now() - againMs).to.be.below(timeoutMs / 2)
      isWatching = false
      expect(tookMs).to.be.below(timeoutMs * 3)
      expect(laps).to.be.above(10)
      expect(longest, 'the event loop stood still').to.be.below(timeoutMs)
      expect(store.state).to.deep.include({ kind: 'degraded', trouble: 'slow' })
      expect(told.roundTrips.at(-1)).to.include({ tookMs: timeoutMs })
    })

    for (const end of ['goes on', 'is killed'] as const) {
      it(`heals when that one ${end}, and marks what was acted on meanwhile`, async () => {
        const asked = [claim(store, 'claimed', 'first'), store.complete(runOf('acted', 'first'))]
        expect(await Promise.all(asked)).to.deep.equal([{ kind: 'unknown' }, 'unknown'])
        expect(await store.complete(runOf('acted later', 'first'))).to.equal('unknown')
        if (end === 'goes on') member.kill('SIGCONT')
        else await kill(member)
        await told.until('it to heal', () => store.state.kind === 'ok', patienceMs)
        expect((await claim(store, 'acted')).kind).to.equal('done')
        expect((await claim(store, 'acted later')).kind).to.equal('done')
        // Nobody runs for a claim that was answered with unknown, so it has no lease either.
        expect((await claim(store, 'claimed')).kind).to.equal('new')
        expect(told.states.map(({ kind }) => kind).slice(-2)).to.deep.equal(['degraded', 'ok'])
      })
    }

    it('can be closed', async () => {
      const asked = claim(store, 'k')
      await store.close()
      expect(await asked).to.deep.equal({ kind: 'unknown' })
    })
  })

  it('has no use for the wall clock, which can be set', async function () {
    let nowMs = 1_000_000_000_000
    const store = await open({ now: () => nowMs })
    await claim(store, 'k')
    nowMs -= longMs
    const answer = await claim(store, 'k', 'another')
    if (machineTime(systemClock).era === 'any') return // no Linux: there it is wall time
    expect('leftMs' in answer && answer.leftMs).to.be.within(longMs - 30_000, longMs)
  })

  it('is not taken for slow by an event loop that is busy itself', async () => {
    const store = await open({ timeoutMs: 100 })
    const asked = claim(store, 'k')
    const untilMs = performance.now() + 300
    while (performance.now() < untilMs);
    expect(await asked).to.deep.equal({ kind: 'new' })
    expect(told.states).to.deep.equal([])
  })

  describe('whose file is removed', () => {
    it('goes on with an empty one, and says so once', async () => {
      const store = await open()
      await claim(store, 'k')
      rmSync(join(path, 'store'), { recursive: true })
      await told.until('an empty store', () => told.wiped === 1, patienceMs)
      expect((await claim(store, 'k', 'another')).kind).to.equal('new')
      expect(logged).to.deep.equal([
        'the file of the embedded store was replaced: open windows are forgotten',
      ])
      expect(told.states).to.deep.equal([])
    })

    it('is in trouble while there can be none, and heals', async () => {
      const store = await open()
      rmSync(join(path, 'store'), { recursive: true })
      writeFileSync(join(path, 'store'), 'in the way')
      await told.until('trouble', () => store.state.kind === 'degraded', patienceMs)
      expect(await claim(store, 'k')).to.deep.equal({ kind: 'unknown' })
      rmSync(join(path, 'store'))
      await told.until('it to heal', () => store.state.kind === 'ok', patienceMs)
      expect((await claim(store, 'k')).kind).to.equal('new')
    })
  })

  describe('when it is opened', () => {
    it('makes folders that are for nobody but their owner', async () => {
      path = join(path, 'a.folder', 'deeper')
      await open()
      expect(statSync(join(path, 'store')).mode & 0o777).to.equal(0o700)
      expect(told.wiped).to.equal(0)
      expect(logged).to.deep.equal([])
    })

    it('removes what an earlier start of the machine left, and nothing else', async () => {
      const folders = ['01234567-89ab-cdef-0123-456789abcdef.v1', 'notes']
      for (const name of folders) mkdirSync(join(path, 'store', name), { recursive: true })
      await open()
      expect(readdirSync(join(path, 'store')))
        .to.include('notes')
        .and.not.include(folders[0])
      expect(told.wiped).to.equal(1)
      expect(logged).to.deep.equal(['the machine was started anew: open windows are forgotten'])
    })

    const damages: [string, (file: string) => void][] = [
      ['is another file', (file) => writeFileSync(file, 'x'.repeat(100_000))],
      ['is too short to be one', (file) => truncateSync(file, 100)],
      ['lacks its second half', (file) => truncateSync(file, statSync(file).size / 2)],
    ]
    for (const [what, damage] of damages) {
      it(`replaces a file that ${what} by an empty one, and says so`, async () => {
        const before = await open()
        await Promise.all(Array.from({ length: 2_000 }, (_, i) => claim(before, `${i}`)))
        await before.close()
        damage(fileOf())
        const store = await open()
        expect((await claim(store, '1', 'another')).kind).to.equal('new')
        expect(told.wiped).to.equal(1)
        expect(logged).to.have.length(1)
        expect(logged[0]).to.include('was damaged and replaced')
        expect(readdirSync(join(path, 'store'))).to.have.length(1)
      })
    }

    it('says what to do where the folder cannot be one', async () => {
      writeFileSync(join(path, 'store'), '')
      const error = await open().then(
        () => null,
        (reason: unknown) => reason,
      )
      expect(error).to.be.instanceOf(PortError)
      expect(error).to.include({ port: 'store', code: 'invalid' })
      expect((error as PortError).message).to.include('move it away') // as: just looked at
    })
  })

  it('replaces a file that turns out to be broken while it runs', async () => {
    const store = await open()
    const keys = Array.from({ length: 2_000 }, (_, i) => `${i}`)
    await Promise.all(keys.map((key) => claim(store, key)))
    overwritePages(fileOf())
    const deadline = performance.now() + patienceMs
    while (told.wiped === 0 && performance.now() < deadline) {
      await Promise.all(keys.map((key) => claim(store, key, 'another')))
      await systemClock.sleep(20)
    }
    await told.until('it to heal', () => store.state.kind === 'ok', patienceMs)
    expect((await claim(store, '1', 'a third')).kind).to.be.oneOf(['new', 'busy'])
    expect(told.states[0]).to.include({ trouble: 'damaged' })
  })

  it('reads what is no entry as one of which it knows nothing', async () => {
    const store = await open()
    await claim(store, 'k')
    const file = openStoreFile(path, machineTime(systemClock).era)
    const { entries } = file
    entries.transactionSync(() => {
      for (const key of entries.getKeys()) entries.putSync(key, Buffer.from('12345678{'))
    })
    await file.close()
    expect((await claim(store, 'k', 'another')).kind).to.equal('new')
  })

  describe('forgets what has run out', () => {
    it('as new keys come, so that its file is bounded', async () => {
      const store = await open()
      const most: number[] = []
      let bytes = 0
      for (let round = 0; round < 30; round++) {
        const keys = Array.from({ length: 1_000 }, (_, i) => `${round}/${i}`)
        await Promise.all(keys.map((key) => claim(store, key, 'ours', { leaseMs: 1 })))
        await systemClock.sleep(2)
        most.push(entryCount())
        if (round === 10) bytes = statSync(fileOf()).size
      }
      expect(Math.max(...most)).to.be.below(5_000)
      expect(statSync(fileOf()).size).to.be.below(bytes * 2)
    })

    it('when nobody calls, too', async () => {
      const store = await open()
      await claim(store, 'k', 'ours', { leaseMs: 1 })
      const deadline = performance.now() + patienceMs
      while (entryCount() > 0 && performance.now() < deadline) await systemClock.sleep(20)
      expect(entryCount()).to.equal(0)
    })
  })

  it('says on a full disk what is the matter, and goes on once there is room', function () {
    const report = reportOnFullDisk(path)
    if (report === null) {
      expect(process.env['CI'], 'mounting a small file system is not allowed here').to.not.equal(
        'true',
      )
      if (this.test !== undefined) this.test.title += ' - not here: no right to mount'
      return
    }
    expect(report.states).to.deep.equal(['full', 'ok'])
    expect(report.withoutRoom).to.equal('degraded')
    expect(report.slowestMs).to.be.below(1_000)
    expect(report.healed).to.equal('new')
    expect(report.kept).to.equal('busy')
  })

  it('leaves no timer behind: a process that closes its store ends by itself', () => {
    const script = `
      import { openEmbeddedStore } from './src/drivers/embedded/store.ts'
      import { systemClock as clock } from './src/drivers/system-clock.ts'
      import { silentLogger as logger } from './test/support/silent-logger.ts'
      import { RecordingStoreListener } from './test/contract/recording-store-listener.ts'
      const listener = new RecordingStoreListener()
      const path = process.argv[1]
      const store = await openEmbeddedStore({ path, clock, logger, listener, timeoutMs: 60_000 })
      await store.release({ rule: 'r', key: 'k', token: 't', keepMs: 0 })
      await store.close()
    `
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, path]
    const { status, signal } = spawnSync(process.execPath, args, { timeout: 20_000 })
    expect({ status, signal }).to.deep.equal({ status: 0, signal: null })
  })
})

function runOf(key: string, token: string) {
  const own = { rule: 'r', key, token, task: token, stamp: stampAt(1) }
  return { ...own, leaseMs: longMs, windowMs: longMs, keepMs: 0 }
}

async function kill(member: ChildProcess): Promise<void> {
  if (member.exitCode !== null || member.signalCode !== null) return
  const gone = once(member, 'exit')
  member.kill('SIGKILL')
  await gone
}

/** As in `ps`: `T` is stopped. */
function stateOf({ pid }: ChildProcess): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
}

/** All pages behind the two meta pages. */
function overwritePages(file: string): void {
  const descriptor = openSync(file, 'r+')
  const page = Buffer.alloc(4_096, 0xa5)
  for (let at = 2 * page.length; at < statSync(file).size; at += page.length) {
    writeSync(descriptor, page, 0, page.length, at)
  }
  closeSync(descriptor)
}

/** Runs the scenario on a file system of 8 MiB of its own, or `null` where none can be mounted. */
function reportOnFullDisk(path: string): FullStoreReport | null {
  const script = fileURLToPath(new URL('./embedded-store-full-disk.ts', import.meta.url))
  const run = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" --import tsx "$3" "$1"'
  for (const flags of ['-rm', '-m']) {
    const args = [flags, 'sh', '-c', run, 'sh', path, process.execPath, script]
    const { stdout } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 50_000 })
    const line = /^report (.*)$/m.exec(stdout ?? '')
    if (line?.[1] !== undefined) return JSON.parse(line[1]) as FullStoreReport // as: the script's
  }
  return null
}
