import { expect } from 'chai'
import { convertChangeprop } from '../../../src/cli/import/convert-changeprop.ts'
import type { Json, JsonObject } from '../../../src/model/json.ts'

interface Converted {
  readonly rule: JsonObject | null
  /** What, of each finding. */
  readonly lost: readonly string[]
}

function convert(spec: JsonObject, allowHosts: readonly string[] = []): Converted {
  const text = JSON.stringify({ a_rule: { topic: 'edits', ...spec } }) // JSON is YAML
  const { modules, findings, problem } = convertChangeprop({ name: 'c.yaml', text }, allowHosts)
  expect(problem).to.equal(null)
  return {
    rule: modules[0]?.rules[0]?.rule ?? null,
    lost: findings.all.map(({ what }) => what),
  }
}

const get = { uri: 'http://x.internal/' }

describe('a match of change-propagation', () => {
  const converted: readonly { name: string; match: Json; when: Json }[] = [
    { name: 'nested maps', match: { a: { b: { c: 1 } } }, when: { 'a.b.c': 1 } },
    {
      name: 'scalars, typed',
      match: { a: 'x', b: 1, c: true, d: '1' },
      when: { a: 'x', b: 1, c: true, d: '1' },
    },
    { name: 'an absent field', match: { a: 'undefined' }, when: { a: { exists: false } } },
    {
      name: 'an absent field in a map that must be there',
      match: { a: { b: 'undefined' } },
      when: { a: { exists: true, not: null }, 'a.b': { exists: false } },
    },
    {
      name: 'an absent field beside one that is there',
      match: { a: { b: 'undefined', c: 1 } },
      when: { 'a.b': { exists: false }, 'a.c': 1 },
    },
    { name: 'a regex that is anchored', match: { a: '/^x+/' }, when: { a: { regex: '^x+' } } },
    {
      name: 'a regex that is not',
      match: { a: '/x+/i' },
      when: { a: { regex: 'x+', search: true, ci: true } },
    },
    { name: 'a path that only looks like a regex', match: { a: '/x' }, when: { a: '/x' } },
    {
      name: 'a plain text where a regex asks for no more',
      match: { a: '/^x\\.y\\/z$/', b: '/^x-/', c: '/\\.x$/', d: '/x y/', e: '/^x$/i', f: '/^X/gi' },
      when: {
        a: 'x.y/z',
        b: { prefix: 'x-' },
        c: { suffix: '.x' },
        d: { contains: 'x y' },
        e: { equals: 'x', ci: true },
        f: { prefix: 'X', ci: true },
      },
    },
    {
      name: 'a regex where one has a choice that is easily overlooked',
      match: { a: '/^x.y/', b: '/x?$/', c: '/^$/', d: '/^x\\d/', e: '/^x/m', f: '/a|b/' },
      when: {
        a: { regex: '^x.y' },
        b: { regex: 'x?$', search: true },
        c: { regex: '^$' },
        d: { regex: '^x\\d' },
        e: { regex: '(?m)^x', search: true },
        f: { regex: 'a|b', search: true },
      },
    },
    { name: 'members of a list', match: { a: ['x', 1] }, when: { a: { has_all: ['x', 1] } } },
    { name: 'a list of whatever length', match: { a: [] }, when: { a: { len: { gte: 0 } } } },
    {
      name: 'a regex for a member',
      match: { a: ['/^(?<b>x)/'] },
      when: { a: { len: { gte: 1 }, regex: '^(?:x)' } },
    },
    {
      name: 'a member and several regexes',
      match: { a: ['x', '/^y+/', '/z+/'] },
      when: {
        a: { has_all: ['x'], regex: '^y+' },
        all: [{ a: { regex: 'z+', search: true } }],
      },
    },
    {
      name: 'a member that is a map',
      match: { a: { b: [{ c: 1, d: { e: '/^x+/' } }] } },
      when: { some: { path: 'a.b', where: { c: 1, 'd.e': { regex: '^x+' } } } },
    },
    {
      name: 'several members that are maps',
      match: { a: [{ b: 1 }, { b: 2 }] },
      when: {
        some: { path: 'a', where: { b: 1 } },
        all: [{ some: { path: 'a', where: { b: 2 } } }],
      },
    },
    {
      name: 'names that mean something in a path of ours',
      match: { 'a.b': 1, 'c\\d': 2, any: 3, '@type': 4, x: { all: 5 } },
      when: { 'a\\.b': 1, 'c\\\\d': 2, '\\any': 3, '\\@type': 4, 'x.all': 5 },
    },
  ]
  for (const { name, match, when } of converted) {
    it(`asks for ${name}`, () => {
      const { rule, lost } = convert({ match, exec: get })
      expect(rule?.['when']).to.deep.equal(when)
      expect(lost).to.deep.equal([])
    })
  }

  const refused: readonly { name: string; match: Json; what: string }[] = [
    { name: 'a regex that RE2 does not have', match: { a: '/^(?!x)/' }, what: '`/^(?!x)/`' },
    { name: 'an empty map', match: {}, what: '`match: {}`' },
    { name: 'no map at all', match: 'x', what: '`match`' },
    { name: 'a list in a list', match: { a: [['x']] }, what: '`["x"]`' },
    { name: 'an absent member', match: { a: ['undefined'] }, what: '`undefined` in a list' },
    { name: 'a field without a name', match: { '': 1, b: 2 }, what: 'a field without a name' },
    { name: 'a lost regex deep in a member', match: { a: [{ b: '/(?=x)/' }] }, what: '`/(?=x)/`' },
  ]
  for (const { name, match, what } of refused) {
    it(`makes no rule from ${name}, which would act on too much`, () => {
      expect(convert({ match, exec: get })).to.deep.equal({ rule: null, lost: [what] })
      const { rule } = convert({ match_not: [{ ok: 1 }, match], exec: get })
      // An empty map matches nothing there, so in `match_not` it can be left out.
      if (name === 'an empty map') expect(rule?.['unless']).to.deep.equal([{ ok: 1 }])
      else expect(rule).to.equal(null)
    })
  }

  it('takes each map of match_not for a reason not to run', () => {
    expect(convert({ match_not: { a: { b: 1 } }, exec: get }).rule?.['unless']).to.deep.equal([
      { 'a.b': 1 },
    ])
    expect(
      convert({ match_not: [{ a: '/^(?<x>y)/' }, {}, { b: [1] }], exec: get }).rule?.['unless'],
    ).to.deep.equal([{ a: { regex: '^(?:y)' } }, { b: { has_all: [1] } }])
  })

  it('says so where a rule is for every event', () => {
    expect(convert({ exec: get }).rule?.['when']).to.deep.equal({ '@topic': { exists: true } })
  })
})

describe('a template of change-propagation', () => {
  const match = {
    meta: { uri: '/^(?<proto>https?):..(?<rest>.+)$/', domain: 'x.example' },
    other: { uri: '/^(?<rest>[^/]+)$/' },
    plain: '/^(a+)-(b+)/',
    kind: 7,
  }
  const inText: readonly { from: string; to: string }[] = [
    { from: 'plain text {} }', to: 'plain text {} }' },
    { from: '{{message.a.b}}', to: '{{event.a.b}}' },
    { from: '{message.a.b}', to: '{{event.a.b | uri}}' },
    { from: '{+message.a}', to: '{{event.a}}' },
    { from: 'a{{message.a}}b{{message.b}}', to: 'a{{event.a}}b{{event.b}}' },
    { from: '{{ message.a }}', to: '{{event.a}}' },
    { from: '{{globals.message}}', to: '{{event}}' },
    { from: '{{global.message.a}}{$.message.a}', to: '{{event.a}}{{event.a | uri}}' },
    { from: '{{message.tags[1]}}', to: '{{event.tags.1}}' },
    { from: "{{message['a.b']}}", to: '{{event.a\\.b}}' },
    { from: '{{match.meta.uri.rest}}', to: '{{match.rest}}' },
    { from: '{{match.other.uri.rest}}', to: '{{match.other_uri_rest}}' },
    { from: '{{match.plain[2]}}', to: '{{match.plain_2}}' },
    { from: '{{match.plain[0]}}', to: '{{match.plain_0}}' },
    { from: '{{match.meta.domain}} {{match.kind}}', to: 'x.example 7' },
    { from: "{{default(message.a, 'x y')}}", to: '{{event.a | default: "x y"}}' },
    { from: '{{$$.default(message.a, 3)}}', to: '{{event.a | default: 3}}' },
    { from: '{{date(message.dt)}}', to: '{{event.dt | http_date}}' },
    { from: "{{date(message.dt, 'iso')}}", to: '{{event.dt | iso_date}}' },
    { from: '{{decode(match.meta.uri.rest)}}', to: '{{match.rest | decode_uri}}' },
    {
      from: "{{default(decode(message.a), 'x')}}",
      to: '{{event.a | decode_uri | default: "x"}}',
    },
  ]
  for (const { from, to } of inText) {
    it(`${from} is ${to} in a text`, () => {
      const { rule, lost } = convert({ match, exec: { ...get, headers: { h: from } } })
      expect(rule?.['do']).to.deep.equal({
        http: { method: 'GET', url: get.uri, headers: { h: to } },
      })
      expect(lost).to.deep.equal([])
    })
  }

  it('names the groups that it reads, and only those', () => {
    const { rule } = convert({ match, exec: { ...get, query: { q: '{{match.plain[2]}}' } } })
    expect(rule?.['when']).to.deep.equal({
      'meta.uri': { regex: '^(?P<proto>https?):..(?P<rest>.+)$' },
      'meta.domain': 'x.example',
      'other.uri': { regex: '^(?P<other_uri_rest>[^/]+)$' },
      plain: { regex: '^(a+)-(?P<plain_2>b+)' },
      kind: 7,
    })
  })

  const refused: readonly string[] = [
    '{{strip(message, "a")}}',
    '{{merge(message, match)}}',
    '{{date(message.dt, "timeuuid")}}',
    '{{default(message.a, message.b)}}',
    '{{match.nothing}}',
    '{{match.meta.uri}}',
    '{{message.a + 1}}',
    '{$.request.headers.host}',
    '{{hosts.api}}',
    '{{default()}}',
    '{{decode("x")}}',
  ]
  for (const from of refused) {
    it(`${from} is told, and its step left out`, () => {
      const exec = [{ ...get, headers: { h: from } }, get]
      const { rule, lost } = convert({ match, exec })
      expect(rule?.['do']).to.deep.equal({ http: { method: 'GET', url: get.uri } })
      expect(lost).to.deep.equal([`\`${from}\``])
      expect(convert({ match, exec: exec[0] ?? null }).rule).to.equal(null)
    })
  }

  it('keeps the type of a value that is one tag', () => {
    const body = { a: '{{message.n}}', b: ['{{match.kind}}', 'x{{message.n}}', 5], c: { d: null } }
    const { rule } = convert({ match, exec: { ...get, method: 'post', body } })
    expect(rule?.['do']).to.deep.equal({
      http: {
        method: 'POST',
        url: get.uri,
        json: { a: '{{event.n}}', b: [7, 'x{{event.n}}', 5], c: { d: null } },
      },
    })
  })
})

describe('what nobody writes', () => {
  const long = 200_000
  const specs: readonly { name: string; spec: JsonObject }[] = [
    { name: 'open braces', spec: { exec: { ...get, headers: { h: '{'.repeat(65_000) } } } },
    { name: 'a long text', spec: { exec: { ...get, headers: { h: '{'.repeat(long) } } } },
    { name: 'open groups in a topic', spec: { topic: `/${'('.repeat(long)}/`, exec: get } },
    { name: 'open groups in a match', spec: { match: { a: `/${'('.repeat(long)}/` }, exec: get } },
    {
      name: 'groups in groups',
      spec: { match: { a: `/${'('.repeat(1_000)}x${')'.repeat(1_000)}/` }, exec: get },
    },
    { name: 'calls in calls', spec: { exec: { uri: `http://x/{${'a('.repeat(900)}` } } },
  ]
  for (const { name, spec } of specs) {
    it(`is converted or refused in no time: ${name}`, () => {
      const { rule, lost } = convert(spec)
      expect(rule !== null || lost.length > 0).to.equal(true)
    })
  }
})

describe('a request of change-propagation', () => {
  const uris: readonly { from: string; url: string; hosts?: Json; lost?: readonly string[] }[] = [
    { from: 'http://x.internal:80/a', url: 'http://x.internal:80/a' },
    { from: 'http://x/{message.a}/{{message.b}}', url: 'http://x/{{event.a}}/{{event.b | raw}}' },
    {
      from: 'http://x/a?b={message.b}&c={{message.c}}',
      url: 'http://x/a?b={{event.b}}&c={{event.c | raw}}',
    },
    { from: 'http://x/{decode(match.uri.t)}', url: 'http://x/{{match.t | decode_uri}}' },
    { from: 'https://{{message.host}}/a', url: 'https://{{event.host}}/a', hosts: ['a.example'] },
    {
      from: 'https://{{message.any}}/a',
      url: 'https://{{event.any}}/a',
      hosts: ['*.b.example', 'b.example'],
    },
    {
      from: 'http://{{message.host}}:8080',
      url: 'http://{{event.host}}:8080',
      hosts: ['own.example'],
    },
    { from: 'http://{{match.host}}/a', url: 'http://a.example/a' },
    {
      from: 'http://x/{{match.uri.t}}',
      url: 'http://x/{{match.t | raw}}',
      lost: ['`{{match.uri.t}}`'],
    },
    { from: 'http://x/{{match.uri.s}}', url: 'http://x/{{match.s | raw}}' },
    { from: 'http://x/a{/message.b}', url: 'http://x/a/{{event.b}}', lost: ['`{/message.b}`'] },
    {
      from: '{{match.uri.p}}://{{message.host}}/a',
      url: 'https://{{event.host}}/a',
      hosts: ['a.example'],
      lost: ['`{{match.uri.p}}://`'],
    },
  ]
  for (const { from, url, hosts, lost } of uris) {
    it(`goes to ${url} for ${from}`, () => {
      const match = {
        host: 'a.example',
        any: '/^(?:(?:.+\\.)?b\\.example)$/',
        uri: '/^(?<p>https?):..(?<s>[^/]+)/(?<t>.+)$/',
      }
      const result = convert({ match, exec: { uri: from } }, ['own.example'])
      expect(result.rule?.['do']).to.deep.equal({
        http: { method: 'GET', url, ...(hosts === undefined ? {} : { allow_hosts: hosts }) },
      })
      expect(result.lost).to.deep.equal(lost ?? [])
    })
  }

  for (const uri of ['/sys/purge/', '/{api:sys}/links/a/{message.b}', 'a/b', '{{message.uri}}']) {
    it(`has no host in ${uri}, so its step is left out`, () => {
      const { rule, lost } = convert({ exec: [{ uri }, get] })
      expect(rule?.['do']).to.deep.equal({ http: { method: 'GET', url: get.uri } })
      expect(lost).to.deep.equal([`\`uri: ${uri}\``])
    })
  }

  it('is not run while nobody has said which hosts it may go to', () => {
    const exec = { uri: 'https://{{message.host}}/' }
    const { rule, lost } = convert({ exec })
    expect(rule).to.include({ enabled: false })
    expect(rule?.['do']).to.deep.equal({
      http: { method: 'GET', url: 'https://{{event.host}}/', allow_hosts: ['replace-me.invalid'] },
    })
    expect(lost).to.deep.equal(['`uri: https://{{message.host}}/`'])
    expect(convert({ exec }, ['*.example']).rule).not.to.have.property('enabled')
  })

  const json = { 'content-type': 'application/json' }
  const form = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }
  const bodies: readonly { headers?: JsonObject; body: Json; to: JsonObject; lost?: number }[] = [
    { body: '{{globals.message}}', to: { body: 'event' } },
    { headers: json, body: '{{globals.message}}', to: { body: 'event' } },
    { headers: json, body: { a: '{message.b}' }, to: { json: { a: '{{event.b | uri}}' } } },
    { body: [1, 'x'], to: { json: [1, 'x'] } },
    { headers: form, body: { a: '{{message.b}}', c: 1 }, to: { form: { a: '{{event.b}}', c: 1 } } },
    { body: 'a {{message.b}}', to: { text: 'a {{event.b}}' } },
    { headers: { 'content-type': 'text/csv' }, body: '{{message.b}}', to: { text: '{{event.b}}' } },
    { body: '{{message.b}}', to: { json: '{{event.b}}' }, lost: 1 },
  ]
  for (const { headers, body, to, lost } of bodies) {
    const as = headers === undefined ? '' : ` as ${JSON.stringify(headers)}`
    it(`sends ${JSON.stringify(body)}${as}`, () => {
      const exec = { ...get, ...(headers === undefined ? {} : { headers }), body }
      const result = convert({ exec })
      expect(result.rule?.['do']).to.deep.equal({
        http: { method: 'GET', url: get.uri, ...(headers === undefined ? {} : { headers }), ...to },
      })
      expect(result.lost).to.have.length(lost ?? 0)
    })
  }

  it('encodes what is in braces in a query once, as a value', () => {
    const query = { a: '{{message.a}}', b: '{message.b}', c: false, d: 1 }
    expect(convert({ exec: { ...get, query } }).rule?.['do']).to.deep.equal({
      http: {
        method: 'GET',
        url: get.uri,
        query: { a: '{{event.a}}', b: '{{event.b | uri | uri}}', c: false, d: 1 },
      },
    })
  })

  const left: readonly { exec: JsonObject; what: string; isKept: boolean }[] = [
    {
      exec: { ...get, headers: { 'Content-Length': 3 } },
      what: '`headers.Content-Length`',
      isKept: true,
    },
    { exec: { ...get, proxy: 'x' }, what: '`exec.proxy`', isKept: true },
    {
      exec: { ...get, agentOptions: { maxSockets: 1 } },
      what: '`exec.agentOptions`',
      isKept: true,
    },
    { exec: { ...get, query: { a: { b: 1 } } }, what: '`query.a`', isKept: false },
    { exec: { ...get, headers: 'x' }, what: '`exec.headers`', isKept: false },
    {
      exec: { ...get, headers: { 'content-type': 'multipart/form-data' }, body: { a: 1 } },
      what: '`exec.body`',
      isKept: false,
    },
    { exec: { method: 'get' }, what: '`exec`', isKept: false },
  ]
  for (const { exec, what, isKept } of left) {
    it(`tells of ${what}, and is ${isKept ? 'kept' : 'left out'}`, () => {
      const { rule, lost } = convert({ exec: [exec, get] })
      expect(lost).to.deep.equal([what])
      expect(Array.isArray(rule?.['do'])).to.equal(isKept)
    })
  }

  it('says nothing of what change-propagation overwrites, or keeps alive', () => {
    const exec = {
      ...get,
      retries: 3,
      timeout: 1,
      encoding: null,
      agentOptions: { keepAlive: true },
    }
    expect(convert({ exec }).lost).to.deep.equal([])
  })
})

describe('events that a rule of change-propagation produces', () => {
  const produce = (body: Json) =>
    convert({ exec: { method: 'post', uri: '/sys/queue/events', body } })

  it('become emits, with what is filled in there', () => {
    const { rule, lost } = produce([
      { meta: { topic: 'b', id: '{{message.id}}', dt: 'x', request_id: 'y' }, a: '{{message.a}}' },
      { meta: { stream: 'c' } },
    ])
    expect(rule?.['do']).to.deep.equal([
      {
        emit: {
          topic: 'b',
          value: {
            meta: { topic: 'b', id: '{{event.id}}', dt: 'x', request_id: 'y' },
            a: '{{event.a}}',
          },
        },
      },
      {
        emit: {
          topic: 'c',
          value: {
            meta: { stream: 'c', id: '{{@topic}}/{{@partition}}/{{@offset}}/2', dt: '{{now}}' },
          },
        },
      },
    ])
    expect(lost).to.deep.equal(['`meta.id`, `meta.dt`, `meta.request_id`'])
  })

  const refused: readonly { body: Json; what: string }[] = [
    { body: [{ meta: { topic: '{{message.to}}' } }], what: '`meta.topic: {{message.to}}`' },
    { body: ['{{globals.message}}'], what: '`exec.body`' },
    { body: [{ a: 1 }], what: '`exec.body`' },
    {
      body: [{ meta: { topic: 'b' }, a: '{{strip(message, "a")}}' }],
      what: '`{{strip(message, "a")}}`',
    },
  ]
  for (const { body, what } of refused) {
    it(`are told and left out for ${JSON.stringify(body)}`, () => {
      const { rule, lost } = produce(body)
      expect(rule).to.equal(null)
      expect(lost).to.deep.equal([what, '`exec`'])
    })
  }
})

describe('the limits of a rule of change-propagation', () => {
  const backoff = { first: '1m', factor: 6 }
  const on = [501, 505]
  const limits: readonly { spec: JsonObject; rule: JsonObject; lost?: readonly string[] }[] = [
    { spec: {}, rule: {} },
    { spec: { concurrency: 7, timeout: 1500 }, rule: { concurrency: 7, timeout: '1500ms' } },
    { spec: { timeout: 7_200_000 }, rule: { timeout: '1h' }, lost: ['`timeout: 7200000`'] },
    {
      spec: { claim_ttl: 86_400, root_claim_ttl: 90 },
      rule: { max_age: '1d', max_root_age: '90s' },
    },
    {
      spec: { retry_limit: 4 },
      rule: { retry: { attempts: 5, backoff: { ...backoff, max: '216m' }, on, success_on: [412] } },
    },
    {
      spec: { retry_delay: 500, retry_factor: 2 },
      rule: {
        retry: { attempts: 3, backoff: { first: '500ms', factor: 2 }, on, success_on: [412] },
      },
    },
    {
      spec: { retry_limit: 0 },
      rule: { retry: { attempts: 3, backoff, on, success_on: [412] } },
      lost: ['`retry_limit: 0`'],
    },
    {
      spec: { retry_on: { status: ['5xx', 404, '429'] } },
      rule: { retry: { attempts: 3, backoff, on: ['5xx', 404], success_on: [412] } },
    },
    {
      spec: { retry_on: { status: '50x' } },
      rule: { retry: { attempts: 3, backoff, on, success_on: [412] } },
    },
    {
      spec: { ignore: { status: [403, '41x'] }, retry_on: { status: [403, 404] } },
      rule: {
        retry: {
          attempts: 3,
          backoff,
          on: [404],
          success_on: [403, 410, 411, 412, 413, 414, 415, 416, 417, 418, 419],
        },
      },
    },
    {
      spec: { ignore: { status: [] } },
      rule: { retry: { attempts: 3, backoff, on } },
    },
    {
      spec: { retry_on: { status: ['abc', 500], headers: { a: 'b' } } },
      rule: { retry: { attempts: 3, backoff, success_on: [412] } },
      lost: ['`retry_on.status: abc`', '`retry_on.headers`'],
    },
    { spec: { concurrency: 'many' }, rule: {}, lost: ['`concurrency`'] },
  ]
  for (const { spec, rule, lost } of limits) {
    it(`are those of ${JSON.stringify(spec)}`, () => {
      const result = convert({ exec: get, ...spec })
      const alike = { topics: ['edits'], when: { '@topic': { exists: true } } }
      const call = { http: { method: 'GET', url: get.uri } }
      expect(result.rule).to.deep.equal({ ...alike, do: call, ...rule })
      expect(result.lost).to.deep.equal(lost ?? [])
    })
  }
})

describe('cases of change-propagation', () => {
  const exec = get
  const http = { http: { method: 'GET', url: get.uri } }
  const purge = { uri: '/sys/purge/' }

  it('are tried in order, with what each has of its own', () => {
    const sample = { rate: 0.1, hash_template: '{{message.id}}' }
    const { rule, lost } = convert({
      cases: [
        { match: { a: 1 }, match_not: { b: 2 }, exec },
        { match: { a: 2 }, exec: [exec, exec], sample },
        { exec },
      ],
    })
    expect(rule).to.deep.equal({
      topics: ['edits'],
      cases: [
        { when: { a: 1 }, unless: [{ b: 2 }], do: http },
        { when: { a: 2 }, do: [http, http], sample: { rate: 0.1, key: '{{event.id}}' } },
        { do: http },
      ],
    })
    expect(lost).to.deep.equal([])
  })

  it('keep the events of one that is not carried over from those behind it', () => {
    const { rule } = convert({
      cases: [
        { match: { a: 1 }, match_not: [{ b: 2 }], exec: purge },
        { match: { c: 3 }, match_not: { d: 4 }, exec },
      ],
    })
    expect(rule?.['cases']).to.deep.equal([
      { when: { c: 3 }, unless: [{ d: 4 }, { a: 1, none: [{ b: 2 }] }], do: http },
    ])
  })

  it('end with one that holds for every event, written or not', () => {
    expect(
      convert({ cases: [{ match: { a: 1 }, exec }, { exec: purge }, { exec }] }).rule?.['cases'],
    ).to.deep.equal([{ when: { a: 1 }, do: http }])
  })

  it('are all left out when a condition in front of others cannot be said', () => {
    const lost = { match: { a: '/(?!x)/' }, exec }
    expect(convert({ cases: [lost, { exec }] }).rule).to.equal(null)
    expect(convert({ cases: [{ match: { a: 1 }, exec }, lost] }).rule?.['cases']).to.deep.equal([
      { when: { a: 1 }, do: http },
    ])
  })

  it('go before what stands beside them, which is told', () => {
    const { rule, lost } = convert({ match: { z: 1 }, exec, cases: [{ match: { a: 1 }, exec }] })
    expect(rule).to.deep.equal({ topics: ['edits'], cases: [{ when: { a: 1 }, do: http }] })
    expect(lost).to.deep.equal(['`match` beside `cases`', '`exec` beside `cases`'])
  })

  for (const cases of [[], 'x', [{ exec: purge }]]) {
    it(`make no rule out of ${JSON.stringify(cases)}`, () => {
      expect(convert({ cases }).rule).to.equal(null)
    })
  }
})

describe('other keys of a rule of change-propagation', () => {
  const told: readonly { spec: JsonObject; what: string }[] = [
    { spec: { limiters: { blocked: 'a:{message.b}' } }, what: '`limiters.blocked`' },
    { spec: { parallel: true }, what: '`parallel: true`' },
    { spec: { colour: 'red' }, what: '`colour`' },
  ]
  for (const { spec, what } of told) {
    it(`${JSON.stringify(spec)} is told, and the rule written without it`, () => {
      const { rule, lost } = convert({ exec: get, ...spec })
      expect(Object.keys(rule ?? {})).to.deep.equal(['topics', 'when', 'do'])
      expect(lost).to.deep.equal([what])
    })
  }

  it('a sample that cannot be said makes no rule', () => {
    for (const sample of [{ rate: 0.1 }, { rate: 0.1, hash_template: '{{strip(message)}}' }]) {
      expect(convert({ exec: get, sample }).rule).to.equal(null)
    }
  })

  const topics: readonly { spec: JsonObject; topics: Json | undefined }[] = [
    { spec: { topic: 'a' }, topics: ['a'] },
    { spec: { topics: ['a', '/^b\\..*$/'], topic: 'no' }, topics: ['a', 'b.*'] },
    {
      spec: { topics: ['/^b\\..*/'], exclude_topics: ['b.c', '/d$/'] },
      topics: { include: ['b.*'], exclude: ['b.c', '*d'] },
    },
    { spec: { topic: '/^[a-z]+$/' }, topics: undefined },
    { spec: { topic: 'a b' }, topics: undefined },
    { spec: { topic: 5 }, topics: undefined },
  ]
  for (const { spec, topics: want } of topics) {
    it(`${JSON.stringify(spec)} reads ${JSON.stringify(want) ?? 'nothing'}`, () => {
      const { rule, lost } = convert({ ...spec, exec: get })
      expect(rule?.['topics']).to.deep.equal(want)
      expect(lost.length > 0).to.equal(want === undefined)
    })
  }

  it('makes no rule when a topic that is left out cannot be said', () => {
    const { rule } = convert({ topics: ['/^a\\..*/'], exclude_topics: ['/^a\\.\\d+$/'], exec: get })
    expect(rule).to.equal(null)
  })
})

describe('the rules of one config of change-propagation', () => {
  it('are converted up to a bound, and the first one behind it is told', () => {
    const spec = JSON.stringify({ topic: 'edits', exec: get })
    const text = Array.from({ length: 10_003 }, (_, i) => `r${i}: ${spec}`).join('\n')
    const { modules, findings } = convertChangeprop({ name: 'c.yaml', text }, [])
    expect(modules[0]?.rules).to.have.length(10_000)
    const told = findings.all.filter(({ what }) => what === 'this rule and all behind it')
    expect(told.map(({ line, why }) => [line, why])).to.deep.equal([
      [10_001, 'more than 10000 rules in one config'],
    ])
  }).timeout(10_000)
})
