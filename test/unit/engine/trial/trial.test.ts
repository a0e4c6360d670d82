import { expect } from 'chai'
import { happenedIn, told } from './happened-in.ts'

/** What a rule does in a case, as `kind what`. */
async function trial(rule: string, given: string): Promise<readonly string[]> {
  return (await happenedIn(rule, given)).map(told)
}

const call = `when: { kind: edit }
retry: { attempts: 3 }
do: { http: { method: PURGE, url: "http://cdn.internal/{{event.title}}" } }`

describe('a trial of a rule', () => {
  const cases = [
    {
      name: 'makes the call that the rule makes',
      rule: call,
      given: 'event: { kind: edit, title: "a b" }\nexpect: { http: {} }',
      happens: ['http PURGE http://cdn.internal/a%20b'],
    },
    {
      name: 'says that the condition does not hold',
      rule: call,
      given: 'event: { kind: move, title: a }\nexpect: { skip: no-match }',
      happens: ['skip no-match'],
    },
    {
      name: 'says so of an event of a topic that the rule does not read',
      rule: call,
      given: 'event: { kind: edit, title: a }\ntopic: others\nexpect: { skip: no-match }',
      happens: ['skip no-match'],
    },
    {
      name: 'stops at the retry that the case ends with',
      rule: call,
      given:
        'event: { kind: edit, title: a }\nresponses: [{ status: 503 }]\nexpect: { retry: { after: 10s } }',
      happens: ['http PURGE http://cdn.internal/a', 'retry after 10000'],
    },
    {
      name: 'stops at the last of two retries that the case ends with',
      rule: call,
      given: `event: { kind: edit, title: a }
responses: [{ status: 503 }, { status: 503 }]
expect: [{ retry: { after: 10s } }, { retry: { after: 1m } }]`,
      happens: [
        'http PURGE http://cdn.internal/a',
        'retry after 10000',
        'http PURGE http://cdn.internal/a',
        'retry after 60000',
      ],
    },
    {
      name: 'plays retries to their end where the case goes on',
      rule: call,
      given:
        'event: { kind: edit, title: a }\nresponses: [{ error: reset }]\nexpect: { http: [{}, {}] }',
      happens: [
        'http PURGE http://cdn.internal/a',
        'retry after 10000',
        'http PURGE http://cdn.internal/a',
      ],
    },
    {
      name: 'runs out of attempts',
      rule: call,
      given: `event: { kind: edit, title: a }
responses: [{ status: 503 }, { error: refused }, { delay: 11s }]
expect: { dead: timeout }`,
      happens: [
        'http PURGE http://cdn.internal/a',
        'retry after 10000',
        'http PURGE http://cdn.internal/a',
        'retry after 60000',
        'http PURGE http://cdn.internal/a',
        'dead timeout',
      ],
    },
    {
      name: 'skips a retry that has become too old, as the daemon does',
      rule: `max_age: 30s\n${call}`,
      given: `event: { kind: edit, title: a }
responses: [{ status: 503 }, { status: 503 }]
expect: { skip: too-old }`,
      happens: [
        'http PURGE http://cdn.internal/a',
        'retry after 10000',
        'http PURGE http://cdn.internal/a',
        'retry after 60000',
        'skip too-old',
      ],
    },
    {
      name: 'waits as long as the target asks for',
      rule: call,
      given: `event: { kind: edit, title: a }
responses: [{ status: 429, headers: { Retry-After: "120" } }]
expect: { retry: { after: 10m } }`,
      happens: ['http PURGE http://cdn.internal/a', 'retry after 600000'],
    },
    {
      name: 'ends with a dead letter where the request is wrong',
      rule: call,
      given:
        'event: { kind: edit, title: a }\nresponses: [{ status: 400 }]\nexpect: { dead: status }',
      happens: ['http PURGE http://cdn.internal/a', 'dead status'],
    },
    {
      name: 'ends with a dead letter where a field of the template is missing',
      rule: call,
      given: 'event: { kind: edit }\nexpect: { dead: template-error }',
      happens: ['dead template-error'],
    },
    {
      name: 'goes on from the failed step, with what the first one gave',
      rule: `do:
  - http: { url: "http://score.internal/", as: score }
  - http: { method: POST, url: "http://hook.internal/{{steps.score.body.n}}" }
  - emit: { topic: scored, value: { n: "{{steps.score.body.n}}" } }`,
      given: `event: {}
responses: [{ json: { n: 7 } }, { status: 500 }]
expect: { dead: status }`,
      happens: [
        'http GET http://score.internal/',
        'http POST http://hook.internal/7',
        'retry after 10000',
        'http POST http://hook.internal/7',
        'emit scored {"n":7}',
      ],
    },
    {
      name: 'skips what is too old by the time of the event',
      rule: `max_age: 1h\n${call}`,
      given: 'event: { kind: edit, title: a }\nage: 2h\nexpect: { skip: too-old }',
      happens: ['skip too-old'],
    },
    {
      name: 'takes events in the order of their times, and retries between them',
      rule: call,
      given: `events:
  - { event: { kind: edit, title: first } }
  - { event: { kind: edit, title: soon }, at: 5s }
  - { event: { kind: edit, title: late }, at: 20s }
responses: [{ status: 503 }]
expect: { http: [{}, {}, {}, {}] }`,
      happens: [
        'http PURGE http://cdn.internal/first',
        'retry after 10000',
        'http PURGE http://cdn.internal/soon',
        'http PURGE http://cdn.internal/first',
        'http PURGE http://cdn.internal/late',
      ],
    },
    {
      name: 'does not let an event wait for the call of another',
      rule: `timeout: 1m\n${call}`,
      given: `events:
  - { event: { kind: edit, title: slow } }
  - { event: { kind: edit, title: soon }, at: 5s }
responses: [{ status: 503, delay: 20s }]
expect: { retry: {} }`,
      happens: [
        'http PURGE http://cdn.internal/slow',
        'http PURGE http://cdn.internal/soon',
        'retry after 10000',
      ],
    },
    {
      name: 'tries a rule in shadow mode as if it were live',
      rule: `mode: shadow\n${call}`,
      given: 'event: { kind: edit, title: a }\nexpect: { http: {} }',
      happens: ['http PURGE http://cdn.internal/a'],
    },
    {
      name: 'tries a rule that is not enabled as if it were',
      rule: `enabled: false\n${call}`,
      given: 'event: { kind: edit, title: a }\nexpect: { http: {} }',
      happens: ['http PURGE http://cdn.internal/a'],
    },
  ] as const
  for (const { name, rule, given, happens } of cases) {
    it(name, async () => {
      expect(await trial(rule, given)).to.deep.equal(happens)
    })
  }

  it('says that no case holds where the rule itself does', async () => {
    const rule = `when: { kind: edit }
cases: [{ when: { size: 1 }, do: { emit: { topic: out } } }]`
    const why = 'none of its cases holds'
    expect(
      await happenedIn(rule, 'event: { kind: edit }\nexpect: { skip: no-match }'),
    ).to.deep.equal([{ atMs: 0, kind: 'skip', reason: 'no-match', why }])
  })

  it('starts at the same moment always, so that what holds today holds in a year', async () => {
    const rule = 'do: { emit: { topic: out, value: { at: "{{now}}" } } }'
    expect(await trial(rule, 'event: {}\nexpect: { emit: {} }')).to.deep.equal([
      'emit out {"at":"2026-01-01T00:00:00.000Z"}',
    ])
  })

  it('reads key and headers of the record that the case gives', async () => {
    const rule = 'do: { emit: { topic: out, value: { key: "{{@key}}", by: "{{@headers.by}}" } } }'
    const given = 'event: {}\nkey: k\nheaders: { by: me }\nexpect: { emit: {} }'
    expect(await trial(rule, given)).to.deep.equal(['emit out {"key":"k","by":"me"}'])
  })
})
