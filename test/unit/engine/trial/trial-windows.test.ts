import { expect } from 'chai'
import { happenedIn, toldWithTime } from './happened-in.ts'

/** `page/rev` of the events at those times, as YAML. */
function events(...rows: readonly (readonly [at: string, what: string])[]): string {
  const lines = rows.map(([at, what]) => {
    const [page, rev] = what.split('/')
    return `  - { at: ${at}, event: { page: ${page}, rev: ${rev} } }`
  })
  return ['events:', ...lines, ''].join('\n')
}

const purge = `key: "{{event.page}}"
do: { http: { method: PURGE, url: "http://cdn/{{event.page}}/{{event.rev}}" } }
`
const calls = 'expect: { http: {} }'
const burst = events(['0s', 'a/1'], ['1s', 'a/2'], ['3s', 'b/1'], ['4s', 'a/3'], ['12s', 'a/4'])
const three = events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'a/3'])

/** A call of that time, shorter than it is told. */
function short(told: string): string {
  return told.replace('http PURGE http://cdn/', 'call ')
}

describe('a trial of a rule', () => {
  const cases: readonly {
    readonly name: string
    readonly rule: string
    readonly given: string
    readonly happens: readonly string[]
  }[] = [
    {
      name: 'with `keep: first` acts on the first of each window',
      rule: 'dedup: { window: 5s, keep: first }',
      given: burst,
      happens: [
        '0ms call a/1',
        '1s skip duplicate',
        '3s call b/1',
        '4s skip duplicate',
        '12s call a/4',
      ],
    },
    {
      name: 'with `keep: last` acts on the newest once it is quiet',
      rule: 'dedup: { window: 5s, keep: last }',
      given: burst,
      happens: [
        '8s call b/1',
        '9s call a/3',
        '9s skip superseded',
        '9s skip superseded',
        '17s call a/4',
      ],
    },
    {
      name: 'with `keep: last` waits no longer than `max_wait`',
      rule: 'dedup: { window: 5s, keep: last, max_wait: 8s }',
      given: events(['0s', 'a/1'], ['3s', 'a/2'], ['6s', 'a/3'], ['9s', 'a/4']),
      happens: ['8s call a/3', '8s skip superseded', '8s skip superseded', '14s call a/4'],
    },
    {
      name: 'with `keep: both` acts at once and, where more came, at the end',
      rule: 'dedup: { window: 5s, keep: both }',
      given: burst,
      happens: ['0ms call a/1', '3s call b/1', '5s call a/3', '5s skip superseded', '12s call a/4'],
    },
    {
      name: 'lets a window begin with the event that comes as the last one ends',
      rule: 'dedup: { window: 5s, keep: first }',
      given: events(['0s', 'a/1'], ['4999ms', 'a/2'], ['5s', 'a/3']),
      happens: ['0ms call a/1', '4999ms skip duplicate', '5s call a/3'],
    },
    {
      name: 'measures a window from the start of a slow call',
      rule: 'timeout: 30s\ndedup: { window: 5s, keep: both }',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['6s', 'a/3'])}responses: [{ delay: 20s }]\n`,
      happens: ['0ms call a/1', '20s call a/3', '20s skip superseded'],
    },
    {
      name: 'keeps a window that is longer than a minute, which the daemon does in a retry topic',
      rule: 'dedup: { window: 10m, keep: both }',
      given: events(['0s', 'a/1'], ['5m', 'a/2'], ['6m', 'a/3']),
      happens: ['0ms call a/1', '10m skip superseded', '10m call a/3'],
    },
    {
      name: 'with `keep: last` waits no longer than `max_wait` there either, though it never is quiet',
      rule: 'dedup: { window: 10m, keep: last, max_wait: 20m }',
      given: events(['0s', 'a/1'], ['5m', 'a/2'], ['12m', 'a/3'], ['18m', 'a/4'], ['24m', 'a/5']),
      happens: [
        '10m skip superseded',
        '15m skip superseded',
        '20m skip superseded',
        '20m call a/4',
        '34m call a/5',
      ],
    },
    {
      name: 'compares versions by their numbers, and with what was acted on',
      rule: 'dedup: { version: "{{event.rev}}" }',
      given: events(['0s', 'a/9'], ['1s', 'a/8'], ['2s', 'a/9'], ['3s', 'a/10'], ['4s', 'b/1']),
      happens: [
        '0ms call a/9',
        '1s skip superseded',
        '2s skip superseded',
        '3s call a/10',
        '4s call b/1',
      ],
    },
    {
      name: 'takes the newest of a burst by version, in whichever order they come',
      rule: 'dedup: { window: 5s, keep: last, version: "{{event.rev}}" }',
      given: events(['0s', 'a/3'], ['1s', 'a/1'], ['2s', 'a/2']),
      happens: ['7s call a/3', '7s skip superseded', '7s skip superseded'],
    },
    {
      name: 'has a window to itself for each key of `dedup`, whatever that of the rule is',
      rule: 'dedup: { window: 5s, keep: first, key: "{{event.rev}}" }',
      given: events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'b/1']),
      happens: ['0ms call a/1', '1s call a/2', '2s skip duplicate'],
    },
    {
      name: 'with `keep: first` gives a failed event no window, and skips its retry for the next one',
      rule: 'dedup: { window: 1m, keep: first }',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['15s', 'a/3'])}responses: [{ status: 503 }]\n`,
      happens: [
        '0ms call a/1',
        '0ms retry after 10000',
        '1s call a/2',
        '10s skip duplicate',
        '15s skip duplicate',
      ],
    },
    {
      name: 'with `keep: first` lets a retry be acted on where nothing came since',
      rule: 'dedup: { window: 1m, keep: first }',
      given: `${events(['0s', 'a/1'], ['15s', 'a/2'])}responses: [{ status: 503 }]\n`,
      happens: ['0ms call a/1', '0ms retry after 10000', '10s call a/1', '15s skip duplicate'],
    },
    {
      name: 'lets the newest go where the one before it fails, and drops the retry behind it',
      rule: 'dedup: { window: 1m, keep: both }',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['15s', 'a/3'])}responses: [{ status: 503 }]\n`,
      happens: [
        '0ms call a/1',
        '0ms retry after 10000',
        '1s call a/2',
        '10s skip superseded',
        '61s call a/3',
      ],
    },
    {
      name: 'gives the window back with a dead letter',
      rule: 'dedup: { window: 1h, keep: first }',
      given: `${three}responses: [{ status: 400 }]\n`,
      happens: ['0ms call a/1', '0ms dead status', '1s call a/2', '2s skip duplicate'],
    },
    {
      name: 'dead-letters a version that is none, and leaves its key to others',
      rule: 'dedup: { version: "{{event.rev}}" }',
      given: events(['0s', 'a/new'], ['1s', 'a/1']),
      happens: ['0ms dead template-error', '1s call a/1'],
    },
    {
      name: 'dead-letters a key that cannot be rendered',
      rule: 'dedup: { window: 5s, key: "{{event.title}}" }',
      given: events(['0s', 'a/1']),
      happens: ['0ms dead template-error'],
    },
    {
      name: 'with `order: key` lets a key wait for its retry, and no other one',
      rule: 'order: key',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'b/1'])}responses: [{ status: 503 }]\n`,
      happens: [
        '0ms call a/1',
        '0ms retry after 10000',
        '2s call b/1',
        '10s call a/1',
        '10s call a/2',
      ],
    },
    {
      name: 'with `order: key` tries again after the delay itself, which no topic rounds up',
      rule: 'order: key\nretry: { backoff: { first: 3s } }',
      given: `${events(['0s', 'a/1'])}responses: [{ status: 503 }]\n`,
      happens: ['0ms call a/1', '0ms retry after 3000', '3s call a/1'],
    },
    {
      name: 'with `order: key` looks no further than the retry that the case ends with',
      rule: 'order: key',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'b/1'])}responses: [{ status: 503 }]
expect: { retry: {} }`,
      happens: ['0ms call a/1', '0ms retry after 10000', '2s call b/1'],
    },
    {
      name: 'with `order: key` goes on behind a dead letter',
      rule: 'order: key\nretry: { attempts: 2 }',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'])}responses: [{ status: 503 }, { status: 503 }]\n`,
      happens: [
        '0ms call a/1',
        '0ms retry after 10000',
        '10s call a/1',
        '10s dead status',
        '10s call a/2',
      ],
    },
    {
      name: 'keeps order and a window at once',
      rule: 'order: key\ndedup: { window: 1m, keep: both }',
      given: `${three}responses: [{ status: 503 }]\n`,
      happens: [
        '0ms call a/1',
        '0ms retry after 10000',
        '10s call a/1',
        '1m call a/3',
        '1m skip superseded',
      ],
    },
    {
      name: 'with `per_key` lets a second of a key wait for a slow first one',
      rule: 'concurrency: { limit: 10, per_key: 1 }',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'b/1'])}responses: [{ delay: 5s }]\n`,
      happens: ['0ms call a/1', '2s call b/1', '5s call a/2'],
    },
    {
      name: 'with one slot takes one after the other',
      rule: 'concurrency: 1',
      given: `${events(['0s', 'a/1'], ['1s', 'a/2'], ['2s', 'b/1'])}responses: [{ delay: 5s }]\n`,
      happens: ['0ms call a/1', '5s call a/2', '5s call b/1'],
    },
  ]
  for (const { name, rule, given, happens } of cases) {
    it(name, async () => {
      const expects = given.includes('expect:') ? given : `${given}${calls}`
      const happened = await happenedIn(`${rule}\n${purge}`, expects)
      expect(happened.map((one) => short(toldWithTime(one)))).to.deep.equal(happens)
    })
  }

  it('says what a version was that is none', async () => {
    const rule = `dedup: { version: "{{event.rev}}" }\n${purge}`
    const [dead] = await happenedIn(rule, `${events(['0s', 'a/new'])}${calls}`)
    const why = 'the version of `dedup`: neither number nor RFC 3339 time: new'
    expect(dead).to.deep.equal({ atMs: 0, kind: 'dead', reason: 'template-error', why })
  })

  it('ends a burst of a thousand events within its windows, and leaves out none of them', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => [`${i * 10}ms`, `a/${i}`] as const)
    const rule = `dedup: { window: 4s, keep: both }\n${purge}`
    const told = (await happenedIn(rule, `${events(...many)}${calls}`)).map(toldWithTime)
    expect(told.filter((one) => one.includes('http')).map(short)).to.deep.equal([
      '0ms call a/0',
      '4s call a/400',
      '8s call a/800',
      '12s call a/999',
    ])
    expect(told.filter((one) => one.endsWith('skip superseded'))).to.have.length(996)
  })
})
