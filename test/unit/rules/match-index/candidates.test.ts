import { expect } from 'chai'
import fc from 'fast-check'
import type { Event } from '../../../../src/model/event.ts'
import { Candidates, type Deferred } from '../../../../src/rules/match-index/candidates.ts'
import { anEvent } from '../../../support/builders.ts'

const rules = 40

function numbersOf(found: Candidates): readonly number[] {
  return Array.from({ length: found.count }, (_, i) => found.at(i))
}

describe('the candidates of a walk', () => {
  it('are each rule once, in the order in which they were found, in one walk after the other', () => {
    const walk = fc.array(fc.nat({ max: rules - 1 }), { maxLength: 60 })
    fc.assert(
      fc.property(fc.array(walk, { maxLength: 6 }), (walks) => {
        const found = new Candidates(rules)
        for (const given of walks) {
          found.begin()
          for (const rule of given) found.add(rule)
          expect(numbersOf(found)).to.deep.equal([...new Set(given)])
        }
      }),
    )
  })

  for (const count of [1, 7, 8, 9, 10, rules]) {
    it(`are ${count}, though each is found twice, when ${count} are`, () => {
      const found = new Candidates(rules)
      const given = Array.from({ length: count }, (_, i) => i)
      found.begin()
      for (const rule of [...given, ...given]) found.add(rule)
      expect(numbersOf(found)).to.deep.equal(given)
    })
  }
})

describe('rules that another value tells apart', () => {
  /** Notes for which events it was asked, and adds one rule. */
  class Noting implements Deferred {
    readonly events: Event[] = []
    readonly #rule: number

    constructor(rule: number) {
      this.#rule = rule
    }

    giveFor(event: Event, found: Candidates): void {
      this.events.push(event)
      found.add(this.#rule)
    }
  }

  it('are added at the end of the walk, for its event', () => {
    const found = new Candidates(rules)
    const event = anEvent()
    const [one, other] = [new Noting(3), new Noting(4)]
    found.begin()
    found.defer(one)
    found.add(1)
    found.defer(other)
    expect(numbersOf(found)).to.deep.equal([1])
    found.end(event)
    expect(numbersOf(found)).to.deep.equal([1, 3, 4])
    expect(one.events).to.deep.equal([event])
  })

  it('are added once if the walk has found them already', () => {
    const found = new Candidates(rules)
    found.begin()
    found.add(3)
    found.defer(new Noting(3))
    found.end(anEvent())
    expect(numbersOf(found)).to.deep.equal([3])
  })

  it('are those of this walk, not of the one before', () => {
    const found = new Candidates(rules)
    const before = new Noting(3)
    found.begin()
    found.defer(before)
    found.begin()
    found.end(anEvent())
    expect(numbersOf(found)).to.deep.equal([])
    expect(before.events).to.deep.equal([])
  })
})
