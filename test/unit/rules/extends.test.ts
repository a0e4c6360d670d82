import { expect } from 'chai'
import type { Rule } from '../../../src/rules/rule.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf } from '../../support/load-text.ts'
import { itTellsWhere, type ToldWhere } from '../../support/told-where.ts'

async function ruleOf(texts: string | readonly string[], name: string): Promise<Rule> {
  const { ruleSet, problems } = await loadText(texts)
  expect(problems).to.deep.equal([])
  const rule = ruleSet?.byName(name)
  if (rule === undefined) throw new Error(`there is no rule ${name}`)
  return rule
}

const base = `
rules:
  base:
    abstract: true
    description: what they share
    owner: base-team
    topics: [edits]
    timeout: 3s
    when: { kind: edit }
    retry: { attempts: 3 }
    do: { emit: { topic: out } }
`

function fires(rule: Rule, body: Record<string, string | number>): boolean {
  return rule.fire(anEvent(body)) !== null
}

describe('extends', () => {
  it('takes over what a rule does not say, from a rule of any file', async () => {
    const rule = await ruleOf([`rules: { child: { extends: base, timeout: 5s } }`, base], 'child')
    expect(rule).to.deep.include({
      owner: 'base-team',
      timeoutMs: 5_000,
      description: null,
      file: 'rules/a.yaml',
      line: 1,
    })
    expect(rule.retry.attemptsMax).to.equal(3)
    expect(rule.topics.names).to.deep.equal(['edits'])
    expect([fires(rule, { kind: 'edit' }), fires(rule, { kind: 'move' })]).to.deep.equal([
      true,
      false,
    ])
  })

  it('replaces a key whole', async () => {
    const child = 'child: { extends: base, when: { wiki: a }, retry: { max_age: 1h } }'
    const rule = await ruleOf([`rules: { ${child} }`, base], 'child')
    expect(fires(rule, { wiki: 'a' })).to.equal(true)
    expect(rule.retry).to.include({ attemptsMax: 5, ageMaxMs: 3_600_000 })
  })

  it('prefers its own key, then the nearest base, then the defaults of its own file', async () => {
    const texts = [
      'defaults: { owner: mine, timeout: 9s, labels: { from: mine }, lane: slow }\n' +
        'rules: { child: { extends: middle, topics: [x] } }',
      'defaults: { owner: theirs, lane: default, concurrency: 7 }\n' +
        'rules: { middle: { extends: base, abstract: true, timeout: 4s } }',
      base,
    ]
    expect(await ruleOf(texts, 'child')).to.deep.include({
      owner: 'base-team', // of base, further away than the defaults of the file in between
      timeoutMs: 4_000, // of middle, before base and before the defaults
      labels: { from: 'mine' }, // of nobody but the defaults
      lane: 'slow',
      concurrency: 30, // the defaults of the file of a base are not inherited
    })
  })

  it('may extend a rule that runs itself, whose tests and description stay its own', async () => {
    const text =
      'rules:\n  one: { description: d, topics: [t], when: { a: 1 }, do: { emit: { topic: x } },\n' +
      '         tests: [{ name: n, event: { a: 1 }, expect: { emit: {} } }] }\n' +
      '  two: { extends: one, when: { a: 2 } }\n'
    const { ruleSet, rules, tests, problems } = await loadText(text)
    expect(problems).to.deep.equal([])
    expect(rules).to.equal(2)
    expect(tests.map(({ rule }) => rule)).to.deep.equal(['one'])
    expect(ruleSet?.byName('two')?.description).to.equal(null)
  })

  it('leaves an abstract rule out of the set, and out of the count', async () => {
    const { ruleSet, rules } = await loadText(base)
    expect(ruleSet?.rules).to.deep.equal([])
    expect(rules).to.equal(0)
  })

  it('reads a list in the file in which the condition is written', async () => {
    const texts = [
      'lists: { wikis: [a], titles: [x] }\nrules: { child: { extends: base, unless: [{ title: { in: titles } }, { other: { in: wikis } }] } }',
      'lists: { wikis: [b] }\nrules: { base: { abstract: true, topics: [t], when: { wiki: { in: wikis } }, do: { emit: { topic: o } } } }',
    ]
    const rule = await ruleOf(texts, 'child')
    expect(fires(rule, { wiki: 'b', title: 'y' })).to.equal(true)
    expect(fires(rule, { wiki: 'a', title: 'y' })).to.equal(false)
    expect(fires(rule, { wiki: 'b', title: 'x' })).to.equal(false)
  })

  it('does not inherit `do` beside cases of its own, nor cases beside a `do`', async () => {
    const cases = 'cases: [{ when: { a: 1 }, do: { emit: { topic: c } } }]'
    const own = await ruleOf([`rules: { child: { extends: base, ${cases} } }`, base], 'child')
    expect(own.ways.map(({ steps }) => steps[0]?.action.target)).to.deep.equal(['emit c'])
    const text = `rules: { b: { abstract: true, topics: [t], when: { k: 1 }, ${cases} }, child: { extends: b, do: { emit: { topic: d } } } }`
    const other = await ruleOf(text, 'child')
    expect(other.ways.map(({ steps }) => steps[0]?.action.target)).to.deep.equal(['emit d'])
  })

  it('may be what for_each fills in', async () => {
    const text =
      'rules: { one: { abstract: true, topics: [a], when: { a: 1 } }, two: { abstract: true, topics: [b], when: { a: 1 } }, ' +
      '"r-{{each.of}}": { for_each: [{ of: one }, { of: two }], extends: "{{each.of}}", do: { emit: { topic: x } } } }'
    expect((await ruleOf(text, 'r-one')).topics.names).to.deep.equal(['a'])
    expect((await ruleOf(text, 'r-two')).topics.names).to.deep.equal(['b'])
  })

  it('lets a base read the groups of a regex that only the rule has', async () => {
    const http = 'do: { http: { url: "http://a/{{match.title}}" } }'
    const child = 'child: { extends: b, when: { k: 1, t: { regex: "^T:(?<title>.+)$" } } }'
    await ruleOf(`rules: { b: { abstract: true, topics: [x], ${http} }, ${child} }`, 'child')
    const wrong = 'child: { extends: b, when: { t: { regex: "^T:(?<titel>.+)$" } } }'
    const text = `rules: { b: { abstract: true, topics: [x], ${http} }, ${wrong} }`
    const { problems } = await loadText(text)
    expect(placesOf(problems)).to.deep.equal(['1:63 template-path'])
  })

  it('changes the version of a rule with what it inherits', async () => {
    const child = 'rules: { child: { extends: base } }'
    const before = await ruleOf([child, base], 'child')
    const after = await ruleOf([child, base.replace('3s', '4s')], 'child')
    expect(after.version).not.to.equal(before.version)
  })
})

describe('a mistake with extends', () => {
  const ok = 'topics: [t], when: { a: 1 }, do: { emit: { topic: x } }'
  const cases: readonly ToldWhere[] = [
    [
      'a rule that is not there',
      `rules: { purge-page: { ${ok} }, b: { extends: purge-pag, when: { a: 2 } } }`,
      ['1:97 unknown-rule'],
      'there is no rule `purge-pag` to extend',
    ],
    ['a name that is none', `rules: { b: { extends: 3, ${ok} } }`, ['1:24 wrong-type']],
    [
      'itself',
      `rules: { b: { extends: b, ${ok} } }`,
      ['1:24 bad-value'],
      'a rule extends itself: `b` extends `b`',
    ],
    [
      'a circle, told once, and not by who leads into it',
      `rules: { a: { extends: b }, b: { extends: c }, c: { extends: b }, d: { extends: c } }`,
      ['1:43 bad-value'],
      'a rule extends itself: `b` extends `c` extends `b`',
    ],
    [
      'a rule that for_each makes',
      `rules: { "r-{{each.n}}": { for_each: [{ n: 1 }], ${ok} }, b: { extends: r-1 } }`,
      ['1:123 bad-value'],
      '`r-1` is made by `for_each`, and such a rule cannot be extended',
    ],
    [
      'a rule with for_each by the name that is written',
      `rules: { "r-{{each.n}}": { for_each: [{ n: 1 }], ${ok} }, b: { extends: "r-{{each.n}}" } }`,
      ['1:123 template-path'],
    ],
    [
      'tests of an abstract rule',
      'rules: { b: { abstract: true, tests: [{ name: a, event: {}, expect: { skip: no-match } }] } }',
      ['1:31 bad-value'],
      'the tests of an abstract rule would never be run',
    ],
    [
      'what an abstract rule holds, also if nobody extends it',
      'rules: { b: { abstract: true, when: { a: { prefx: 1 } }, do: { emit: { topic: "a b" } }, lane: no, topics: ["a b"] } }',
      ['1:44 unknown-operator', '1:79 action-topic', '1:96 unknown-lane', '1:109 bad-topic'],
    ],
    [
      'what nobody says',
      `rules: { b: { abstract: true }, c: { extends: b } }`,
      ['1:33 missing-key', '1:33 missing-key'],
    ],
  ]
  itTellsWhere(cases)

  it('is told once, at the base, however many rules extend it', async () => {
    const children = ['a', 'b', 'c'].map((name) => `${name}: { extends: base }`).join(', ')
    const wrong = base.replace('kind: edit', 'kind: { sufix: t }').replace('3s', '3')
    const { problems } = await loadText([`rules: { ${children} }`, wrong])
    expect(problems.map(({ file }) => file)).to.deep.equal(['rules/b.yaml', 'rules/b.yaml'])
    expect(placesOf(problems)).to.deep.equal(['8:14 wrong-type', '9:21 unknown-operator'])
  })

  it('is told once, in the defaults, however many rules take them over', async () => {
    const rules = ['a', 'b'].map((name) => `${name}: { ${ok.replace('[t]', `[${name}]`)} }`)
    const text = `defaults: { timeout: 3, key: "{{title}}" }\nrules: { ${rules.join(', ')} }`
    const { problems } = await loadText(text)
    expect(placesOf(problems)).to.deep.equal(['1:22 wrong-type'])
    const later = (await loadText(text.replace('timeout: 3,', 'timeout: 3s,'))).problems
    expect(placesOf(later)).to.deep.equal(['1:31 template-path'])
  })

  it('does not speak of a rule that could not be read as one that is not there', async () => {
    const { problems } = await loadText(
      `rules: { base: { topics: ["{{each.x}}"], do: { emit: { topic: o } } }, b: { extends: base, when: { a: 1 } } }`,
    )
    expect(placesOf(problems)).to.deep.equal(['1:27 template-path'])
  })
})
