import { expect } from 'chai'
import fc from 'fast-check'
import { emitKind } from '../../../src/actions/emit.ts'
import { httpKind } from '../../../src/actions/http.ts'
import type { Json } from '../../../src/model/json.ts'
import type { HttpRequest } from '../../../src/ports/http-caller.ts'
import type { RenderedRequest } from '../../../src/rules/action-kind.ts'
import type { Scope } from '../../../src/rules/scope.ts'
import { compileAction, fakeTools } from '../../support/action-fixture.ts'
import { hostileTag, hostileValues } from '../../support/hostile-values.ts'
import { aScope } from '../../support/template-fixture.ts'

/*
 * docs/rules.md, 3: whatever an event, an element, a result or a capture holds, and whatever pipes it
 * goes through, scheme, host, port, number of path segments, names in the query, of headers and of
 * fields are the template's, or the task is refused.
 */

type Values = typeof hostileValues extends fc.Arbitrary<infer Value> ? Value : never

function scopeWith({ a, b, c, d, list, title, key, header }: Values): Scope {
  const record = { key: Buffer.from(key), headers: [['x', Buffer.from(header)]] as const }
  const steps = { page: { status: 200, body: { d } } }
  return aScope({ a, b, list }, record, { item: { c }, steps, match: { title } })
}

/** `null`: refused at load or when it is rendered. */
function requestOf(spec: Json, values: Values, kind: typeof httpKind): RenderedRequest | null {
  const { action } = compileAction(kind, spec)
  const made = action?.render(scopeWith(values)) ?? null
  if (made?.kind === 'failed') {
    expect(made.failure.kind).to.be.oneOf(['template', 'too-large'])
    return null
  }
  return made?.kind === 'ready' ? made.request : null
}

async function sent(spec: Json, values: Values): Promise<HttpRequest | null> {
  const request = requestOf(spec, values, httpKind)
  if (request === null) return null
  const tools = fakeTools()
  await request.perform(tools, 1_000, new AbortController().signal)
  return tools.calls[0]?.request ?? expect.fail('it was not sent')
}

/** Runs the property until so many requests were really sent: refusing all would prove nothing. */
async function whatever(
  tags: number,
  place: 'url' | 'elsewhere',
  check: (tags: string[], values: Values) => Promise<boolean>,
): Promise<void> {
  let count = 0
  const some = fc.array(hostileTag(place), { minLength: tags, maxLength: tags })
  await fc.assert(
    fc.asyncProperty(some, hostileValues, async (used, values) => {
      if (await check(used, values)) count++
    }),
    { numRuns: place === 'url' ? 1_500 : 500 },
  )
  expect(count).to.be.above(30)
}

describe('whatever a request is made of', () => {
  it('its URL has the shape of the template', async function () {
    this.timeout(10_000)
    await whatever(4, 'url', async ([p = '', q = '', v = '', k = ''], values) => {
      const url = `http://cdn.internal:81/x/${p}/y-${q}?n=${v}&m=1`
      const request = await sent({ url, query: { k } }, values)
      if (request === null) return false
      // WHATWG's own parser is the judge: it would normalise what is not normal already.
      const parsed = new URL(request.url)
      expect(parsed.href).to.equal(request.url)
      expect(request.url).to.match(/^[\x21-\x7e]+$/)
      expect(parsed.origin).to.equal('http://cdn.internal:81')
      expect(parsed.username + parsed.password + parsed.hash).to.equal('')
      expect([...parsed.searchParams.keys()].join()).to.equal('n,m,k')
      const path = parsed.pathname.slice(1).split('/')
      // `| path` at the end of a tag asks for as many segments as the value has.
      if (/\| path[^|]*}}/.test(p + q)) expect(path.length).to.be.at.least(3)
      else expect(path).to.have.length(3)
      for (const segment of path) expect(segment).to.not.match(/^(\.|%2e){1,2}$/i)
      return true
    })
  })

  it('its headers have the names of the template, and values of one line', async function () {
    this.timeout(10_000)
    const plain = await sent({ url: 'http://h/', headers: { 'x-a': 1, 'x-b': 2 } }, anyValues())
    const names = Object.keys(plain?.headers ?? {})
    await whatever(2, 'elsewhere', async ([a = '', b = ''], values) => {
      const headers = { 'x-a': a, 'x-b': `b ${b}` }
      const request = await sent({ url: 'http://h/', headers }, values)
      if (request === null) return false
      expect(Object.keys(request.headers)).to.deep.equal(names)
      for (const value of Object.values(request.headers)) expect(value).to.match(/^[\x20-\x7e]*$/)
      return true
    })
  })

  it('a host header is the name of a host', async function () {
    this.timeout(10_000)
    await whatever(1, 'elsewhere', async ([host = ''], values) => {
      const spec = { url: 'http://h/', headers: { host: `${host}.org` } }
      const request = await sent(spec, values)
      if (request === null) return false
      expect(request.headers['host']).to.match(/^[\w.-]+$/)
      return true
    })
  })

  it('its form has the fields of the template, and nothing is lost of a value', async function () {
    this.timeout(10_000)
    await whatever(2, 'elsewhere', async ([f = '', g = ''], values) => {
      const request = await sent({ url: 'http://h/', form: { f, 'g&h': g } }, values)
      if (request === null) return false
      const body = String(request.body)
      expect(body).to.match(/^[\w.*+%=&-]*$/)
      const fields = new URLSearchParams(body)
      expect([...fields.keys()]).to.deep.equal(['f', 'g&h'])
      expect(fields.toString()).to.equal(body)
      return true
    })
  })

  it('its JSON has the shape of the template, where a value is part of a text', async function () {
    this.timeout(10_000)
    await whatever(2, 'elsewhere', async ([f = '', g = ''], values) => {
      const json = { f: `a ${f}`, list: [{ g: `${g} b` }], h: '{{event.b}}' }
      const request = await sent({ url: 'http://h/', json }, values)
      if (request === null) return false
      const body = JSON.parse(String(request.body)) as Json // as: what JSON.parse gives
      expect(withTexts(body)).to.deep.equal({ f: '', list: [{ g: '' }], h: '' })
      return true
    })
  })

  it('a derived event has the topic and the headers of the template', async function () {
    this.timeout(10_000)
    const names = [
      'sluice-root',
      'sluice-root-time',
      'sluice-hops',
      'sluice-path',
      'traceparent',
      'x',
    ]
    await whatever(3, 'elsewhere', async ([key = '', header = '', text = ''], values) => {
      const spec = { topic: 'derived', key, headers: { x: header }, value: { text: `${text}!` } }
      const { action } = compileAction(emitKind, spec)
      const made = action?.render(scopeWith(values))
      if (made?.kind !== 'ready') return false
      const tools = fakeTools()
      await made.request.perform(tools, 1_000, new AbortController().signal)
      const [record] = tools.produced
      expect(record?.topic).to.equal('derived')
      expect(record?.headers.map(([name]) => name)).to.deep.equal(names)
      const body = JSON.parse(String(record?.value)) as Json // as: what JSON.parse gives
      expect(withTexts(body)).to.deep.equal({ text: '' })
      return true
    })
  })
})

function anyValues(): Values {
  return { a: 1, b: 1, c: 1, d: 1, list: [], title: '', key: '', header: '' }
}

/** The same with every value that is no list and no object as an empty text. */
function withTexts(value: Json): Json {
  if (typeof value !== 'object' || value === null) return ''
  if (Array.isArray(value)) return (value as readonly Json[]).map(withTexts) // as: a list of a Json value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts(one)]))
}
