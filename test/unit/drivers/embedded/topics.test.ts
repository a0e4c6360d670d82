import { expect } from 'chai'
import {
  checkSpec,
  deleteTopics,
  makeTopics,
  partitionIdOf,
  partitionsIn,
} from '../../../../src/drivers/embedded/topics.ts'
import { emptyGroup, join } from '../../../../src/drivers/embedded/membership.ts'
import type { TopicSpec } from '../../../../src/ports/bus.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import type { OpenLog } from './open-log.ts'
import { openLog } from './open-log.ts'

describe('A topic', () => {
  const names = [
    { name: 'edits', isName: true },
    { name: 'sluice.retry.10s', isName: true },
    { name: 'A-Z_0', isName: true },
    { name: 'x'.repeat(249), isName: true },
    { name: 'x'.repeat(250), isName: false },
    { name: '', isName: false },
    { name: '.', isName: false },
    { name: '..', isName: false },
    { name: '...', isName: true },
    { name: 'a/b', isName: false },
    { name: 'a b', isName: false },
    { name: 'é', isName: false },
    { name: 'a\n', isName: false },
  ]
  for (const { name, isName } of names) {
    const shown = name.length > 20 ? `${name.length} characters` : JSON.stringify(name)
    it(`can${isName ? '' : 'not'} be named ${shown}`, () => {
      expect(codeOf(() => checkSpec(specOf(name, 1)))).to.equal(isName ? null : 'invalid')
    })
  }

  for (const partitions of [0, -1, 1.5, 1_025, Number.NaN]) {
    it(`cannot have ${partitions} partitions`, () => {
      expect(codeOf(() => checkSpec(specOf('t', partitions)))).to.equal('invalid')
    })
  }

  describe('in the log', () => {
    let log: OpenLog
    beforeEach(() => {
      log = openLog()
    })
    afterEach(() => log.close())

    it('has partitions with ids that no other topic has or had', async () => {
      const first = await log.makeTopic({ name: 'a', partitions: 3 })
      const second = await log.makeTopic({ name: 'b', partitions: 2 })
      await log.writer.write((transaction) => deleteTopics(log.environment, transaction, ['a']))
      const again = await log.makeTopic({ name: 'a', partitions: 3 })
      expect(second).to.be.at.least(first + 3)
      expect(again).to.be.at.least(second + 2)
    })

    it('that is named twice in one call is made once', async () => {
      const specs = [specOf('a', 2), specOf('a', 5)]
      const created = await log.writer.write(() => makeTopics(log.environment, specs))
      expect(created).to.deep.equal(['a'])
      expect(partitionsIn(log.environment)('a')).to.equal(2)
    })

    for (const partition of [-1, 2, 0.5, Number.NaN]) {
      it(`with two partitions has no partition ${partition}`, async () => {
        await log.makeTopic({ partitions: 2 })
        const look = () => partitionIdOf(log.environment, 't', partition)
        expect(codeOf(look)).to.equal('unknown-topic')
      })
    }

    it('takes the positions of all groups in it along when it is deleted, and no others', async () => {
      const { offsets } = log.environment
      await log.makeTopic({ name: 'a' })
      await log.makeTopic({ name: 'b' })
      await log.writer.write((transaction) => {
        for (const topic of ['a', 'b']) {
          void offsets.put(['g', topic, 0], { offset: 1, metadata: '' })
        }
        deleteTopics(log.environment, transaction, ['a', 'never there', 'no/name'])
      })
      expect([...offsets.getKeys({})]).to.deep.equal([['g', 'b', 0]])
    })

    it('makes those groups share anew that read it, when it comes and when it goes', async () => {
      const { groups } = log.environment
      const partitionsOf = () => 1
      const reading = (topic: string) =>
        join(emptyGroup, 'm', { client: 'c', topics: [topic] }, partitionsOf)
      await log.writer.write(() => {
        void groups.put('readers', reading('a'))
        void groups.put('others', reading('b'))
      })
      const generations = () => ['readers', 'others'].map((name) => groups.get(name)?.generation)
      await log.makeTopic({ name: 'a' })
      expect(generations()).to.deep.equal([2, 1])
      await log.writer.write((transaction) => deleteTopics(log.environment, transaction, ['a']))
      expect(generations()).to.deep.equal([3, 1])
    })
  })
})

function specOf(name: string, partitions: number): TopicSpec {
  const retention = { retentionMs: null, retentionBytes: null }
  return { name, partitions, replication: 1, compacted: false, ...retention }
}

function codeOf(check: () => unknown): string | null {
  try {
    check()
    return null
  } catch (error) {
    return error instanceof PortError ? error.code : String(error)
  }
}
