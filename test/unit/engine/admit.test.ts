import { expect } from 'chai'
import fc from 'fast-check'
import { admit, isSampled, readmit } from '../../../src/engine/admit.ts'
import type { Event } from '../../../src/model/event.ts'
import { newTask, type Task } from '../../../src/model/task.ts'
import type { Doubt } from '../../../src/rules/condition.ts'
import type { Rule, Sample } from '../../../src/rules/rule.ts'
import { anEvent, headersOf } from '../../support/builders.ts'
import { aCompiler } from '../../support/template-fixture.ts'
import { aRuleOf, aWay } from '../../support/way-fixture.ts'

const nowMs = 1_000_000
const context = { nowMs, hopsMax: 10 }

const old = anEvent({ id: 7 }, { timestampMs: nowMs - 60_000 })
const looping = anEvent(
  {},
  { headers: headersOf({ 'sluice-root': 'a/0/1', 'sluice-path': 'purge,purge' }) },
)
const oldRoot = anEvent(
  {},
  {
    timestampMs: nowMs,
    headers: headersOf({
      'sluice-root': 'a/0/1',
      'sluice-root-time': new Date(nowMs - 60_000).toISOString(),
    }),
  },
)

interface AdmitCase {
  readonly name: string
  readonly rule?: Partial<Rule>
  readonly doubt?: Doubt
  readonly event?: Event
  readonly sample?: Sample
  readonly task?: Partial<Task>
  /** `run`, or a reason. */
  readonly want: string
  /** Where it differs for a task that comes back. */
  readonly wantAgain?: string
}

const none: Sample = { rate: 0, key: null }
const key = aCompiler().compiler.text('{{event.id}}', 'text', ['key'])

describe('a match is admitted', () => {
  const cases: AdmitCase[] = [
    { name: 'where nothing speaks against it', want: 'run' },
    { name: 'not by a rule that is disabled', rule: { enabled: false }, want: 'disabled' },
    {
      name: 'not by a disabled rule, whatever else there is against it',
      rule: { enabled: false, maxAgeMs: 1 },
      doubt: 'expr-error',
      event: looping,
      want: 'disabled',
    },
    { name: 'not in doubt: too long', doubt: 'value-too-long', want: 'value-too-long' },
    { name: 'not in doubt: expr', doubt: 'expr-error', event: looping, want: 'expr-error' },
    { name: 'not in a loop', rule: { maxAgeMs: 1 }, event: looping, want: 'loop' },
    { name: 'at its greatest age', rule: { maxAgeMs: 60_000 }, want: 'run' },
    {
      name: 'not above its greatest age',
      rule: { maxAgeMs: 59_999 },
      sample: none,
      want: 'too-old',
    },
    {
      name: 'at an age of nothing when its clock is ahead',
      rule: { maxAgeMs: 0 },
      event: anEvent({}, { timestampMs: nowMs + 5_000 }),
      want: 'run',
    },
    {
      name: 'at the greatest age of its root',
      rule: { maxRootAgeMs: 60_000, maxAgeMs: 0 },
      event: oldRoot,
      want: 'run',
    },
    {
      name: 'not above the greatest age of its root',
      rule: { maxRootAgeMs: 59_999 },
      event: oldRoot,
      want: 'too-old',
    },
    {
      name: 'however old when it has begun: at a step',
      rule: { maxAgeMs: 1, maxRootAgeMs: 1 },
      task: { step: 1 },
      want: 'run',
    },
    {
      name: 'however old when it has begun: at an element',
      rule: { maxAgeMs: 1 },
      task: { item: 1 },
      want: 'run',
    },
    { name: 'not when it is sampled out', sample: none, want: 'sampled', wantAgain: 'run' },
    { name: 'by a sample of all', sample: { rate: 1, key: null }, want: 'run' },
    {
      name: 'not when its key is sampled out',
      sample: { rate: 1e-9, key },
      want: 'sampled',
      wantAgain: 'run',
    },
    {
      name: 'not when the key of its sample cannot be rendered',
      event: anEvent({}, { timestampMs: nowMs }),
      sample: { rate: 0.5, key },
      want: 'template-error',
      wantAgain: 'run',
    },
  ]
  for (const one of cases) {
    const { name, rule = {}, doubt = null, event = old, sample = null, task = {}, want } = one
    const firing = { rule: aRuleOf([aWay([], { sample })], rule), way: 0, doubt }
    const tried: Task = { ...newTask('purge', event, 0), ...task }
    it(name, () => expect(verdictOf(admit(firing, tried, context))).to.equal(want))
    it(`${name}, and so when it comes back`, () =>
      expect(verdictOf(readmit(firing, tried, context))).to.equal(one.wantAgain ?? want))
  }

  it('by the sample of the way that it takes, with its captures', () => {
    const byTitle = aCompiler().compiler.text('{{match.title}}', 'text', ['key'])
    const ways = ['A', 'B'].map((title) =>
      aWay([], { sample: { rate: 0.5, key: byTitle }, captures: () => ({ title }) }),
    )
    const rule = aRuleOf(ways)
    const verdicts = [0, 1].map((way) =>
      verdictOf(admit({ rule, way, doubt: null }, newTask('purge', old, way), context)),
    )
    expect(verdicts).to.deep.equal(
      ['A', 'B'].map((title) => (isSampled(title, 0.5) ? 'run' : 'sampled')),
    )
  })

  it('says in the dead letter which key it was', () => {
    const firing = {
      rule: aRuleOf([aWay([], { sample: { rate: 0.5, key } })]),
      way: 0,
      doubt: null,
    }
    expect(admit(firing, newTask('purge', anEvent({}), 0), context))
      .to.have.property('error')
      .that.matches(/^the key of `sample`: template: {{event\.id}} is missing/)
  })
})

function verdictOf(verdict: ReturnType<typeof admit>): string {
  return verdict.kind === 'run' ? 'run' : verdict.reason
}

describe('a sample', () => {
  it('takes the same keys on every machine and in every version', () => {
    // SHA-1 of "abc" begins with a9993e36, of the empty text with da39a3ee (FIPS 180-4).
    expect(isSampled('abc', 0xa9993e37 / 2 ** 32)).to.equal(true)
    expect(isSampled('abc', 0xa9993e36 / 2 ** 32)).to.equal(false)
    expect(isSampled('', 0.853)).to.equal(true)
    expect(isSampled('', 0.852)).to.equal(false)
  })

  it('takes with a higher rate what it takes with a lower one, and more', () => {
    const rate = fc.nat(1_000).map((thousandths) => thousandths / 1_000)
    fc.assert(
      fc.property(fc.string(), rate, rate, (text, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        if (isSampled(text, low)) expect(isSampled(text, high)).to.equal(true)
      }),
    )
  })

  for (const rate of [0.01, 0.1, 0.5, 0.9]) {
    it(`takes about ${rate} of ids that follow on each other`, () => {
      const taken = Array.from({ length: 20_000 }, (_, id) => `enwiki:${id}`).filter((id) =>
        isSampled(id, rate),
      )
      // Five standard deviations: one run in two million would be outside by chance.
      const deviation = Math.sqrt(20_000 * rate * (1 - rate))
      expect(taken.length).to.be.closeTo(20_000 * rate, 5 * deviation)
    })
  }

  it('takes nothing at a rate of 0 and everything at 1', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(isSampled(text, 0)).to.equal(false)
        expect(isSampled(text, 1)).to.equal(true)
      }),
    )
  })
})
