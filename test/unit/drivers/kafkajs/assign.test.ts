import { expect } from 'chai'
import fc from 'fast-check'
import type { Candidate } from '../../../../src/drivers/kafkajs/assign.ts'
import {
  assign,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../src/drivers/kafkajs/assign.ts'
import type { TopicPartition } from '../../../../src/model/record.ts'
import { partitionName } from '../../../../src/model/record.ts'

const names = (partitions: readonly TopicPartition[] | undefined) =>
  (partitions ?? []).map(partitionName).toSorted()

function member(memberId: string, topics: string[], owned: TopicPartition[] = []): Candidate {
  return { memberId, topics, owned }
}

const topicNames = ['a', 'b', 'c']
const groups = fc.record({
  counts: fc
    .array(fc.integer({ min: 0, max: 12 }), { minLength: 3, maxLength: 3 })
    .map((sizes) => new Map(topicNames.map((topic, i) => [topic, sizes[i] ?? 0]))),
  members: fc
    .array(
      fc.record({
        topics: fc.subarray(topicNames),
        owned: fc.array(
          fc.record({ topic: fc.constantFrom(...topicNames), partition: fc.nat({ max: 11 }) }),
          { maxLength: 10 },
        ),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((all) => all.map((one, i) => ({ ...one, memberId: `member-${i}` }))),
})

describe('The assignment of a group', () => {
  it('gives each partition to exactly one member, who wants its topic', () => {
    fc.assert(
      fc.property(groups, ({ members, counts }) => {
        const dealt = assign(members, counts)
        const all: string[] = []
        for (const { memberId, topics } of members) {
          for (const partition of dealt.get(memberId) ?? []) {
            expect(topics).to.include(partition.topic)
            all.push(partitionName(partition))
          }
        }
        const wanted = [...counts].flatMap(([topic, count]) =>
          members.some((one) => one.topics.includes(topic))
            ? Array.from({ length: count }, (_, partition) => partitionName({ topic, partition }))
            : [],
        )
        expect(all.toSorted()).to.deep.equal(wanted.toSorted())
      }),
    )
  })

  it('leaves nobody who could take one of another with two less than that one', () => {
    fc.assert(
      fc.property(groups, ({ members, counts }) => {
        const dealt = assign(members, counts)
        for (const laden of members) {
          const theirs = dealt.get(laden.memberId) ?? []
          for (const idle of members) {
            if (!theirs.some((partition) => idle.topics.includes(partition.topic))) continue
            expect(theirs.length - (dealt.get(idle.memberId)?.length ?? 0)).to.be.at.most(1)
          }
        }
      }),
    )
  })

  it('does not depend on the order in which members come', () => {
    fc.assert(
      fc.property(groups, ({ members, counts }) => {
        const one = assign(members, counts)
        const other = assign(members.toReversed(), counts)
        for (const { memberId } of members) {
          expect(names(one.get(memberId))).to.deep.equal(names(other.get(memberId)))
        }
      }),
    )
  })

  it('stays as it is while nothing changes', () => {
    fc.assert(
      fc.property(groups, ({ members, counts }) => {
        const first = assign(members, counts)
        const settled = members.map((one) => ({ ...one, owned: first.get(one.memberId) ?? [] }))
        const second = assign(settled, counts)
        for (const { memberId } of members) {
          expect(names(second.get(memberId))).to.deep.equal(names(first.get(memberId)))
        }
      }),
    )
  })

  it('moves no more than a newcomer needs', () => {
    const before = [0, 1, 2, 3].map((partition) => ({ topic: 'a', partition }))
    const dealt = assign([member('old', ['a'], before), member('new', ['a'])], new Map([['a', 4]]))
    expect(names(dealt.get('old'))).to.deep.equal(['a/0', 'a/1'])
    expect(names(dealt.get('new'))).to.deep.equal(['a/2', 'a/3'])
  })
})

describe('What members say to each other', () => {
  it('comes back as it was said', () => {
    const owned = [{ topic: 'a', partition: 3 }]
    const said = encodeSubscription(['a', 'b'], owned)
    expect(decodeSubscription('me', said)).to.deep.equal(member('me', ['a', 'b'], owned))
    const dealt = [...owned, { topic: 'a', partition: 4 }, { topic: 'b', partition: 0 }]
    expect(decodeAssignment(encodeAssignment(dealt))).to.deep.equal(dealt)
  })

  it('may be nothing: a member without partitions', () => {
    expect(decodeAssignment(Buffer.alloc(0))).to.deep.equal([])
    expect(decodeAssignment(encodeAssignment([]))).to.deep.equal([])
  })

  const strange = ['', '{', 'null', '{"a":1}', '[1,["a"],["a","b"],[]]']
  for (const text of strange) {
    it(`costs only stickiness when it is not understood: ${text || '(nothing)'}`, () => {
      const said = encodeSubscription(['a'], [])
      const data = Buffer.from(text)
      const length = Buffer.alloc(4)
      length.writeInt32BE(data.length)
      // Behind the version, one topic of one letter, and then the bytes of user data.
      const altered = Buffer.concat([said.subarray(0, 2 + 4 + 2 + 1), length, data])
      expect(decodeSubscription('it', altered)).to.deep.equal(member('it', ['a']))
    })
  }
})
