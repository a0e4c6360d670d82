import { expect } from 'chai'
import { checkEntries, checkGroupName, Groups } from '../../../../src/drivers/embedded/groups.ts'
import type { ClientEntry } from '../../../../src/drivers/embedded/liveness.ts'
import { beatMs, ownEntry, sessionMs } from '../../../../src/drivers/embedded/liveness.ts'
import { deleteTopics } from '../../../../src/drivers/embedded/topics.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import type { OpenLog } from './open-log.ts'
import { openLog } from './open-log.ts'

/** A client of which nothing can be known but its heartbeat, as one in another container. */
const elsewhere: ClientEntry = { pid: 1, startedAt: null, realm: null, beat: 0 }

describe('The groups of a client', () => {
  let log: OpenLog
  let clock: FakeClock
  let groups: Groups
  let firstId: number

  beforeEach(async () => {
    log = openLog()
    clock = new FakeClock()
    groups = groupsOf('us')
    firstId = await log.makeTopic({ partitions: 4 })
  })
  afterEach(async () => {
    await groups.close()
    await log.close()
  })

  function groupsOf(client: string): Groups {
    const { environment, writer } = log
    return new Groups({ environment, writer, clock, logger: silentLogger, client })
  }

  /** Lets time pass in steps in which the writes of each step come to their end. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 200) {
      await clock.advance(200)
      await log.writer.write(() => undefined)
      await new Promise(setImmediate)
    }
  }

  /** Someone else's member, joined through a client of its own that then no longer moves. */
  async function stranger(entry: ClientEntry): Promise<void> {
    const theirs = new Groups({
      environment: log.environment,
      writer: log.writer,
      clock: new FakeClock(),
      logger: silentLogger,
      client: 'them',
    })
    await theirs.join('g', 'theirs', ['t'])
    await log.writer.write(() => void log.environment.clients.put('them', entry))
  }

  const members = () => Object.keys(groups.read('g').members)

  it('have no heartbeat while the client is alone: nothing is written', async () => {
    await groups.join('g', 'ours', ['t'])
    const before = log.environment.clients.get('us')?.beat
    await pass(10 * beatMs)
    expect(log.environment.clients.get('us')?.beat).to.equal(before)
  })

  it('have one as soon as there is another client', async () => {
    await groups.join('g', 'ours', ['t'])
    await stranger(elsewhere)
    await pass(3 * beatMs)
    expect(log.environment.clients.get('us')?.beat).to.be.at.least(2)
  })

  it('take a silent client out of the group after a session, and not before', async () => {
    await groups.join('g', 'ours', ['t'])
    await stranger(elsewhere)
    await pass(sessionMs - 600)
    expect(members()).to.have.members(['ours', 'theirs'])
    await pass(1_800)
    expect(members()).to.deep.equal(['ours'])
  })

  const gone = [
    { name: 'whose process is dead', entry: { ...ownEntry(), startedAt: '1' } },
    { name: 'whose system has been started anew', entry: { ...ownEntry(), realm: 'former x' } },
  ]
  for (const { name, entry } of gone) {
    it(`take a client out at the next look ${name}`, async () => {
      await groups.join('g', 'ours', ['t'])
      await stranger(entry)
      await pass(600)
      expect(members()).to.deep.equal(['ours'])
    })

    it(`do not wait for one ${name} when they join`, async () => {
      await stranger(entry)
      await groups.join('g', 'ours', ['t'])
      const group = groups.read('g')
      expect(group.members['ours']?.owns).to.deep.equal({ t: [0, 1, 2, 3] })
    })
  }

  describe('of which the last member left, and that joins again after a while', () => {
    let theirs: Groups

    beforeEach(async () => {
      theirs = groupsOf('them')
      await groups.join('g', 'ours', ['t'])
      await theirs.join('g', 'first', ['t'])
      await theirs.leave('g', 'first')
      await pass(2 * sessionMs)
      await theirs.join('g', 'second', ['t'])
    })
    afterEach(() => theirs.close())

    it('are not taken for silent at the next look', async () => {
      await pass(600)
      expect(members()).to.have.members(['ours', 'second'])
    })

    it('are not taken for silent by a member that joins before the next look', async () => {
      await groups.join('g', 'another', ['t'])
      expect(members()).to.have.members(['ours', 'another', 'second'])
    })
  })

  it('have one heartbeat, though the last member left while it was being stored', async () => {
    await groups.join('g', 'one', ['t'])
    await stranger(elsewhere)
    await clock.advance(beatMs)
    await groups.leave('g', 'one')
    await groups.join('g', 'two', ['t'])
    await pass(200)
    expect(clock.pending).to.equal(2) // the heartbeat, and the watch over others
  })

  it('have no heartbeat for a member that was expelled', async () => {
    await groups.join('g', 'ours', ['t'])
    groups.forget('ours')
    await pass(2 * beatMs)
    expect(clock.pending).to.equal(0)
  })

  it('have no timer once the last member has left', async () => {
    await groups.join('g', 'one', ['t'])
    await groups.join('h', 'two', ['t'])
    await groups.leave('g', 'one')
    expect(clock.pending).to.be.above(0)
    await groups.leave('h', 'two')
    expect(clock.pending).to.equal(0)
    expect(log.environment.groups.get('g')).to.equal(undefined)
  })

  it('keep what was committed when nobody is left in the group', async () => {
    await groups.join('g', 'ours', ['t'])
    const entry = { topic: 't', partition: 1, id: firstId + 1, offset: 7n, metadata: 'm' }
    await groups.commit('g', 'ours', [entry])
    await groups.leave('g', 'ours')
    expect(groups.offsets('g', ['t'])).to.deep.equal([
      { topic: 't', partition: 1, offset: 7n, metadata: 'm' },
    ])
    expect(groups.offsets('g', ['other'])).to.deep.equal([])
    expect(groups.offsets('gg', ['t'])).to.deep.equal([])
  })

  it('store of a commit what is the own, and refuse the rest', async () => {
    await groups.join('g', 'ours', ['t'])
    const entry = { topic: 't', offset: 7n, metadata: '' }
    const entries = [
      { ...entry, partition: 0, id: firstId },
      { ...entry, partition: 99, id: firstId + 99 },
    ]
    const refused = await groups.commit('g', 'ours', entries).catch((error: unknown) => error)
    expect(refused).to.be.instanceOf(PortError).with.property('code', 'not-owner')
    expect((refused as PortError).message)
      .to.include('t/99')
      .and.not.include('t/0') // as: see above
    expect(groups.offsets('g', ['t']).map(({ partition }) => partition)).to.deep.equal([0])
  })

  it('refuse offsets of a topic that has been deleted and made anew since they were read', async () => {
    await groups.join('g', 'ours', ['t'])
    const entry = { topic: 't', partition: 0, id: firstId, offset: 7n, metadata: '' }
    await log.writer.write((transaction) => deleteTopics(log.environment, transaction, ['t']))
    for (const makeAnew of [false, true]) {
      if (makeAnew) await log.makeTopic({ partitions: 4 })
      const refused = await groups.commit('g', 'ours', [entry]).catch((error: unknown) => error)
      expect(refused).to.be.instanceOf(PortError).with.property('code', 'not-owner')
      await groups.commitStarts('g', 'ours', [entry])
      expect(groups.offsets('g', ['t'])).to.deep.equal([])
    }
  })

  it('commit a start only where nothing is committed', async () => {
    await groups.join('g', 'ours', ['t'])
    const at = (partition: number, offset: bigint) => {
      return { topic: 't', partition, id: firstId + partition, offset }
    }
    await groups.commit('g', 'ours', [{ ...at(0, 7n), metadata: 'm' }])
    await groups.commitStarts('g', 'ours', [
      { ...at(0, 1n), metadata: '' },
      { ...at(1, 1n), metadata: '' },
    ])
    expect(groups.committed('g', 't', 0)).to.deep.equal({ offset: 7, metadata: 'm' })
    expect(groups.committed('g', 't', 1)).to.deep.equal({ offset: 1, metadata: '' })
    expect(groups.committed('g', 't', 2)).to.equal(null)
  })
})

describe('A commit', () => {
  const entry = { topic: 't', partition: 0, epoch: 1, offset: 0n, metadata: '' }
  const cases = [
    { name: 'offset 0', entry, isRefused: false },
    {
      name: 'metadata of 4,096',
      entry: { ...entry, metadata: 'x'.repeat(4_096) },
      isRefused: false,
    },
    {
      name: 'metadata of 4,097',
      entry: { ...entry, metadata: 'x'.repeat(4_097) },
      isRefused: true,
    },
    { name: 'offset -1', entry: { ...entry, offset: -1n }, isRefused: true },
    { name: 'offset 2^53', entry: { ...entry, offset: 2n ** 53n }, isRefused: true },
  ]
  for (const { name, entry: given, isRefused } of cases) {
    it(`with ${name} is ${isRefused ? 'refused as invalid' : 'taken'}`, () => {
      expect(codeOf(() => checkEntries([given]))).to.equal(isRefused ? 'invalid' : null)
    })
  }
})

describe('A group', () => {
  const cases = [
    { name: 'sluice', isName: true },
    { name: 'a group/with é', isName: true },
    { name: '', isName: false },
    { name: 'with\u0000nul', isName: false },
    { name: 'x'.repeat(250), isName: false },
  ]
  for (const { name, isName } of cases) {
    it(`can${isName ? '' : 'not'} be named ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(codeOf(() => checkGroupName(name))).to.equal(isName ? null : 'invalid')
    })
  }
})

function codeOf(check: () => void): string | null {
  try {
    check()
    return null
  } catch (error) {
    return error instanceof PortError ? error.code : String(error)
  }
}
