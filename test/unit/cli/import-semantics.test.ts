import { expect } from 'chai'
import fc from 'fast-check'
import { convertChangeprop } from '../../../src/cli/import/convert-changeprop.ts'
import type { Json, JsonObject } from '../../../src/model/json.ts'
import { isJsonObject } from '../../../src/model/json.ts'
import { writeYaml } from '../../../src/schema/write-yaml.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText } from '../../support/load-text.ts'
import { aScope } from '../../support/template-fixture.ts'

/*
 * What `match` means there, written from its documentation, against what the converted rule does
 * with Sluice's own matching. Left out are the cases that docs/import-changeprop.md names: a list
 * under a scalar, and 0, false, '' and null where a map or a member is looked for.
 */
function holdsThere(pattern: Json, value: Json | undefined): boolean {
  if (pattern === 'undefined') return value === undefined
  if (Array.isArray(pattern)) {
    const items = pattern as readonly Json[] // as: isArray does not narrow readonly lists
    return (
      Array.isArray(value) &&
      items.every((item) => value.some((one: Json) => holdsThere(item, one)))
    )
  }
  if (isJsonObject(pattern)) {
    return (
      value !== undefined &&
      value !== null &&
      Object.entries(pattern).every(([key, inner]) =>
        holdsThere(inner, isJsonObject(value) ? value[key] : undefined),
      )
    )
  }
  const regex = typeof pattern === 'string' ? /^\/(.+)\/(i?)$/.exec(pattern) : null
  if (regex === null) return value === pattern
  return typeof value === 'string' && new RegExp(regex[1] ?? '', regex[2]).test(value)
}

const scalar = fc.constantFrom<Json>('x', 'X', 'xy', 'y/x', 1, 2, '1', true)
const scalarPattern = fc.constantFrom<Json>(
  ...[
    'x',
    'xy',
    1,
    '1',
    true,
    'undefined',
    '/^x/',
    '/x/i',
    '/^x$/',
    '/(y)/',
    '/^(?<a>[^/]+).x$/',
    '/x|1/',
  ],
)
const absent = fc.constant('undefined')
const regexPattern = fc.constantFrom('/^x/', '/y/', '/^x$/', '/x/i', '/^[xy]/', '/y+$/', '/1/')
const memberPattern = fc.oneof(
  scalarPattern.filter((pattern) => pattern !== 'undefined'),
  regexPattern,
  fc.record({ s: scalarPattern }),
)
const inner = { s: scalar, t: scalar, 'o.p': scalar }
const oftenAbsent = fc.oneof(scalarPattern, absent)
const innerPattern = { s: oftenAbsent, t: oftenAbsent, 'o.p': oftenAbsent }
const map = fc.record(inner, { requiredKeys: [] })
const mapPattern = fc
  .record(innerPattern, { requiredKeys: [] })
  .filter((pattern) => Object.keys(pattern).length > 0)
const event = fc.record(
  {
    s: fc.oneof(scalar, map),
    t: scalar,
    m: fc.oneof(map, scalar, fc.constant(null)),
    n: fc.record({ m: fc.oneof(map, scalar), s: scalar }, { requiredKeys: [] }),
    l: fc.oneof(fc.array(fc.oneof(scalar, map), { maxLength: 3 }), scalar),
  },
  { requiredKeys: [] },
)
// One or two fields: with more, hardly an event would meet all.
const match = fc
  .uniqueArray(
    fc.oneof(
      fc.record({ s: scalarPattern }),
      fc.record({ t: scalarPattern }),
      fc.record({ m: mapPattern }),
      fc.record({ n: fc.record({ m: mapPattern, s: scalarPattern }, { requiredKeys: ['m'] }) }),
      fc.record({ l: fc.array(memberPattern, { maxLength: 2 }) }),
      fc.record({ l: fc.array(regexPattern, { minLength: 2, maxLength: 2 }) }),
    ),
    { minLength: 1, maxLength: 2, selector: (field) => Object.keys(field)[0] },
  )
  .map((fields): JsonObject => Object.assign({}, ...fields) as JsonObject) // as: of objects

async function loadConverted(
  spec: JsonObject,
  exec: Json,
): Promise<Awaited<ReturnType<typeof loadText>>> {
  const text = JSON.stringify({ rule: { topic: 'edits', ...spec, exec } })
  const { modules, findings } = convertChangeprop({ name: 'c.yaml', text }, ['*.example'])
  expect(findings.all).to.deep.equal([])
  return loadText(writeYaml({ rules: { rule: modules[0]?.rules[0]?.rule ?? null } }))
}

async function firesHere(
  spec: JsonObject,
  bodies: readonly JsonObject[],
): Promise<readonly boolean[]> {
  const { ruleSet, problems } = await loadConverted(spec, { uri: 'http://x.internal/' })
  const errors = problems.filter(({ severity }) => severity === 'error')
  // `match` and `match_not` may say the same: ours refuses a rule that never fires.
  if (errors.length > 0 && errors.every(({ code }) => code === 'impossible')) {
    return bodies.map(() => false)
  }
  expect(errors).to.deep.equal([])
  const fire = ruleSet?.rules[0]?.fire
  if (fire === undefined) throw new Error('the rule does not load')
  return bodies.map((body) => fire(anEvent(body)) !== null)
}

describe('a converted match', () => {
  it('holds for the events that it held for', async () => {
    let held = 0
    await fc.assert(
      fc.asyncProperty(
        match,
        fc.option(fc.array(match, { minLength: 1, maxLength: 2 })),
        fc.array(event, { minLength: 40, maxLength: 40 }),
        async (wanted, unwanted, bodies) => {
          const spec = { match: wanted, ...(unwanted === null ? {} : { match_not: unwanted }) }
          const there = bodies.map(
            (body) =>
              holdsThere(wanted, body) && !(unwanted ?? []).some((one) => holdsThere(one, body)),
          )
          held += there.filter(Boolean).length
          expect(await firesHere(spec, bodies)).to.deep.equal(there)
        },
      ),
      { numRuns: 60 },
    )
    expect(held, 'events that a match held for').to.be.greaterThan(50)
  }).timeout(30_000) // each run loads a rule; the machine may be busy

  it('holds for more where a list stands in place of a scalar, as the document says', async () => {
    expect(holdsThere({ s: 'x' }, { s: ['x'] })).to.equal(false)
    expect(await firesHere({ match: { s: 'x' } }, [{ s: ['x'] }])).to.deep.equal([true])
  })
})

describe('a converted request', () => {
  const match = {
    meta: { uri: '/^https?:..[^/]+.wiki.(?<title>[^/]+)$/' },
    old: { uri: '/.(?<title>[^/]+)$/' },
    pair: '/^([a-z]+)-([0-9]+)$/',
  }
  const body = {
    meta: {
      uri: 'https://a.example/wiki/C%2B%2B',
      domain: 'a.example',
      dt: '2026-11-24T12:00:00Z',
    },
    old: { uri: '/D%20E' },
    pair: 'page-7',
    title: 'C++ / notes?',
    rev: 7,
    tags: ['one', 'two'],
  }
  const requests: readonly { uri: string; query?: JsonObject; want: string }[] = [
    {
      uri: 'http://x.internal/{message.title}/{{message.rev}}',
      want: 'http://x.internal/C%2B%2B%20%2F%20notes%3F/7',
    },
    { uri: 'http://x.internal/{{match.meta.uri.title}}', want: 'http://x.internal/C%2B%2B' },
    { uri: 'http://x.internal/{decode(match.meta.uri.title)}', want: 'http://x.internal/C%2B%2B' },
    { uri: 'http://x.internal/{{match.old.uri.title}}', want: 'http://x.internal/D%20E' },
    {
      uri: 'http://x.internal/{{match.pair[2]}}/{{match.pair[1]}}',
      want: 'http://x.internal/7/page',
    },
    { uri: 'https://{{message.meta.domain}}/{message.tags[1]}', want: 'https://a.example/two' },
    { uri: "http://x.internal/{default(message.nothing, 'a b')}", want: 'http://x.internal/a%20b' },
    {
      uri: 'http://x.internal/',
      query: { t: '{{message.title}}', n: 1, d: '{{date(message.meta.dt)}}' },
      want: 'http://x.internal/?t=C%2B%2B%20%2F%20notes%3F&n=1&d=Tue%2C%2024%20Nov%202026%2012%3A00%3A00%20GMT',
    },
  ]
  for (const { uri, query, want } of requests) {
    it(`asks for ${want} where ${uri} did`, async () => {
      const exec = { uri, ...(query === undefined ? {} : { query }) }
      const { ruleSet, problems } = await loadConverted({ match }, exec)
      expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([])
      const event = anEvent(body)
      const way = ruleSet?.rules[0]?.ways[0]
      if (way === undefined) throw new Error('the rule does not load')
      const scope = aScope(body, {}, { match: way.captures(event) })
      const rendered = way.steps[0]?.action.render(scope)
      expect(rendered?.kind === 'ready' ? rendered.request.summary : rendered).to.equal(
        `GET ${want}`,
      )
    })
  }
})
