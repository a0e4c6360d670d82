import { expect } from 'chai'
import fc from 'fast-check'
import { planRetry } from '../../../src/engine/retry-plan.ts'
import { retryPolicy } from '../../support/builders.ts'

const tiersMs = [10_000, 60_000, 600_000, 3_600_000]
const plan = (
  attempt: number,
  { retryAfterMs = null as number | null, policy = retryPolicy, sample = 0, ageMs = 0 } = {},
) => planRetry(policy, { attempt, firstFailedMs: -ageMs, retryAfterMs }, tiersMs, 0, sample)

describe('a retry', () => {
  const cases = [
    { attempt: 1, want: 10_000, why: 'the first delay' },
    { attempt: 2, want: 60_000, why: '40 s, rounded up to a tier' },
    { attempt: 3, want: 600_000, why: '160 s, rounded up' },
    { attempt: 4, want: 3_600_000, why: '640 s, rounded up' },
  ]
  for (const { attempt, want, why } of cases) {
    it(`after attempt ${attempt} waits ${want} ms: ${why}`, () => {
      expect(plan(attempt)).to.deep.equal({ kind: 'retry', tierMs: want, dueMs: want })
    })
  }

  it('ends with the attempts', () => {
    expect(plan(5)).to.deep.equal({ kind: 'exhausted', by: 'attempts' })
    expect(plan(6)).to.deep.equal({ kind: 'exhausted', by: 'attempts' })
  })

  it('ends with the age, counted from the first failure to when it would be due', () => {
    const policy = { ...retryPolicy, ageMaxMs: 30_000 }
    expect(plan(1, { policy, ageMs: 20_000 })).to.include({ kind: 'retry' })
    expect(plan(1, { policy, ageMs: 20_001 })).to.deep.equal({ kind: 'exhausted', by: 'age' })
  })

  it('obeys Retry-After upwards, never downwards, and up to the longest delay of the rule', () => {
    expect(plan(1, { retryAfterMs: 15_000 })).to.include({ tierMs: 60_000 })
    expect(plan(3, { retryAfterMs: 1_000 })).to.include({ tierMs: 600_000 })
    const policy = { ...retryPolicy, maxMs: 60_000 }
    expect(plan(1, { retryAfterMs: 86_400_000, policy })).to.include({ tierMs: 60_000 })
  })

  it('of a longer delay than the last tier waits in the last tier', () => {
    const policy = { ...retryPolicy, maxMs: 86_400_000, firstMs: 86_400_000 }
    expect(plan(1, { policy })).to.include({ tierMs: 3_600_000 })
  })

  it('is never sooner than its tier, and later by at most the jitter', () => {
    const policy = { ...retryPolicy, jitter: 0.2 }
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, sample) => {
          const planned = plan(attempt, { policy, sample })
          if (planned.kind !== 'retry') throw new Error('attempts are left')
          expect(planned.dueMs).to.be.within(planned.tierMs, planned.tierMs * 1.2)
          expect(tiersMs).to.include(planned.tierMs)
        },
      ),
    )
  })
})
