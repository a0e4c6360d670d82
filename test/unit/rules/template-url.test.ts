import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { aCompiler, aScope, renderedOrError } from '../../support/template-fixture.ts'

interface UrlCase {
  readonly url: string
  readonly query?: Readonly<Record<string, string>>
  readonly allowHosts?: readonly string[]
  readonly event?: Json
}

const at = { url: ['url'], query: ['query'] }

function compiled({ url, query = {}, allowHosts = [] }: UrlCase) {
  const { compiler, problems } = aCompiler()
  return { template: compiler.url(url, query, allowHosts, at), problems }
}

/** The URL, or the error that the rendering throws. */
function rendered(one: UrlCase): string {
  const { template, problems } = compiled(one)
  if (template === null) return expect.fail(JSON.stringify(problems))
  return renderedOrError(() => template.render(aScope(one.event ?? {})))
}

const hosts = ['*.wikipedia.org', 'cdn.internal', '10.0.0.7']

describe('a URL renders', () => {
  const cases: (UrlCase & { gives: string })[] = [
    { url: 'http://cdn.internal', gives: 'http://cdn.internal/' },
    { url: 'HTTP://CDN.Internal:80/A', gives: 'http://cdn.internal/A' },
    { url: 'https://[::1]:8443/a', gives: 'https://[::1]:8443/a' },
    { url: 'https://bücher.example/a', gives: 'https://xn--bcher-kva.example/a' },
    { url: 'http://h/wiki/é|x', gives: 'http://h/wiki/%C3%A9%7Cx' },
    { url: "http://h/a'b?c='d'&e[]=1", gives: "http://h/a'b?c=%27d%27&e%5B%5D=1" },
    {
      url: 'http://cdn.internal/wiki/{{event.title}}',
      event: { title: 'C++ / notes' },
      gives: 'http://cdn.internal/wiki/C%2B%2B%20%2F%20notes',
    },
    {
      url: 'http://h/{{event.id}}/{{event.ok}}',
      event: { id: 7, ok: true },
      gives: 'http://h/7/true',
    },
    { url: 'http://h/{{event.t}}.json', event: { t: '..' }, gives: 'http://h/...json' },
    { url: 'http://h/{{event.t}}', event: { t: '...' }, gives: 'http://h/...' },
    { url: 'http://h/{{event.t}}', event: { t: '%2e%2e' }, gives: 'http://h/%252e%252e' },
    { url: 'http://h/{{event.t}}', event: { t: 'a\r\nb\0' }, gives: 'http://h/a%0D%0Ab%00' },
    { url: 'http://h/{{event.t | uri}}', event: { t: 'a b' }, gives: 'http://h/a%20b' },
    { url: 'http://h/{{event.t | uri | uri}}', event: { t: 'a b' }, gives: 'http://h/a%2520b' },
    {
      url: 'http://h/{{event.t | raw}}',
      event: { t: "C%2B%2B:(x)'" },
      gives: "http://h/C%2B%2B:(x)'",
    },
    { url: 'http://h/{{event.t | path}}', event: { t: 'a b/c?d' }, gives: 'http://h/a%20b/c%3Fd' },
    { url: 'http://h/{{event.t | path}}/z', event: { t: 'a//b' }, gives: 'http://h/a//b/z' },
    {
      url: 'http://h/wiki/{{event.t | path: ":,@;$"}}',
      event: { t: "Talk:C++, a/b's?" },
      gives: "http://h/wiki/Talk:C%2B%2B,%20a/b's%3F",
    },
    { url: 'http://h/{{event.t | uri: ":"}}', event: { t: 'a:b/c' }, gives: 'http://h/a:b%2Fc' },
    {
      url: 'http://h/?t={{event.t | path: ":,"}}&u={{event.t | uri: ":"}}',
      event: { t: "a:b,c/d'&+" },
      gives: 'http://h/?t=a:b,c/d%27%26%2B&u=a:b%2Cc%2Fd%27%26%2B',
    },
    {
      url: 'http://h/?q={{event.q}}&r={{event.r | raw}}',
      event: { q: "a&b=c#d'e+f", r: "x=y/z?'%20" },
      gives: 'http://h/?q=a%26b%3Dc%23d%27e%2Bf&r=x=y/z?%27%20',
    },
    {
      url: 'http://h?q={{event.q | path}}',
      event: { q: "/a'b c" },
      gives: 'http://h/?q=/a%27b%20c',
    },
    {
      url: 'http://h/a',
      query: { 'the q': 'x & {{event.q}}', z: '' },
      event: { q: 'é' },
      gives: 'http://h/a?the%20q=x%20%26%20%C3%A9&z=',
    },
    { url: 'http://h/a?b=1', query: { c: '2' }, gives: 'http://h/a?b=1&c=2' },
    { url: 'http://h/a?', query: { c: '2' }, gives: 'http://h/a?c=2' },
    { url: 'http://h/a?b=1&', query: { c: '2' }, gives: 'http://h/a?b=1&c=2' },
    { url: 'http://h/a{{#event.v}}-{{.}}{{/event.v}}', event: { v: 0 }, gives: 'http://h/a-0' },
    { url: 'http://h/a/{{#event.v}}{{.}}{{/event.v}}', gives: 'http://h/a/' },
    {
      url: 'http://h/a?x=1{{#event.tags}}&tag={{.}}{{/event.tags}}',
      event: { tags: ['a&b', 'c'] },
      gives: 'http://h/a?x=1&tag=a%26b&tag=c',
    },
    {
      url: 'https://{{event.wiki}}.wikipedia.org/w',
      allowHosts: hosts,
      event: { wiki: 'EN' },
      gives: 'https://en.wikipedia.org/w',
    },
    {
      url: 'http://{{event.host}}:80?a={{event.host}}',
      allowHosts: hosts,
      event: { host: 'cdn.internal' },
      gives: 'http://cdn.internal/?a=cdn.internal',
    },
    {
      url: 'https://{{event.host}}:8443/',
      allowHosts: hosts,
      event: { host: '10.0.0.7' },
      gives: 'https://10.0.0.7:8443/',
    },
  ]
  for (const one of cases) {
    it(`${one.gives} from ${one.url} ${JSON.stringify(one.event ?? '')}`, () => {
      expect(rendered(one)).to.equal(one.gives)
      expect(new URL(one.gives).href).to.equal(one.gives)
    })
  }
})

describe('a URL is refused at load', () => {
  const cases: (UrlCase & { message: RegExp; code?: string })[] = [
    { url: '', message: /scheme/ },
    { url: '/relative', message: /scheme/ },
    { url: 'ftp://h/', message: /scheme/ },
    { url: '{{event.scheme}}://h/', message: /scheme/ },
    { url: 'http{{event.s}}://h/', message: /scheme/ },
    { url: '{{event.meta.uri}}', message: /scheme/ },
    { url: 'http://', message: /not a host/ },
    { url: 'http:///path', message: /not a host/ },
    { url: 'http://a b/', message: /not a host/ },
    { url: 'http://a\tb/', message: /not a host/ },
    { url: 'http://h:99999/', message: /not a host/ },
    { url: 'http://{{event.h}}:99999/', allowHosts: hosts, message: /not a host/ },
    { url: 'http://h:{{event.port}}/', allowHosts: hosts, message: /port/ },
    { url: 'http://{{event.h}}:{{event.port}}/', allowHosts: hosts, message: /port/ },
    { url: 'http://{{event.h}}:8{{event.port}}/', allowHosts: hosts, message: /port/ },
    { url: 'http://user:{{event.p}}@h/', message: /no user/ },
    { url: 'http://user@h/', message: /no user/ },
    { url: 'http://{{event.h}}/', message: /which hosts/ },
    { url: 'http://{{#event.h}}a{{/event.h}}/', allowHosts: hosts, message: /section/ },
    { url: 'http://h/a b', message: /cannot stand/ },
    { url: 'http://h/a\\b', message: /cannot stand/ },
    { url: 'http://h\\a', message: /cannot stand/ },
    { url: 'http://h/a#b', message: /cannot stand/ },
    { url: 'http://h#b', message: /cannot stand/ },
    { url: 'http://h/100%', message: /cannot stand/ },
    { url: 'http://h/a\nb', message: /cannot stand/ },
    { url: 'http://h/\u202ea', message: /cannot stand/ },
    { url: 'http://h/../a', message: /segment/ },
    { url: 'http://h/a/%2E.', message: /segment/ },
    { url: 'http://h/a/.', message: /segment/ },
    { url: 'http://h/{{#event.a}}a/{{/event.a}}b', message: /section in a path/ },
    { url: 'http://h/{{#event.a}}?b={{.}}{{/event.a}}', message: /section in a path/ },
    { url: 'http://h/?{{event.name}}=1', message: /names in a query/ },
    { url: 'http://h/?a=1&b{{event.name}}=1', message: /names in a query/ },
    { url: 'http://h/?a=1{{#event.b}}&{{.}}=1{{/event.b}}', message: /names in a query/ },
    { url: 'http://h/?a{{#event.b}}=1{{/event.b}}', message: /whole pairs/ },
    { url: 'http://h/?a=1{{#event.b}}&b{{/event.b}}', message: /whole pairs/ },
    { url: 'http://h/', query: { '{{event.a}}': '1' }, message: /name in a query/ },
    { url: 'http://h/', query: { '': '1' }, message: /name in a query/ },
    { url: 'http://h/', query: { a: '{{' }, message: /unclosed tag/, code: 'template-syntax' },
    { url: 'http://h/{{event.a', message: /unclosed tag/, code: 'template-syntax' },
    { url: 'http://h/{{event.a | raw | lower}}', message: /raw/, code: 'template-pipe' },
    { url: 'http://h/{{title}}', message: /`title`/, code: 'template-path' },
    { url: 'http://h/{{event.a | raw: ":"}}', message: /no arguments/, code: 'template-pipe' },
    { url: 'http://h/{{event.a | path: "#"}}', message: /cannot keep "#"/, code: 'template-pipe' },
    { url: 'http://h/{{event.a | uri: "/"}}', message: /cannot keep/, code: 'template-pipe' },
    { url: 'http://h/?a={{event.a | path: "&"}}', message: /in a query/, code: 'template-pipe' },
    { url: 'http://h/?a={{event.a | uri: "+"}}', message: /in a query/, code: 'template-pipe' },
  ]
  for (const { message, code = 'template-url', ...one } of cases) {
    it(`${JSON.stringify(one.url)} ${JSON.stringify(one.query ?? '')}`, () => {
      const { template, problems } = compiled(one)
      expect(template).to.equal(null)
      expect(problems.map((problem) => problem.code)).to.deep.equal([code])
      expect(problems[0]?.message).to.match(message)
      expect(problems[0]?.at[0]).to.equal(one.query === undefined ? 'url' : 'query')
    })
  }
})

describe('a task is refused when its URL', () => {
  const wiki = 'https://{{event.h}}/wiki'
  const cases: (UrlCase & { message: RegExp })[] = [
    { url: 'http://h/{{event.t}}', message: /^template: {{event.t}} is missing/ },
    { url: 'http://h/{{event.t}}', event: { t: null }, message: /is missing/ },
    {
      url: 'http://h/{{event.t}}',
      event: { t: '' },
      message: /segment {{event.t}} would be empty/,
    },
    { url: 'http://h/a/{{event.t}}/b', event: { t: '.' }, message: /would be \. or \.\./ },
    { url: 'http://h/{{event.t}}.', event: { t: '.' }, message: /would be \. or \.\./ },
    { url: 'http://h/%2e{{event.t}}', event: { t: '.' }, message: /would be \. or \.\./ },
    { url: 'http://h/{{event.t | raw}}', event: { t: '%2E%2e' }, message: /would be \. or \.\./ },
    { url: 'http://h/{{event.t | raw}}', event: { t: 'a/b' }, message: /encoded path segment/ },
    { url: 'http://h/{{event.t | raw}}', event: { t: 'a%zz' }, message: /encoded path segment/ },
    { url: 'http://h/{{event.t | raw}}', event: { t: 'a\\b' }, message: /encoded path segment/ },
    { url: 'http://h/{{event.t | path}}', event: { t: 'a/../b' }, message: /would be \. or \.\./ },
    { url: 'http://h/{{event.t | path}}', event: { t: '..' }, message: /would be \. or \.\./ },
    { url: 'http://h/{{event.t | path}}', event: { t: '/a' }, message: /begins with \// },
    { url: 'http://h/?a={{event.t | raw}}', event: { t: 'x&b=1' }, message: /encoded query value/ },
    { url: 'http://h/?a={{event.t | raw}}', event: { t: 'x#' }, message: /encoded query value/ },
    { url: 'http://h/{{event.t}}', event: { t: '\udc00' }, message: /half of a character/ },
    { url: 'http://h/{{event.t}}', event: { t: {} }, message: /is an object/ },
    { url: 'http://h/{{event.t}}', event: { t: 'a'.repeat(9_000) }, message: /^too-large: / },
    ...['evil.org', 'wikipedia.org', 'wikipedia.org.evil.org', '127.0.0.1', '10.0.0.07'].map(
      (h) => ({ url: wiki, allowHosts: hosts, event: { h }, message: /^guard: / }),
    ),
    ...['a/b.wikipedia.org', 'x@a.wikipedia.org', 'a.wikipedia.org:1', 'é.wikipedia.org', ' '].map(
      (h) => ({ url: wiki, allowHosts: hosts, event: { h }, message: /not the name of a host/ }),
    ),
    {
      url: wiki,
      allowHosts: hosts,
      event: { h: 'xn--a.wikipedia.org' },
      message: /not the name of a host/,
    },
    {
      url: wiki,
      allowHosts: hosts,
      event: { h: `${'a'.repeat(64)}.wikipedia.org` },
      message: /not the name of a host/,
    },
  ]
  for (const { message, ...one } of cases) {
    it(`${one.url} gets ${JSON.stringify(one.event ?? {}).slice(0, 60)}`, () => {
      expect(rendered(one)).to.match(message)
    })
  }
})

it('a URL for people masks what was made with a secret', () => {
  const { template } = compiled({
    url: 'http://h/a?id={{event.id}}&sig={{event.id | hmac: example-key}}',
  })
  const scope = aScope({ id: 7 })
  expect(template?.render(scope)).to.match(/\?id=7&sig=[0-9a-f]{64}$/)
  expect(template?.renderMasked(scope)).to.equal('http://h/a?id=7&sig=***')
})

describe('whatever an event holds', () => {
  const pieces = [
    ...['.', '..', '/', '\\', '%2e', '%2E', '%2f', '%5c', '%', '%0', '?', '#', '@', ':', '&', '='],
    ...[
      '\r\n',
      '\0',
      '\t',
      ' ',
      '\ud800',
      '\udc00',
      '\u202e',
      '\u2066',
      '\ufeff',
      "'",
      '"',
      '+',
      ';',
    ],
    ...[
      'a',
      'B',
      '0',
      'é',
      '😀',
      '[',
      ']',
      '|',
      '^',
      '`',
      '{',
      '}',
      '<',
      '*',
      '://',
      '//',
      'evil.org',
    ],
    ...['.wikipedia.org', 'en', '-', '_', 'xn--', '0x7f', '1.1'],
  ]
  const hostile = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.integer(),
    fc.boolean(),
  )
  const values = fc.record({ a: hostile, b: hostile, c: hostile, h: hostile })

  /** A template, and the shape that every URL of it has. */
  const templates = [
    { url: 'http://cdn.internal:81/x/{{event.a}}/y-{{event.b}}?n={{event.c}}&m=1', segments: 3 },
    {
      url: 'http://cdn.internal:81/{{event.a | raw}}/y/{{event.b | raw}}?n={{event.c | raw}}&m=1',
      segments: 3,
    },
    {
      url: 'http://cdn.internal:81/.{{event.a}}/{{event.b | lower}}./%2e{{event.a | raw}}?n={{event.c}}&m=',
      segments: 3,
    },
    {
      url: 'http://cdn.internal:81/{{event.a}}{{event.b}}{{#event.c}}{{.}}{{/event.c}}?n={{event.c | path}}&m=2',
      segments: 1,
    },
    { url: 'http://cdn.internal:81/{{event.a | path}}/z?n={{event.b | uri}}&m=1', segments: null },
  ] as const

  for (const { url, segments } of templates) {
    it(`the shape of the URL is that of ${url}`, () => {
      const { template } = compiled({ url })
      let rendered = 0
      fc.assert(
        fc.property(values, (event) => {
          const result = renderedOrError(() => template?.render(aScope(event)) ?? '')
          if (/^(template|too-large): /.test(result)) return
          rendered++
          // WHATWG's own parser is the judge: it would normalise what is not normal already.
          const parsed = new URL(result)
          expect(parsed.href).to.equal(result)
          expect(parsed.origin).to.equal('http://cdn.internal:81')
          expect(parsed.username + parsed.password + parsed.hash).to.equal('')
          expect([...parsed.searchParams.keys()]).to.deep.equal(['n', 'm'])
          const path = parsed.pathname.slice(1).split('/')
          if (segments !== null) expect(path).to.have.length(segments)
          for (const segment of path) expect(segment).to.not.match(/^(\.|%2e){1,2}$/i)
          expect(result).to.match(/^[\x21-\x7e]+$/)
        }),
        { numRuns: 2_000 },
      )
      expect(rendered).to.be.above(100)
    })
  }

  it('a value comes back out of the URL as it went in', () => {
    const { template } = compiled({ url: 'http://cdn.internal/x/{{event.a}}?n={{event.b}}' })
    fc.assert(
      fc.property(values, (event) => {
        const result = renderedOrError(() => template?.render(aScope(event)) ?? '')
        if (result.startsWith('template: ')) return
        const parsed = new URL(result)
        expect(decodeURIComponent(parsed.pathname.slice('/x/'.length))).to.equal(String(event.a))
        expect(parsed.searchParams.get('n')).to.equal(String(event.b))
      }),
    )
  })

  it('a templated host is one of allow_hosts, on the port of the template', () => {
    const { template } = compiled({
      url: 'https://{{event.h}}{{event.a}}:8443/{{event.b}}',
      allowHosts: ['*.wikipedia.org', 'en', '10.0.0.7'],
    })
    const likely = fc.constantFrom(
      'en',
      '.wikipedia.org',
      'a',
      '10.0.0.7',
      '10.0.0',
      '.7',
      'EN.wikipedia.org',
      '',
    )
    let rendered = 0
    const events = fc.record({
      h: fc.oneof(likely, hostile),
      a: fc.oneof(likely, hostile),
      b: hostile,
    })
    fc.assert(
      fc.property(events, (event) => {
        const result = renderedOrError(() => template?.render(aScope(event)) ?? '')
        if (/^(template|too-large|guard): /.test(result)) return
        rendered++
        const parsed = new URL(result)
        expect(parsed.href).to.equal(result)
        expect(parsed.hostname).to.match(/^(.+\.wikipedia\.org|en|10\.0\.0\.7)$/)
        expect(parsed.port).to.equal('8443')
      }),
      { numRuns: 2_000 },
    )
    expect(rendered).to.be.above(50)
  })
})
