import { expect } from 'chai'
import type { Expected, RuleTest } from '../../../src/rules/rule-test-schema.ts'
import { loadText, placesOf, ruleText } from '../../support/load-text.ts'

/** Cases of a rule that reads `edits`, written as the value of `tests`. */
function withTests(tests: string, topics = '[edits]'): string {
  return ruleText(`when: { a: 1 }\ntests: ${tests}`).replace('[edits]', topics)
}

async function only(test: string, topics?: string): Promise<RuleTest> {
  const { problems, tests } = await loadText(withTests(`[${test}]`, topics))
  expect(problems).to.deep.equal([])
  expect(tests).to.have.length(1)
  const [first] = tests
  if (first === undefined) throw new Error('there is no case')
  return first
}

describe('a case beside a rule', () => {
  it('knows its rule and its line, and fills in what it does not say', async () => {
    const test = await only('{ name: one, event: { a: 1 }, expect: { skip: no-match } }')
    expect(test).to.deep.equal({
      rule: 'purge',
      name: 'one',
      file: 'rules/a.yaml',
      line: 5,
      events: [{ body: { a: 1 }, atMs: 0, ageMs: 0, topic: 'edits', key: null, headers: {} }],
      responses: [],
      expect: [{ atMs: null, kind: 'skip', reason: 'no-match' }],
    })
  })

  it('may say all that an event has beside its body', async () => {
    const about = 'at: 3s, age: 2h, topic: other, key: k, headers: { n: 1, t: true }'
    const { events } = await only(`{ name: one, event: null, ${about}, expect: { http: {} } }`)
    expect(events).to.deep.equal([
      {
        body: null,
        atMs: 3_000,
        ageMs: 7_200_000,
        topic: 'other',
        key: 'k',
        headers: { n: '1', t: 'true' },
      },
    ])
  })

  it('takes several events, in the order of their times', async () => {
    const events = '[{ event: { a: 1 } }, { event: { a: 2 }, at: 5s, key: k }]'
    const test = await only(`{ name: one, events: ${events}, expect: { http: [{}, {}] } }`)
    expect(test.events.map(({ body, atMs, key }) => [body, atMs, key])).to.deep.equal([
      [{ a: 1 }, 0, null],
      [{ a: 2 }, 5_000, 'k'],
    ])
  })

  const topics: readonly (readonly [topics: string, want: string])[] = [
    ['[a.*, b, c]', 'b'],
    ['["a.*.b", "c.*"]', 'a.x.b'],
    ['{ include: [a, b], exclude: [a] }', 'b'],
  ]
  for (const [written, want] of topics) {
    it(`of topics ${written} is about ${want}`, async () => {
      const { events } = await only('{ name: a, event: {}, expect: { http: {} } }', written)
      expect(events[0]?.topic).to.equal(want)
    })
  }

  it('takes answers with a status, a body or JSON, and calls that fail', async () => {
    const responses =
      '[{}, { status: 503, delay: 2s, headers: { retry-after: 5 }, body: no }, { json: { ok: true } }, ' +
      '{ json: 1, headers: { Content-Type: text/plain } }, { error: timeout, delay: 1s }]'
    const test = await only(`{ name: a, event: {}, responses: ${responses}, expect: { http: {} } }`)
    expect(test.responses).to.deep.equal([
      { kind: 'answer', status: 200, headers: {}, body: '', delayMs: 0 },
      { kind: 'answer', status: 503, headers: { 'retry-after': '5' }, body: 'no', delayMs: 2_000 },
      {
        kind: 'answer',
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: '{"ok":true}',
        delayMs: 0,
      },
      {
        kind: 'answer',
        status: 200,
        headers: { 'Content-Type': 'text/plain' },
        body: '1',
        delayMs: 0,
      },
      { kind: 'error', error: 'timeout', delayMs: 1_000 },
    ])
  })
})

describe('what a case expects', () => {
  const http: Expected = { atMs: null, kind: 'http', fields: { url: 'u' } }
  const emit: Expected = { atMs: null, kind: 'emit', fields: { topic: 't' } }
  const noMatch: Expected = { atMs: null, kind: 'skip', reason: 'no-match' }
  const retry: Expected = { atMs: null, kind: 'retry', afterMs: null }
  const rows: readonly (readonly [written: string, want: readonly Expected[]])[] = [
    ['{ http: { url: u } }', [http]],
    ['{ http: [{ url: u }, { url: u }] }', [http, http]],
    ['{ emit: [{ topic: t }] }', [emit]],
    ['[{ http: { url: u } }, { emit: { topic: t } }, { http: { url: u } }]', [http, emit, http]],
    ['{ skip: disabled }', [{ ...noMatch, reason: 'disabled' }]],
    ['{ retry: { after: 10s } }', [{ ...retry, afterMs: 10_000 }]],
    ['{ retry: {} }', [retry]],
    ['{ http: { url: u }, retry: {} }', [http, retry]],
    ['{ http: { url: u }, dead: status }', [http, { atMs: null, kind: 'dead', reason: 'status' }]],
    ['[{ http: { url: u } }, { skip: no-match }]', [http, noMatch]],
    [
      '{ emit: { key: 7, value: null, headers: { a: 1, b: null } } }',
      [{ ...emit, fields: { key: '7', value: null, headers: { a: '1', b: null } } }],
    ],
    [
      '{ http: { method: POST, json: { a: [1] }, form: { n: 1 }, text: x } }',
      [
        {
          ...http,
          fields: { method: 'POST', json: { a: [1] }, form: { n: '1' }, text: 'x' },
        },
      ],
    ],
    ['{ at: 5s, http: { url: u } }', [{ ...http, atMs: 5_000 }]],
    ['{ at: 0s, http: [{ url: u }] }', [{ ...http, atMs: 0 }]],
    [
      '[{ http: { url: u }, at: 0s }, { at: 1500ms, skip: no-match }, { retry: {} }]',
      [{ ...http, atMs: 0 }, { ...noMatch, atMs: 1_500 }, retry],
    ],
  ]
  for (const [written, want] of rows) {
    it(`is read from ${written}`, async () => {
      const test = await only(`{ name: a, event: {}, expect: ${written} }`)
      expect(test.expect).to.deep.equal(want)
    })
  }
})

describe('a case with a mistake', () => {
  const good = 'name: a, event: {}, expect: { http: {} }'
  const rows: readonly (readonly [test: string, places: readonly string[]])[] = [
    ['{ event: {}, expect: { http: {} } }', ['6:7 missing-key']],
    ['{ name: a, expect: { http: {} } }', ['6:7 missing-key']],
    ['{ name: a, event: {} }', ['6:7 missing-key']],
    ['{ name: a, event: {}, expect: {} }', ['6:37 bad-value']],
    ['{ name: a, event: {}, expect: [] }', ['6:37 bad-value']],
    ['{ name: a, event: {}, expect: none }', ['6:37 wrong-type']],
    [`{ ${good}, evnt: {} }`, ['6:51 unknown-key']],
    [`{ ${good}, events: [{ event: {} }] }`, ['6:25 bad-value']],
    ['{ name: a, at: 1s, events: [{ event: {} }], expect: { http: {} } }', ['6:22 bad-value']],
    [
      '{ name: a, events: [{ kind: edit }], expect: { http: {} } }',
      ['6:27 missing-key', '6:29 unknown-key'],
    ],
    [
      '{ name: a, events: [{ event: {}, at: 5s }, { event: {}, at: 1s }], expect: { http: {} } }',
      ['6:67 bad-value'],
    ],
    ['{ name: a, event: {}, expect: { http: {}, emit: {} } }', ['6:55 bad-value']],
    ['{ name: a, event: {}, expect: { skip: disabled, http: {} } }', ['6:45 bad-value']],
    ['{ name: a, event: {}, expect: { retry: {}, dead: status } }', ['6:56 bad-value']],
    ['{ name: a, event: {}, expect: [{ http: {}, emit: {} }] }', ['6:38 bad-value']],
    ['{ name: a, event: {}, expect: { at: 5s } }', ['6:37 bad-value']],
    ['{ name: a, event: {}, expect: [{ at: 5s }] }', ['6:38 bad-value']],
    ['{ name: a, event: {}, expect: { http: {}, at: soon } }', ['6:53 bad-duration']],
    ['{ name: a, event: {}, expect: { http: [{}, {}], at: 5s } }', ['6:59 bad-value']],
    ['{ name: a, event: {}, expect: { http: {}, dead: status, at: 5s } }', ['6:67 bad-value']],
    ['{ name: a, event: {}, expect: { skip: not-at-all } }', ['6:45 bad-value']],
    ['{ name: a, event: {}, expect: { dead: tired } }', ['6:45 bad-value']],
    ['{ name: a, event: {}, expect: { http: { ulr: x } } }', ['6:47 unknown-key']],
    [`{ ${good}, responses: [{ status: 1 }] }`, ['6:73 bad-value']],
    [`{ ${good}, responses: [{ error: timeout, status: 200 }] }`, ['6:72 bad-value']],
    [`{ ${good}, responses: [{ body: a, json: 1 }] }`, ['6:80 bad-value']],
    [`{ ${good}, responses: [{ error: broken }] }`, ['6:72 bad-value']],
  ]
  for (const [test, places] of rows) {
    it(`is told where it stands: ${test}`, async () => {
      const { ruleSet, problems } = await loadText(withTests(`\n- ${test}`))
      expect(placesOf(problems)).to.deep.equal(places)
      expect(ruleSet).to.equal(null)
    })
  }

  it('is told what would be right', async () => {
    const test = '{ name: a, event: {}, expect: { http: {}, emit: {} } }'
    const [problem] = (await loadText(withTests(`\n- ${test}`))).problems
    expect(problem?.hint).to.include('write a list, in the order in which they happen')
  })
})
