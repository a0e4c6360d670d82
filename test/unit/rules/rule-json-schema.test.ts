import { expect } from 'chai'
import fc from 'fast-check'
import { readdir, readFile } from 'node:fs/promises'
import { actionKinds } from '../../../src/actions/kinds.ts'
import type { Json } from '../../../src/model/json.ts'
import { isJsonObject } from '../../../src/model/json.ts'
import { blockKeys } from '../../../src/rules/condition.ts'
import { operatorReference } from '../../../src/rules/operator-reference.ts'
import { operators } from '../../../src/rules/parse-operators.ts'
import { abstractRuleSchema, ruleSchema } from '../../../src/rules/rule-schema.ts'
import { laterKeys } from '../../../src/schema/check-shape.ts'
import type { ProblemCode } from '../../../src/schema/problem-code.ts'
import type { JsonSchema } from '../../../src/schema/json-schema.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'
import {
  describedKeys,
  partValidator,
  rulesSchema,
  validatorOf,
} from '../../support/json-schema.ts'
import { loadText } from '../../support/load-text.ts'

const validate = validatorOf(rulesSchema)

function valueOf(text: string): Json {
  const { document } = parseYaml({ name: 'a.yaml', text })
  if (document === null) throw new Error('no YAML')
  return document.value
}

/** Where the schema finds something wrong. */
function faultsOf(text: string): readonly string[] {
  validate(valueOf(text))
  return (validate.errors ?? []).map(({ instancePath }) => instancePath)
}

function definition(name: string): JsonSchema {
  return rulesSchema.definitions?.[name] ?? {}
}

/** Every key of the language, with where it is described. */
function allKeys(): ReturnType<typeof describedKeys> {
  const named = Object.entries(rulesSchema.definitions ?? {})
    .filter(([name]) => !name.endsWith('-for-each'))
    .flatMap(([name, one]) => describedKeys(one, `${name}: `))
  return [...describedKeys(rulesSchema), ...named]
}

/** A file of one rule that lacks nothing. */
function rule(lines: string): string {
  return `rules:\n  r:\n    topics: [t]\n    do: { emit: { topic: out } }\n${lines.replace(/^/gm, '    ')}\n`
}

/**
 * Mistakes that are wrong by what they say and not by their shape, so that no schema can see them:
 * all of the others' it has to.
 */
const unseen = {
  'names that must be known elsewhere': [
    ...['19-misspelt-list', '20-misspelt-secret', '22-misspelt-lane'],
    ...['31-extends-unknown', '32-extends-circle', '33-for-each-name'],
  ],
  'what stands in a template, a URL or a regex': [
    ...['07-unknown-pipe', '25-regex-look-behind', '26-regex-not-anchored'],
    ...['38-url-without-scheme', '39-templated-host', '40-template-without-root'],
    ...['41-triple-mustache', '42-partial', '43-section-not-closed', '47-folded-text'],
  ],
  'keys that do not go together': [
    ...['36-get-with-body', '37-header-from-data', '68-window-without-key'],
  ],
  'conditions that cannot hold': [
    ...['28-impossible-range', '29-contradiction', '30-shadowed-case'],
    ...['59-case-behind-the-last', '61-contradiction-of-two-tests'],
  ],
  'no mistakes, or none of one value alone': [
    ...['06-text-for-number', '09-key-twice', '58-emoji-is-fine', '60-near-misses-are-fine'],
    '64-path-from-event',
    '67-single-braces',
    '69-window-that-drops-the-last',
  ],
}

describe('the JSON Schema of rule files', () => {
  it('knows the tests that the parser knows, and the keys of a condition', () => {
    expect(Object.keys(operatorReference).toSorted()).to.deep.equal(operators.toSorted())
    expect(Object.keys(definition('test').properties ?? {})).to.have.members(operators)
    const keys = Object.keys(definition('condition').properties ?? {})
    expect(keys.filter((key) => !key.startsWith('@'))).to.have.members(blockKeys)
  })

  it('knows the kinds of actions', () => {
    const names = actionKinds.map(({ name }) => name)
    expect(Object.keys(definition('do').properties ?? {})).to.deep.equal(names)
    expect(Object.keys(definition('action').properties ?? {})).to.deep.equal(names)
  })

  it('says of every key what it means, and shows what may stand there', () => {
    const all = allKeys()
    expect(all.length).to.be.greaterThan(150)
    const bare = all.filter(([, { description, not, ...rest }]) => {
      const isShown = ['examples', 'default', 'enum', 'const', 'properties'].some(
        (key) => key in rest,
      )
      return description === undefined || (!isShown && not === undefined)
    })
    expect(bare.map(([path]) => path)).to.deep.equal([])
  })

  it('shows defaults that are what a rule has without them', async () => {
    const { default: concurrency } = definition('rule').properties?.['concurrency'] ?? {}
    const { default: timeout } = definition('rule').properties?.['timeout'] ?? {}
    const lines = `concurrency: ${JSON.stringify(concurrency)}\ntimeout: ${JSON.stringify(timeout)}`
    const [said] = (await loadText(rule(lines))).sound
    const [unsaid] = (await loadText(rule('enabled: true'))).sound
    expect(said?.concurrency).to.equal(unsaid?.concurrency)
    expect(said?.timeoutMs).to.equal(unsaid?.timeoutMs)
  })

  it('shows examples that it takes itself', () => {
    const wrong: string[] = []
    for (const [path, { examples = [], ...asked }] of allKeys()) {
      const check = partValidator(asked)
      for (const one of examples) if (!check(one)) wrong.push(`${path} ${JSON.stringify(one)}`)
    }
    expect(wrong).to.deep.equal([])
  })

  it('marks what is read and not built yet, and that only', async () => {
    const lines: Readonly<Record<string, string>> = {
      rate: 'rate: 200/s',
      breaker: 'breaker: { failures: 3 }',
      'concurrency.scope': 'concurrency: { limit: 3, scope: cluster }',
      'rate.scope': 'rate: { limit: 3, per: 1s, scope: cluster }',
    }
    const marked = describedKeys(definition('rule')).filter(
      ([, { description = '', not }]) =>
        not === undefined && description.toLowerCase().includes('not supported yet'),
    )
    expect(marked.map(([path]) => path)).to.have.members(Object.keys(lines))
    for (const [path, line] of Object.entries(lines)) {
      const { problems } = await loadText(rule(`key: "{{event.id}}"\n${line}`))
      expect(
        problems.map(({ code }) => code),
        path,
      ).to.include('not-supported-yet')
    }
  })

  it('refuses what the language names for later', () => {
    for (const schema of [ruleSchema, abstractRuleSchema]) {
      for (const key of laterKeys.get(schema)?.keys ?? []) {
        expect(faultsOf(rule(`${key}: 1`))).to.include(`/rules/r/${key}`)
      }
    }
  })

  const fine: readonly (readonly [what: string, text: string])[] = [
    ['a rule that takes its topics and its action from another', 'rules: { a: { extends: b } }'],
    ['an abstract rule that says nothing else', 'rules: { a: { abstract: true } }'],
    [
      'tags of for_each in place of numbers, lists, maps, words and keys',
      'rules: { "p-{{each.w}}": { for_each: [{ w: a }], topics: "{{each.t}}", concurrency: "{{each.n}}", ' +
        'mode: "{{ each.m }}", timeout: "{{each.s}}s", when: { a: { gt: "{{each.n}}", not: "{{each.x}}" } }, ' +
        'do: "{{each.do}}", "{{each.key}}": 3 } }',
    ],
    ['whole numbers and texts as outcomes', rule('retry: { on: [503, "5xx", timeout] }')],
    [
      'numbers that YAML writes with a point',
      rule('when: { a: 1.0, b: { gte: -1.5e3 }, c: { len: 2 } }'),
    ],
    [
      'values that fit several forms',
      rule('concurrency: 3\nlabels: { a: "1" }\nwhen: { a: null, b: [1, x, true] }'),
    ],
    [
      'records and headers in a condition',
      rule('when: { "@topic": t, "@headers.x-a": { prefix: b } }'),
    ],
    ['fields that are called like keys', rule('when: { \\any: 1, \\some: x }')],
    [
      'a list of actions',
      rule('')
        .replace('do: {', 'do: [{')
        .replace('out } }', 'out } }, { http: { url: "http://a/" } }]'),
    ],
    [
      'lists of values, of names and in files',
      `lists: { a: [1], b: { x: y }, c: { file: l.txt } }\n${rule('')}`,
    ],
  ]
  for (const [what, text] of fine) {
    it(`takes ${what}`, () => {
      expect(faultsOf(text)).to.deep.equal([])
    })
  }

  const wrong: readonly (readonly [what: string, text: string, place: string])[] = [
    ['a misspelt key', rule('whem: { a: 1 }'), '/rules/r'],
    ['a rule without topics', 'rules: { a: { do: { emit: { topic: o } } } }', '/rules/a'],
    [
      'a rule that is not abstract, and says nothing',
      'rules: { a: { abstract: false } }',
      '/rules/a',
    ],
    ['a rule that does nothing', 'rules: { a: { topics: [t] } }', '/rules/a'],
    ['a test that does not exist', rule('when: { a: { prefx: b } }'), '/rules/r/when/a'],
    [
      'a test deep below',
      rule('when: { any: [{ a: { not: { prefx: b } } }] }'),
      '/rules/r/when/any/0/a/not',
    ],
    ['a duration without a unit', rule('timeout: 10'), '/rules/r/timeout'],
    ['a duration of an unknown unit', rule('timeout: 10sec'), '/rules/r/timeout'],
    [
      'two kinds in one action',
      rule('').replace('out }', 'out }, http: { url: "http://a/" }'),
      '/rules/r/do',
    ],
    [
      'a tag of for_each where there is none',
      rule('concurrency: "{{each.n}}"'),
      '/rules/r/concurrency',
    ],
    ['an empty condition', rule('when: {}'), '/rules/r/when'],
    ['a some without where', rule('when: { some: { path: a } }'), '/rules/r/when/some'],
    ['a full scan of nothing', rule('when: { full_scan: true, a: 1 }'), '/rules/r/when'],
  ]
  for (const [what, text, place] of wrong) {
    it(`refuses ${what}, where it is`, () => {
      expect(faultsOf(text)).to.include(place)
    })
  }
})

describe('the JSON Schema of rule files, over the files of this project', () => {
  it('takes every example', async () => {
    const names = (await readdir('rules')).filter((name) => name.endsWith('.yaml'))
    expect(names.length).to.be.greaterThan(3)
    for (const name of names) {
      expect(faultsOf(await readFile(`rules/${name}`, 'utf8')), name).to.deep.equal([])
    }
  })

  it('refuses every mistake that is one of shape', async () => {
    const names = (await readdir('test/mistakes')).filter((name) => /^\d\d-.*\.yaml$/.test(name))
    const taken: string[] = []
    for (const name of names) {
      const text = await readFile(`test/mistakes/${name}`, 'utf8')
      const { document } = parseYaml({ name, text })
      if (document !== null && validate(document.value)) taken.push(name.replace('.yaml', ''))
    }
    expect(taken).to.have.members(Object.values(unseen).flat())
  })
})

/** What the schema cannot say: how values go together, what a text holds, what is known elsewhere. */
const semantic: readonly ProblemCode[] = [
  ...(['bad-value', 'bad-test', 'bad-path', 'bad-topic', 'impossible', 'shadowed-case'] as const),
  ...(['unknown-list', 'unknown-lane', 'unknown-rule', 'unknown-secret'] as const),
  ...([
    'template-syntax',
    'template-path',
    'template-pipe',
    'template-url',
    'template-json',
  ] as const),
  ...(['action-method', 'action-header', 'action-body', 'action-auth', 'action-hosts'] as const),
  ...(['action-outcome', 'action-topic', 'not-supported-yet'] as const),
  'bad-duration', // a form can be described, how long it may be can not
]

const scalar = fc.constantFrom<Json>('a', '', 'edit', 0, 1, -1, 2.5, true, false, null)
const anyJson = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('a', 'limit', 'rate', 'in'), scalar, { maxKeys: 2 }),
)

/** Mostly what belongs there, and now and then anything. */
function mostly(...good: readonly (Json | fc.Arbitrary<Json>)[]): fc.Arbitrary<Json> {
  const arbitraries = good.map((one) => (one instanceof fc.Arbitrary ? one : fc.constant(one)))
  return fc.oneof(
    { weight: 1, arbitrary: anyJson },
    { weight: 40, arbitrary: fc.oneof(...arbitraries) },
  )
}

function someOf(keys: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<Json> {
  return fc.record(keys, { requiredKeys: [] }) as fc.Arbitrary<Json> // as: a record of Json values
}

const text = mostly('a', '^a', 'a*', '10.0.0.0/8', '{{event.a}}')
const duration = mostly('10s', '250ms', '1.5h', '10', 's', '9999d')
const members = mostly(fc.array(scalar, { minLength: 1, maxLength: 3 }))
const { condition } = fc.letrec<{ test: Json; condition: Json }>((tie) => {
  const test = tie('test')
  const block = tie('condition')
  const blocks = mostly(fc.array(block, { minLength: 1, maxLength: 2 }))
  const names = ['prefix', 'suffix', 'contains', 'glob', 'regex', 'cidr', 'in', 'same_as'] as const
  const map = someOf({
    ...Object.fromEntries(names.map((name) => [name, text])),
    ...Object.fromEntries(['gt', 'gte', 'lt', 'lte'].map((name) => [name, mostly(1, 2.5)])),
    equals: fc.oneof(scalar, members),
    not: test,
    exists: mostly(true, false),
    has_all: members,
    has_only: members,
    len: mostly(2, { gte: 1, lt: 3 }, {}),
    differs_from: text,
    ci: mostly(true),
    search: mostly(true),
    prefx: text,
  })
  // Few keys at once: of many, one is always wrong.
  const few = fc.tuple(map, fc.nat(), fc.nat()).map(([value, a, b]): Json => {
    const entries = Object.entries(isJsonObject(value) ? value : {})
    const at = (i: number) => entries[i % Math.max(1, entries.length)]
    return Object.fromEntries([at(a), at(a % 2 === 0 ? a : b)].filter((one) => one !== undefined))
  })
  return {
    test: fc.oneof({ maxDepth: 3 }, scalar, members, few, few),
    condition: fc.oneof(
      { maxDepth: 3 },
      fc.dictionary(fc.constantFrom('a', 'a.b', '@topic', '@key', '\\any', 'b'), test, {
        maxKeys: 3,
      }) as fc.Arbitrary<Json>,
      someOf({ any: blocks, a: test }),
      someOf({ none: blocks, a: test }),
      someOf({ some: someOf({ path: text, where: block, were: block }) }),
      someOf({ a: test, expr: mostly('event.a == 1'), full_scan: mostly(true) }),
    ),
  }
})
const action = fc.oneof(
  someOf({
    emit: mostly(someOf({ topic: mostly('out'), key: text, value: anyJson, as: mostly('one') })),
  }),
  someOf({
    http: mostly(
      someOf({
        url: mostly('http://a/{{event.a}}'),
        method: mostly('PUT'),
        query: anyJson,
        redirect: mostly('never'),
      }),
    ),
    emit: mostly({ topic: 'out' }),
  }),
)
const doing = mostly(action, fc.array(action, { minLength: 1, maxLength: 2 }))
const test = someOf({
  name: mostly('n'),
  event: anyJson,
  at: duration,
  responses: mostly([{ status: 503 }], [{ error: 'timeout' }], [{ status: 5 }]),
  expect: mostly({ skip: 'no-match' }, { http: { url: 'a' } }, [{ emit: {} }], { retry: {} }),
})
const oneRule = fc
  .record(
    {
      topics: mostly(['t'], ['t.*'], { include: ['t'], exclude: ['u'] }, []),
      do: doing,
      when: condition,
      unless: mostly(fc.array(condition, { minLength: 1, maxLength: 2 }) as fc.Arbitrary<Json>),
      owner: text,
      enabled: mostly(true),
      mode: mostly('shadow'),
      lane: mostly('default'),
      labels: mostly({ a: 'b' }),
      timeout: duration,
      concurrency: mostly(
        3,
        { limit: 3 },
        { limit: 3, scope: 'process' },
        { limit: 3, per_key: 1 },
        { limit: 3, per_key: 4 },
      ),
      order: mostly('none', 'key'),
      dedup: mostly(
        { window: '5s' },
        { window: '5s', keep: 'last', max_wait: '1m' },
        { version: '{{event.n}}', on_outage: 'wait' },
        { keep: 'first' },
        { key: '{{now}}', window: '1h' },
      ),
      retry: mostly(
        { attempts: 3, on: [503, '5xx'] },
        { backoff: { first: '1s' } },
        { on: ['6xx'] },
      ),
      sample: mostly({ rate: 0.5 }),
      rate: mostly('200/s', '200/x', { limit: 1, per: '1s' }),
      tests: mostly(fc.array(test, { maxLength: 2 }) as fc.Arbitrary<Json>),
      cases: mostly(
        fc.array(someOf({ when: condition, do: doing }), {
          minLength: 1,
          maxLength: 2,
        }) as fc.Arbitrary<Json>,
      ),
      extends: mostly('base'),
      abstract: mostly(true),
      whem: scalar,
    },
    { requiredKeys: [] },
  )
  .chain((rule) => {
    const keys = Object.keys(rule)
    return fc
      .subarray(
        keys.filter((key) => key !== 'topics' && key !== 'do'),
        { maxLength: 4 },
      )
      .map((kept) =>
        Object.fromEntries(
          Object.entries(rule).filter(
            ([key]) => kept.includes(key) || key === 'topics' || key === 'do',
          ),
        ),
      )
  }) as fc.Arbitrary<Json>

describe('the JSON Schema beside the loader', function () {
  this.timeout(60_000) // a few seconds on a machine that has nothing else to do
  it('refuses nothing that loads, and leaves to it only what is no matter of shape', async () => {
    const seen = { taken: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(oneRule, async (given) => {
        const base = { abstract: true, topics: ['t'], do: { emit: { topic: 'out' } } }
        // A key may be inherited, so that the schema cannot ask for it where it is needed.
        const defaults = { key: '{{event.id}}' }
        const file = { defaults, rules: { base, r: given } }
        const { problems } = await loadText(JSON.stringify(file))
        const errors = problems.filter(({ severity }) => severity === 'error')
        if (validate(file)) {
          seen.taken++
          const shapes = errors.filter(
            ({ code }) => !(semantic as readonly string[]).includes(code),
          ) // as: only to ask
          expect(shapes.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([])
        } else {
          seen.refused++
          expect(errors, JSON.stringify(validate.errors)).to.not.deep.equal([])
        }
      }),
      { numRuns: 1_500 },
    )
    expect(seen.taken).to.be.greaterThan(90)
    expect(seen.refused).to.be.greaterThan(150)
  })
})
