import { expect } from 'chai'
import type { Problem } from '../../../../src/model/problem.ts'
import { loadText, placesOf, ruleText } from '../../../support/load-text.ts'

const purge = 'http: { method: PURGE, url: "http://cdn/{{event.title}}" }'

/** What is told of a rule with these lines, the fifth and following of the file. */
async function told(
  lines: string,
  action = purge,
  retryTiersMs?: readonly number[],
): Promise<readonly Problem[]> {
  // By the name of that one the linter would know that it purges.
  const text = ruleText(`when: { a: 1 }\n${lines}`, action).replace('purge:', 'tell:')
  const changes = retryTiersMs === undefined ? {} : { retryTiersMs }
  const { problems, ruleSet } = await loadText(text, changes)
  expect(ruleSet).not.to.equal(null) // a warning rejects nothing
  return problems
}

const first = (key: string): string => `dedup: { key: "${key}", window: 5s, keep: first }`

describe('of a window that keeps the first event the linter warns', () => {
  const going: readonly (readonly [what: string, action: string])[] = [
    ['a purge', purge],
    [
      'a purge by another method',
      'http: { kind: purge, method: POST, url: "http://cdn/", json: [] }',
    ],
    ['a GET', 'http: { url: "http://a/{{event.title}}" }'],
    ['a HEAD', 'http: { method: HEAD, url: "http://a/{{event.title}}" }'],
    ['a DELETE', 'http: { method: DELETE, url: "http://store/{{event.title}}" }'],
    ['a POST without a body', 'http: { method: POST, url: "http://a/{{event.title}}" }'],
    ['a job for a renderer', 'http: { method: POST, url: "http://render.internal/jobs", json: 1 }'],
    ['a job by its path', 'http: { method: POST, url: "http://a/cache/refresh", json: 1 }'],
    ['an event that asks to render again', 'emit: { topic: wiki.rerender.page }'],
  ]
  for (const [what, action] of going) {
    it(`where an action goes by how things stand: ${what}`, async () => {
      const problems = await told(first('{{event.title}}'), action)
      expect(placesOf(problems)).to.deep.equal(['5:56 first-drops-last'])
      expect(problems[0]?.message).to.match(
        /^`keep: first` drops the last change of a burst, and `/,
      )
      expect(problems[0]?.hint).to.match(/^write `keep: both`/)
    })
  }

  it('where one of several actions does, in any case', async () => {
    const text =
      'rules: { r: { topics: [t], when: { a: 1 }, key: "{{event.id}}", ' +
      'dedup: { window: 5s, keep: first }, cases: [' +
      '{ when: { b: 1 }, do: { emit: { topic: out } } }, ' +
      `{ when: { b: 2 }, do: [{ emit: { topic: out } }, { ${purge} }] }] } }`
    const codes = (await loadText(text)).problems.map(({ code }) => code)
    expect(codes).to.deep.equal(['first-drops-last'])
  })

  it('where the rule is named for such an action', async () => {
    const text =
      'rules: { refresh-profile: { topics: [t], when: { a: 1 }, ' +
      'dedup: { key: "{{event.id}}", window: 5s, keep: first }, do: { emit: { topic: out } } } }'
    const codes = (await loadText(text)).problems.map(({ code }) => code)
    expect(codes).to.deep.equal(['first-drops-last'])
  })

  const silent: readonly (readonly [what: string, lines: string, action: string])[] = [
    [
      'a body with what changed',
      first('{{event.title}}'),
      'http: { url: "http://a/", body: event }',
    ],
    [
      'such a word within another one, or in a tag',
      first('{{event.title}}'),
      'http: { url: "http://surrender/{{event.rerender}}", body: event }',
    ],
    ['a derived event', first('{{event.title}}'), 'emit: { topic: out }'],
    ['`keep: both`', 'dedup: { key: "{{event.title}}", window: 5s }', purge],
    ['`keep: last`', 'dedup: { key: "{{event.title}}", window: 5s, keep: last }', purge],
    ['a version alone', 'dedup: { key: a, version: "{{event.n}}" }', purge],
    ['no window', '', purge],
  ]
  for (const [what, lines, action] of silent) {
    it(`not where there is ${what}`, async () => {
      expect(await told(lines, action)).to.deep.equal([])
    })
  }

  const changes = [
    '{{event.meta.id}}',
    '{{ event.meta.id | lower }}',
    '{{event.page_id}}:{{event.rev_id}}',
    '{{event.page_id}}/{{event.revision}}',
    '{{event.delivery_id}}',
    '{{event.request-id}}',
    '{{@offset}}',
    '{{@headers.x_event_id}}',
    '{{@headers.X-GitHub-Delivery}}',
    '{{event.updated_time}}',
    '{{event.etag}}',
    '{{event | json | sha256}}',
  ]
  for (const key of changes) {
    it(`not where the key tells the changes of a thing apart: ${key}`, async () => {
      expect(await told(first(key))).to.deep.equal([])
    })
  }
  it('not where the key of the rule does', async () => {
    const own = 'key: "{{event.meta.id}}"\ndedup: { window: 5s, keep: first }'
    expect(await told(own)).to.deep.equal([])
  })

  it('where the key of the rule does, and that of the window does not', async () => {
    const problems = await told(`key: "{{event.meta.id}}"\n${first('{{event.title}}')}`)
    expect(placesOf(problems)).to.deep.equal(['6:56 first-drops-last'])
  })

  for (const key of ['{{event.id}}', '{{event.title}}', '{{event.meta.domain}}', '{{@topic}}']) {
    it(`where the key names a thing: ${key}`, async () => {
      expect((await told(first(key))).map(({ code }) => code)).to.deep.equal(['first-drops-last'])
    })
  }
})

describe('of a window that outlasts the retries the linter warns', () => {
  const rule = (window: string, retry = ''): string =>
    `key: "{{event.id}}"\ndedup: { window: ${window} }${retry === '' ? '' : `\nretry: ${retry}`}`
  const tiers = [10_000, 60_000, 600_000, 3_600_000]
  const cases: readonly (readonly [window: string, retry: string, spent: string | null])[] = [
    ['1h', '', null], // the delays 10s, 40s, 160s and 640s wait 10s, 1m, 10m and 1h
    ['2h', '', 'about 71m'],
    ['11s', '{ attempts: 2 }', '10s'],
    ['10s', '{ attempts: 2 }', null],
    ['1s', '{ attempts: 1 }', null],
    ['10m', '{ max_age: 5m }', '5m'],
    ['10m', '{ attempts: 3, backoff: { max: 20s } }', '70s'],
    ['3h', '{ attempts: 3, backoff: { first: 3h } }', '2h'], // the last tier stands in
  ]
  for (const [window, retry, spent] of cases) {
    it(`${spent === null ? 'not ' : ''}for ${window} with ${retry === '' ? 'the usual retries' : retry}`, async () => {
      const problems = await told(rule(window, retry), purge, tiers)
      const ours = problems.filter(({ code }) => code === 'window-above-retries')
      expect(placesOf(ours)).to.deep.equal(spent === null ? [] : ['6:22 window-above-retries'])
      if (spent !== null) expect(ours[0]?.message).to.include(`which are spent after ${spent}: `)
    })
  }

  it('with the exact delays of a rule that waits in place', async () => {
    const problems = await told(`${rule('15m')}\norder: key`, purge, tiers)
    const ours = problems.filter(({ code }) => code === 'window-above-retries')
    expect(ours.map(({ message }) => /spent after (.*?):/.exec(message)?.[1])).to.deep.equal([
      'about 14m',
    ])
    expect(await told(`${rule('14m')}\norder: key`, purge, tiers)).to.deep.equal([])
  })

  it('not for a version without a window', async () => {
    expect(
      await told('dedup: { key: a, version: "{{event.n}}" }\nretry: { attempts: 2 }'),
    ).to.deep.equal([])
  })

  it('where the window is written', async () => {
    const text =
      'defaults: { dedup: { window: 3h } }\n' +
      `rules: { r: { topics: [t], when: { a: 1 }, key: "{{event.id}}", do: { ${purge} } } }\n`
    expect(placesOf((await loadText(text)).problems)).to.deep.equal(['1:30 window-above-retries'])
  })
})

describe('of a version that events lack the linter warns', () => {
  const rule = (version: string, tests: readonly string[]): string =>
    `rules:\n  r:\n    topics: [edits, moves]\n    when: { a: 1 }\n    key: "{{event.id}}"\n` +
    `    dedup: { version: '${version}' }\n    do: { ${purge} }\n` +
    `    tests:\n${tests.map((one) => `      - ${one}\n`).join('')}`
  const of = (name: string, event: string, rest = '', expected = '{ http: {} }'): string =>
    `{ name: ${name}, event: ${event}${rest}, expect: ${expected} }`
  const sound = of('sound', '{ a: 1, id: 7, title: x, rev: 3 }')
  const moved = (event: string): string => of('moved', event, ', topic: moves')

  const cases: readonly (readonly [
    what: string,
    version: string,
    tests: readonly string[],
    message: RegExp | null,
  ])[] = [
    [
      'where a topic has none',
      '{{event.rev}}',
      [sound, moved('{ a: 1, id: 7 }')],
      /^an event of moves has no version, as in the test "moved": .*\{\{event\.rev\}\} is missing/,
    ],
    [
      'once for each topic',
      '{{event.rev}}',
      [moved('{ a: 1, id: 7 }'), moved('{ a: 1, id: 8 }')],
      /^an event of moves has no version/,
    ],
    [
      'where it is no number',
      '{{event.rev}}',
      [of('etag', '{ a: 1, rev: W/7 }')],
      /^an event of edits has no version, as in the test "etag": "W\/7" is neither a number nor an RFC 3339 time$/,
    ],
    [
      'not where it is a time',
      '{{event.dt}}',
      [of('t', '{ a: 1, dt: "2026-01-02T03:04:05.6Z" }')],
      null,
    ],
    ['not where all have one', '{{event.rev}}', [sound, moved('{ a: 1, rev: -2.5 }')], null],
    [
      'not where nothing shows an event',
      '{{event.rev}}',
      [of('no', '{ a: 2 }', '', '{ skip: no-match }')],
      null,
    ],
    [
      'not where a section says what else to read',
      '{{#event.rev}}{{event.rev}}{{/event.rev}}{{^event.rev}}{{event.new.rev}}{{/event.rev}}',
      [sound, moved('{ a: 1, new: { rev: 8 } }')],
      null,
    ],
    ['not where a default does', '{{event.rev | default: 0}}', [sound, moved('{ a: 1 }')], null],
    [
      'not where a test expects the dead letter',
      '{{event.rev}}',
      [of('known', '{ a: 1 }', '', '{ dead: template-error }')],
      null,
    ],
    ['not where the record has it', '{{@timestamp}}', [sound], null],
  ]
  for (const [what, version, tests, message] of cases) {
    it(what, async () => {
      const { problems } = await loadText(rule(version, tests))
      const ours = problems.filter(({ code }) => code === 'version-missing')
      expect(placesOf(ours)).to.deep.equal(message === null ? [] : ['6:23 version-missing'])
      if (message !== null) expect(ours[0]?.message).to.match(message)
    })
  }
})

describe('of a key that is a path and no tag the linter warns', () => {
  const bare: readonly (readonly [lines: string, place: string, hint: string])[] = [
    ['key: event.page.id', '5:10', 'write `"{{event.page.id}}"`'],
    ['key: page.id', '5:10', 'write `"{{event.page.id}}"`'],
    ['key: page_id', '5:10', 'write `"{{event.page_id}}"`'],
    ['key: "@key"', '5:10', 'write `"{{@key}}"`'],
    ['key: "@headers.x-id"', '5:10', 'write `"{{@headers.x-id}}"`'],
    ['key: match.title', '5:10', 'write `"{{match.title}}"`'],
    ['dedup: { key: page_id, window: 5s }', '5:19', 'write `"{{event.page_id}}"`'],
    ['sample: { rate: 0.5, key: user_id }', '5:31', 'write `"{{event.user_id}}"`'],
    ['key: "{event.id}"', '5:10', 'write `{{event.id}}`'],
    ['dedup: { key: "${event.id}", window: 5s }', '5:19', 'write `{{event.id}}`'],
  ]
  for (const [lines, place, hint] of bare) {
    it(lines, async () => {
      const problems = await told(lines)
      expect(placesOf(problems)).to.deep.equal([`${place} looks-like-a-tag`])
      expect(problems[0]?.hint).to.equal(hint)
    })
  }

  it('where an event of its tests has such a field', async () => {
    const tests = 'tests: [{ name: n, event: { a: 1, page: 7 }, expect: { http: {} } }]'
    expect(
      placesOf(await told(`key: page\n${tests.replace('http: {}', 'dead: template-error')}`)),
    ).to.deep.equal(['5:10 looks-like-a-tag'])
  })

  const meant = ['key: all', 'key: sitemap', 'key: "{{event.page_id}}"', 'key: "wiki-{{event.id}}"']
  for (const lines of meant) {
    it(`not for ${lines}`, async () => {
      expect(await told(`${lines}\ndedup: { window: 5s }`)).to.deep.equal([])
    })
  }
})
