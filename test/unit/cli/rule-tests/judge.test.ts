import { expect } from 'chai'
import { judge } from '../../../../src/cli/rule-tests/judge.ts'
import type { Happened } from '../../../../src/engine/trial/trial.ts'
import type { Expected } from '../../../../src/rules/rule-test-schema.ts'

const call: Happened = {
  atMs: 0,
  kind: 'http',
  request: {
    method: 'POST',
    url: 'http://a.internal/x?y=1',
    headers: { 'content-type': 'application/json', 'x-key': 'k' },
    body: '{"n":1,"of":{"b":2,"a":[1,2]}}',
  },
}
const form: Happened = {
  atMs: 0,
  kind: 'http',
  request: { method: 'POST', url: 'http://a.internal/', headers: {}, body: 'a=1&b=x+y' },
}
const record: Happened = {
  atMs: 0,
  kind: 'emit',
  record: {
    topic: 'out',
    key: Buffer.from('k'),
    value: Buffer.from('{"n":1}'),
    headers: [['by', Buffer.from('me')]],
  },
}
const tombstone: Happened = {
  atMs: 0,
  kind: 'emit',
  record: { topic: 'out', key: null, value: null, headers: [] },
}
const noMatch: Happened = { atMs: 0, kind: 'skip', reason: 'no-match', why: 'kind is "move"' }
const superseded: Happened = { atMs: 5_000, kind: 'skip', reason: 'superseded', why: null }
const retry: Happened = { atMs: 0, kind: 'retry', afterMs: 10_000, why: 'the target answered 503' }
const dead: Happened = { atMs: 0, kind: 'dead', reason: 'status', why: 'the target answered 400' }

const http = (fields: Extract<Expected, { kind: 'http' }>['fields']): Expected => ({
  atMs: null,
  kind: 'http',
  fields,
})
const emit = (fields: Extract<Expected, { kind: 'emit' }>['fields']): Expected => ({
  atMs: null,
  kind: 'emit',
  fields,
})

const skips = (reason: Extract<Expected, { kind: 'skip' }>['reason']): Expected => ({
  atMs: null,
  kind: 'skip',
  reason,
})
const retries = (afterMs: number | null): Expected => ({ atMs: null, kind: 'retry', afterMs })
const dies = (reason: Extract<Expected, { kind: 'dead' }>['reason']): Expected => ({
  atMs: null,
  kind: 'dead',
  reason,
})

describe('what a case expects', () => {
  const cases: readonly {
    readonly is: string
    readonly expected: readonly Expected[]
    readonly happened: readonly Happened[]
    readonly ok: boolean
  }[] = [
    { is: 'a call of any kind', expected: [http({})], happened: [call], ok: true },
    {
      is: 'every field of it',
      expected: [
        http({
          method: 'POST',
          url: 'http://a.internal/x?y=1',
          headers: { 'X-Key': 'k', 'x-other': null },
          json: { of: { a: [1, 2], b: 2 }, n: 1 },
        }),
      ],
      happened: [call],
      ok: true,
    },
    { is: 'another method', expected: [http({ method: 'PUT' })], happened: [call], ok: false },
    {
      is: 'a URL that only begins alike',
      expected: [http({ url: 'http://a.internal/x' })],
      happened: [call],
      ok: false,
    },
    {
      is: 'a part of the JSON body',
      expected: [http({ json: { n: 1 } })],
      happened: [call],
      ok: false,
    },
    {
      is: 'a text for a number',
      expected: [http({ json: { n: '1', of: { a: [1, 2], b: 2 } } })],
      happened: [call],
      ok: false,
    },
    {
      is: 'a header that is not sent',
      expected: [http({ headers: { 'x-other': 'k' } })],
      happened: [call],
      ok: false,
    },
    {
      is: 'no such header where there is one',
      expected: [http({ headers: { 'x-key': null } })],
      happened: [call],
      ok: false,
    },
    { is: 'a form', expected: [http({ form: { b: 'x y', a: '1' } })], happened: [form], ok: true },
    { is: 'a text', expected: [http({ text: 'a=1&b=x+y' })], happened: [form], ok: true },
    { is: 'JSON of what is none', expected: [http({ json: {} })], happened: [form], ok: false },
    {
      is: 'a derived event',
      expected: [emit({ topic: 'out', key: 'k', value: { n: 1 }, headers: { by: 'me' } })],
      happened: [record],
      ok: true,
    },
    {
      is: 'a tombstone without a key',
      expected: [emit({ value: null, key: null })],
      happened: [tombstone],
      ok: true,
    },
    {
      is: 'a tombstone where there is a value',
      expected: [emit({ value: null })],
      happened: [record],
      ok: false,
    },
    { is: 'fewer calls', expected: [http({})], happened: [call, form], ok: false },
    { is: 'more calls', expected: [http({}), http({})], happened: [call], ok: false },
    { is: 'another order', expected: [http({}), emit({})], happened: [record, call], ok: false },
    {
      is: 'a call, and it emits as well',
      expected: [http({})],
      happened: [call, record],
      ok: false,
    },
    {
      is: 'a skip',
      expected: [skips('no-match')],
      happened: [noMatch],
      ok: true,
    },
    {
      is: 'a skip, and it acts',
      expected: [skips('no-match')],
      happened: [call],
      ok: false,
    },
    {
      is: 'a skip for another reason',
      expected: [skips('too-old')],
      happened: [noMatch],
      ok: false,
    },
    {
      is: 'the second call, whatever came between',
      expected: [http({}), http({})],
      happened: [call, retry, call],
      ok: true,
    },
    {
      is: 'one of two events to be acted on',
      expected: [http({})],
      happened: [noMatch, call],
      ok: true,
    },
    {
      is: 'a retry, whatever was called',
      expected: [retries(10_000)],
      happened: [call, retry],
      ok: true,
    },
    {
      is: 'a retry at any time',
      expected: [retries(null)],
      happened: [call, retry],
      ok: true,
    },
    {
      is: 'a later retry',
      expected: [retries(60_000)],
      happened: [call, retry],
      ok: false,
    },
    {
      is: 'a dead letter',
      expected: [dies('status')],
      happened: [call, retry, call, dead],
      ok: true,
    },
    { is: 'a call that is not dead', expected: [http({})], happened: [call, dead], ok: false },
    {
      is: 'a retry of what is dead',
      expected: [retries(null)],
      happened: [call, dead],
      ok: false,
    },
    {
      is: 'a call at its time',
      expected: [{ ...http({}), atMs: 5_000 }],
      happened: [{ ...call, atMs: 5_000 }],
      ok: true,
    },
    {
      is: 'a call a millisecond earlier',
      expected: [{ ...http({}), atMs: 4_999 }],
      happened: [{ ...call, atMs: 5_000 }],
      ok: false,
    },
    {
      is: 'a call at the start, and it comes later',
      expected: [{ ...http({}), atMs: 0 }],
      happened: [{ ...call, atMs: 5_000 }],
      ok: false,
    },
    {
      is: 'a skip between two calls',
      expected: [http({}), skips('superseded'), http({})],
      happened: [call, superseded, call],
      ok: true,
    },
    {
      is: 'a skip behind two calls that comes between them',
      expected: [http({}), http({}), skips('superseded')],
      happened: [call, superseded, call],
      ok: false,
    },
  ]
  for (const { is, expected, happened, ok } of cases) {
    it(`${ok ? 'holds' : 'does not hold'} where it is ${is}`, () => {
      expect(judge(expected, happened).ok).to.equal(ok)
    })
  }

  it('is set beside the same fields of what happened, in the same order', () => {
    const { expected, actual } = judge(
      [http({ json: { of: { a: [1], b: 2 }, n: 1 }, method: 'PUT' })],
      [call],
    )
    expect(JSON.stringify(expected)).to.equal(
      '[{"http":{"json":{"of":{"a":[1],"b":2},"n":1},"method":"PUT"}}]',
    )
    expect(JSON.stringify(actual)).to.equal(
      '[{"http":{"json":{"of":{"a":[1,2],"b":2},"n":1},"method":"POST"}}]',
    )
  })

  it('is set beside the times where the case speaks of them, of what it did not expect as well', () => {
    const later: Happened = { ...call, atMs: 1_500 }
    const { expected, actual } = judge([{ ...http({}), atMs: 0 }, http({})], [call, later, later])
    expect(expected).to.deep.equal([{ at: '0s', http: {} }, { http: {} }])
    expect(actual).to.deep.equal([
      { at: '0s', http: {} },
      { http: {} },
      { at: '1500ms', http: { method: 'POST', url: 'http://a.internal/x?y=1' } },
    ])
  })

  it('names what was not expected by its chief fields', () => {
    const { actual } = judge([skips('no-match')], [call, record])
    expect(actual).to.deep.equal([
      { http: { method: 'POST', url: 'http://a.internal/x?y=1' } },
      { emit: { topic: 'out', key: 'k' } },
    ])
  })

  describe('shows what was done in place of', () => {
    const done = [
      { http: { method: 'POST', url: 'http://a.internal/x?y=1' } },
      { emit: { topic: 'out', key: 'k' } },
    ]
    const rows: readonly {
      readonly is: string
      readonly expected: Expected | readonly Expected[]
      readonly happened: readonly Happened[]
      readonly actual: readonly object[]
    }[] = [
      {
        is: 'a dead letter behind a retry',
        expected: [retries(null), dies('status')],
        happened: [call, retry, record],
        actual: [done[0] ?? {}, { retry: { after: '10s' } }, done[1] ?? {}],
      },
      {
        is: 'a dead letter',
        expected: dies('status'),
        happened: [call, record],
        actual: done,
      },
      {
        is: 'a dead letter, after a retry',
        expected: dies('status'),
        happened: [call, retry, record],
        actual: done,
      },
      {
        is: 'a retry',
        expected: retries(null),
        happened: [call, record],
        actual: done,
      },
      {
        is: 'a retry of what is dead: the dead letter says it',
        expected: retries(null),
        happened: [call, dead],
        actual: [{ dead: 'status' }],
      },
      {
        is: 'a dead letter of what is skipped: nothing',
        expected: dies('status'),
        happened: [noMatch],
        actual: [],
      },
    ]
    for (const { is, expected, happened, actual } of rows) {
      it(is, () => {
        const judgement = judge([expected].flat(), happened)
        expect(judgement.ok).to.equal(false)
        expect(judgement.actual).to.deep.equal(actual)
      })
    }
  })

  it('does not show it where a case holds', () => {
    const { actual } = judge([dies('status')], [call, dead])
    expect(actual).to.deep.equal([{ dead: 'status' }])
  })

  it('comes with the reasons of what it does not compare', () => {
    const later: Happened = { ...dead, atMs: 10_000 }
    const { notes } = judge([http({})], [noMatch, call, retry, superseded, later])
    expect(notes).to.deep.equal([
      'skipped: no-match, kind is "move"',
      'an attempt failed: the target answered 503',
      'skipped at 5s: superseded',
      'dead at 10s: the target answered 400',
    ])
  })
})
