import { expect } from 'chai'
import {
  compileStatusPolicy,
  defaultVerdict,
  isAlreadyAbsent,
  isOutcomeName,
  networkOutcomes,
  type PolicyOverride,
  type Verdict,
} from '../../../src/model/status-policy.ts'

/** The table of docs/rules.md, 4, written out. */
function expected(method: string, status: number): Verdict {
  if (status >= 200 && status < 300) return 'success'
  if (method === 'PURGE' && [404, 410, 412].includes(status)) return 'success'
  if ([401, 403, 407, 408, 409, 423, 425, 429].includes(status)) return 'retry'
  if (status >= 500 && status !== 501 && status !== 505) return 'retry'
  return 'dead'
}

const none: PolicyOverride = { success: [], dead: [], retry: [] }

describe('by default', () => {
  for (const method of ['POST', 'PURGE']) {
    const policy = compileStatusPolicy(method, [none, none])
    for (let status = 100; status <= 599; status++) {
      const want = expected(method, status)
      it(`${status} to ${method} is ${want}`, () => {
        expect(policy.ofStatus(status)).to.equal(want)
        expect(defaultVerdict(method, status)).to.equal(want)
      })
    }
  }

  for (const outcome of networkOutcomes) {
    it(`${outcome} is retry`, () => {
      expect(compileStatusPolicy('GET', []).ofNetwork(outcome)).to.equal('retry')
    })
  }

  it('what is no status counts as a target that is unwell', () => {
    for (const status of [0, 99, 600, 999, -1, Number.NaN, 1e9]) {
      expect(compileStatusPolicy('GET', []).ofStatus(status), String(status)).to.equal('retry')
    }
  })

  it('only a purge finds that what should go is gone', () => {
    expect([404, 410, 412, 200, 500].filter((one) => isAlreadyAbsent('PURGE', one))).to.deep.equal([
      404, 410, 412,
    ])
    expect(isAlreadyAbsent('DELETE', 404)).to.equal(false)
  })
})

describe('an override', () => {
  const cases: {
    name: string
    action?: Partial<PolicyOverride>
    rule?: Partial<PolicyOverride>
    want: Partial<Record<number, Verdict>>
  }[] = [
    { name: 'of one status', action: { retry: ['404'] }, want: { 404: 'retry', 410: 'dead' } },
    {
      name: 'of a class',
      action: { success: ['4xx'] },
      want: { 400: 'success', 429: 'success', 500: 'retry' },
    },
    {
      name: 'of one status within a class',
      action: { dead: ['5xx'], retry: ['503'] },
      want: { 500: 'dead', 503: 'retry' },
    },
    {
      name: 'by the rule where the action is silent',
      rule: { dead: ['503'] },
      want: { 503: 'dead', 500: 'retry' },
    },
    {
      name: 'by the action before the rule',
      action: { retry: ['4xx'] },
      rule: { success: ['404'], dead: ['500'] },
      want: { 404: 'retry', 500: 'dead' },
    },
    {
      name: 'said twice: dead letter before success before retry',
      action: { dead: ['404'], success: ['404', '410'], retry: ['404', '410'] },
      want: { 404: 'dead', 410: 'success' },
    },
    { name: 'of what is a success', action: { retry: ['202'] }, want: { 202: 'retry' } },
  ]
  for (const { name, action, rule, want } of cases) {
    it(name, () => {
      const overrides = [
        { ...none, ...action },
        { ...none, ...rule },
      ]
      const policy = compileStatusPolicy('POST', overrides)
      for (const [status, verdict] of Object.entries(want)) {
        expect(policy.ofStatus(Number(status)), status).to.equal(verdict)
      }
    })
  }

  it('reaches a purge and what has no status', () => {
    const policy = compileStatusPolicy('PURGE', [{ ...none, dead: ['404', 'timeout'] }])
    expect(policy.ofStatus(404)).to.equal('dead')
    expect(policy.ofStatus(410)).to.equal('success')
    expect(policy.ofNetwork('timeout')).to.equal('dead')
    expect(policy.ofNetwork('reset')).to.equal('retry')
  })
})

it('the name of an outcome is a status, a class or a way to fail', () => {
  const good = ['100', '429', '599', '1xx', '5xx', ...networkOutcomes]
  const bad = ['', '99', '600', '6xx', '5XX', '50x', 'guard', 'Timeout', ' 429', '4290']
  expect(good.filter(isOutcomeName)).to.deep.equal(good)
  expect(bad.filter(isOutcomeName)).to.deep.equal([])
})
