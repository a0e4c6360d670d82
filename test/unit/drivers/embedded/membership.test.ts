import { expect } from 'chai'
import fc from 'fast-check'
import type { Group } from '../../../../src/drivers/embedded/membership.ts'
import * as membership from '../../../../src/drivers/embedded/membership.ts'

const partitionsOf = (topic: string): number | null => ({ one: 1, four: 4, six: 6 })[topic] ?? null

function joined(ids: readonly string[], topics: readonly string[] = ['four']): Group {
  let group = membership.emptyGroup
  for (const id of ids) group = membership.join(group, id, { client: id, topics }, partitionsOf)
  return settled(group)
}

/** Everyone lets go of what is not of the current generation. */
function settled(group: Group): Group {
  return Object.keys(group.members).reduce(
    (current, id) => membership.letGo(current, id, partitionsOf),
    group,
  )
}

function countOf(group: Group, id: string): number {
  return Object.values(group.members[id]?.owns ?? {}).flat().length
}

describe('A group', () => {
  it('deals everything to its only member at once', () => {
    const group = membership.join(
      membership.emptyGroup,
      'a',
      { client: 'c', topics: ['four', 'one'] },
      partitionsOf,
    )
    expect(group.members['a']?.owns).to.deep.equal({ four: [0, 1, 2, 3], one: [0] })
    expect(group.dealt).to.equal(group.generation)
  })

  it('deals nothing to a new member before the others have let go', () => {
    const alone = joined(['a'])
    const group = membership.join(alone, 'b', { client: 'b', topics: ['four'] }, partitionsOf)
    expect(countOf(group, 'a')).to.equal(4)
    expect(countOf(group, 'b')).to.equal(0)
    expect(group.dealt).to.be.below(group.generation)
    const after = membership.letGo(group, 'a', partitionsOf)
    expect([countOf(after, 'a'), countOf(after, 'b')]).to.deep.equal([2, 2])
  })

  it('has nothing of a member that has let go, while others have not', () => {
    const group = membership.remove(joined(['a', 'b', 'c']), ['c'], partitionsOf)
    const halfway = membership.letGo(group, 'a', partitionsOf)
    expect(countOf(halfway, 'a')).to.equal(0)
    expect(countOf(halfway, 'b')).to.equal(1)
    expect(halfway.dealt).to.be.below(halfway.generation)
  })

  it('deals what a member leaves behind once the others have let go', () => {
    const left = membership.remove(joined(['a', 'b', 'c']), ['b'], partitionsOf)
    expect(left.members['b']).to.equal(undefined)
    expect(countOf(settled(left), 'a') + countOf(settled(left), 'c')).to.equal(4)
  })

  it('does not change when a member is removed that is not there', () => {
    const group = joined(['a'])
    expect(membership.remove(group, ['x'], partitionsOf)).to.equal(group)
  })

  it('does not change when a member lets go twice, or lets go without being there', () => {
    const group = joined(['a', 'b'])
    expect(membership.letGo(group, 'a', partitionsOf)).to.equal(group)
    expect(membership.letGo(group, 'x', partitionsOf)).to.equal(group)
  })

  it('starts a new generation for other topics, not for the same in another order', () => {
    const group = joined(['a'], ['four', 'one'])
    expect(membership.changeTopics(group, 'a', ['one', 'four'])).to.equal(group)
    const changed = settled(membership.changeTopics(group, 'a', ['six']))
    expect(changed.generation).to.equal(group.generation + 1)
    expect(changed.members['a']?.owns).to.deep.equal({ six: [0, 1, 2, 3, 4, 5] })
  })

  it('starts a new generation when a topic comes or goes that someone reads', () => {
    const group = joined(['a'], ['four'])
    expect(membership.topicsChanged(group, ['one'])).to.equal(group)
    expect(membership.topicsChanged(group, ['four']).generation).to.equal(group.generation + 1)
  })

  it('reads on without a topic that does not exist', () => {
    const group = joined(['a'], ['four', 'missing'])
    expect(group.members['a']?.owns).to.deep.equal({ four: [0, 1, 2, 3] })
  })

  it('says whose a partition is', () => {
    const group = joined(['a', 'b'])
    const owners = [0, 1, 2, 3].map((partition) =>
      ['a', 'b', 'x'].filter((id) => membership.ownsPartition(group, id, 'four', partition)),
    )
    expect(owners.map((ids) => ids.length)).to.deep.equal([1, 1, 1, 1])
  })

  describe('whatever happens to it', () => {
    const ids = ['a', 'b', 'c', 'd']
    const someTopics = fc.subarray(['one', 'four', 'six', 'missing'], { minLength: 1 })
    const steps = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('join' as const),
          id: fc.constantFrom(...ids),
          topics: someTopics,
        }),
        fc.record({
          kind: fc.constant('topics' as const),
          id: fc.constantFrom(...ids),
          topics: someTopics,
        }),
        fc.record({ kind: fc.constantFrom('leave', 'let go'), id: fc.constantFrom(...ids) }),
      ),
      { maxLength: 30 },
    )

    function after(taken: readonly { kind: string; id: string; topics?: readonly string[] }[]) {
      const seen: Group[] = [membership.emptyGroup]
      for (const { kind, id, topics = [] } of taken) {
        const group = seen.at(-1) ?? membership.emptyGroup
        if (kind === 'join' && group.members[id] === undefined) {
          seen.push(membership.join(group, id, { client: id, topics }, partitionsOf))
        } else if (kind === 'topics') seen.push(membership.changeTopics(group, id, topics))
        else if (kind === 'leave') seen.push(membership.remove(group, [id], partitionsOf))
        else if (kind === 'let go') seen.push(membership.letGo(group, id, partitionsOf))
      }
      return seen
    }

    it('has one owner at most for each partition', () => {
      fc.assert(
        fc.property(steps, (taken) => {
          for (const group of after(taken)) {
            const owned = Object.values(group.members).flatMap((member) =>
              Object.entries(member.owns).flatMap(([topic, partitions]) =>
                partitions.map((partition) => `${topic}/${partition}`),
              ),
            )
            expect(new Set(owned).size).to.equal(owned.length)
          }
        }),
      )
    })

    it('moves a partition from one member to another only through nobody', () => {
      fc.assert(
        fc.property(steps, (taken) => {
          const seen = after(taken)
          seen.slice(1).forEach((group, i) => {
            for (const [topic, partition] of [
              ['four', 2],
              ['one', 0],
            ] as const) {
              const owner = (at: Group | undefined) =>
                ids.find(
                  (id) => at !== undefined && membership.ownsPartition(at, id, topic, partition),
                )
              const [before, now] = [owner(seen[i]), owner(group)]
              if (before === undefined || now === undefined || before === now) continue
              // A step that takes the owner out, or makes it let go, may complete the deal.
              const stays = group.members[before]
              expect(stays === undefined || stays.joined === group.generation).to.equal(true)
            }
          })
        }),
      )
    })

    it('deals every partition fairly among those who read it, once all have let go', () => {
      fc.assert(
        fc.property(steps, (taken) => {
          const group = settled(after(taken).at(-1) ?? membership.emptyGroup)
          const members = Object.entries(group.members)
          if (members.length === 0) return
          expect(group.dealt).to.equal(group.generation)
          for (const [id, member] of members) {
            expect(member.topics).to.include.members(Object.keys(member.owns))
            expect(countOf(group, id)).to.be.at.least(0)
          }
          for (const topic of ['one', 'four', 'six']) {
            const isRead = members.some(([, member]) => member.topics.includes(topic))
            const dealt = members.flatMap(([, member]) => member.owns[topic] ?? [])
            expect(dealt.length).to.equal(isRead ? partitionsOf(topic) : 0)
          }
        }),
      )
    })

    it('leaves no two members further apart than one when all read the same', () => {
      fc.assert(
        fc.property(fc.subarray(ids, { minLength: 1 }), someTopics, (some, topics) => {
          const group = joined(some, topics)
          const counts = some.map((id) => countOf(group, id))
          expect(Math.max(...counts) - Math.min(...counts)).to.be.below(2)
        }),
      )
    })
  })
})
