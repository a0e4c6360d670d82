import { expect } from 'chai'
import type { LoadedRules } from '../../../src/rules/load-rules.ts'
import type { Rule } from '../../../src/rules/rule.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf } from '../../support/load-text.ts'
import { itTellsWhere, type ToldWhere } from '../../support/told-where.ts'

/** A rule of two entries; `lines` come below its `for_each`. */
function twoRules(lines: string, name = 'purge-{{each.wiki}}'): string {
  const body = lines.replace(/^/gm, '    ')
  return `rules:\n  "${name}":\n    for_each: [{ wiki: enwiki, n: 1 }, { wiki: dewiki, n: 2 }]\n${body}\n`
}

const rest = 'topics: [edits]\ndo: { emit: { topic: out } }'

async function rulesOf(text: string): Promise<readonly Rule[]> {
  const { ruleSet, problems } = await loadText(text)
  expect(problems).to.deep.equal([])
  return ruleSet?.rules ?? []
}

function fires(rule: Rule | undefined, body: object): boolean {
  const json = JSON.parse(JSON.stringify(body)) as never // as: plain JSON of a test
  return (rule?.fire(anEvent(json)) ?? null) !== null
}

describe('for_each', () => {
  it('makes one rule for each entry, filled in wherever a text stands', async () => {
    const [en, de, ...more] = await rulesOf(
      twoRules(
        'description: of {{each.wiki}}, number {{ each.n }}\n' +
          'topics: ["{{each.wiki}}.edits"]\n' +
          'labels: { wiki: "{{each.wiki}}" }\n' +
          'when: { wiki: "{{each.wiki}}", "field_{{each.n}}": { prefix: "{{each.wiki}}-" } }\n' +
          'do: { http: { url: "http://cdn/{{each.wiki}}/{{event.title}}" } }',
      ),
    )
    expect(more).to.deep.equal([])
    expect([en?.name, de?.name]).to.deep.equal(['purge-enwiki', 'purge-dewiki'])
    expect(de).to.deep.include({
      description: 'of dewiki, number 2',
      labels: { wiki: 'dewiki' },
      file: 'rules/a.yaml',
      line: 2,
    })
    expect(de?.topics.names).to.deep.equal(['dewiki.edits'])
    expect(de?.ways[0]?.steps[0]?.action.target).to.equal('GET http://cdn/dewiki/{{event.title}}')
    expect(fires(de, { wiki: 'dewiki', field_2: 'dewiki-x' })).to.equal(true)
    expect(fires(de, { wiki: 'dewiki', field_1: 'dewiki-x' })).to.equal(false)
    expect(fires(en, { wiki: 'dewiki', field_2: 'dewiki-x' })).to.equal(false)
    expect(en?.version).not.to.equal(de?.version)
  })

  it('leaves a brace behind a tag where it is, also that of a tag around it', async () => {
    const [en] = await rulesOf(
      twoRules(
        'description: \'{"n":{{each.n}}}\'\ntopics: [edits]\nwhen: { n: "{{each.n}}" }\n' +
          'do: { http: { url: "http://cdn/{{event.{{each.wiki}}}}" } }',
      ),
    )
    expect(en?.description).to.equal('{"n":1}')
    expect(en?.ways[0]?.steps[0]?.action.target).to.equal('GET http://cdn/{{event.enwiki}}')
  })

  it('keeps the type of a value that is exactly one tag', async () => {
    const each = '[{ name: a, n: 7, on: true, all: [x, 3], map: { gte: 5 }, none: null }]'
    const [rule] = await rulesOf(
      `rules:\n  "r-{{each.name}}":\n    for_each: ${each}\n    topics: [edits]\n` +
        '    concurrency: "{{each.n}}"\n    enabled: "{{each.on}}"\n' +
        '    when: { size: "{{each.map}}", kind: "{{each.all}}", gone: "{{each.none}}" }\n' +
        '    do: { emit: { topic: out } }\n',
    )
    expect(rule).to.deep.include({ concurrency: 7, enabled: true })
    expect(fires(rule, { size: 5, kind: 3, gone: null })).to.equal(true)
    expect(fires(rule, { size: 5, kind: '3', gone: null })).to.equal(false)
    expect(fires(rule, { size: 4, kind: 3, gone: null })).to.equal(false)
  })

  it('reads below a map, and lets a value hold tags of its own', async () => {
    const [rule] = await rulesOf(
      'rules:\n  "r-{{each.of.name}}":\n' +
        '    for_each: [{ of: { name: old, tag: "{{event.old.title}}" } }]\n' +
        '    topics: [edits]\n    when: { a: 1 }\n' +
        '    do: { http: { url: "http://cdn/{{each.of.tag}}" } }\n',
    )
    expect(rule?.name).to.equal('r-old')
    expect(rule?.ways[0]?.steps[0]?.action.target).to.equal('GET http://cdn/{{event.old.title}}')
  })

  it('fills in the cases beside the rule', async () => {
    const { tests } = await loadText(
      twoRules(
        `${rest}\nwhen: { wiki: "{{each.wiki}}" }\n` +
          'tests: [{ name: "{{each.wiki}}", event: { wiki: "{{each.wiki}}" }, expect: { emit: {} } }]',
      ),
    )
    expect(tests.map(({ rule, name, line }) => [rule, name, line])).to.deep.equal([
      ['purge-enwiki', 'enwiki', 7],
      ['purge-dewiki', 'dewiki', 7],
    ])
    expect(tests[1]?.events[0]?.body).to.deep.equal({ wiki: 'dewiki' })
  })

  it('is made of as many rules as it has entries, which are counted', async () => {
    const each = Array.from({ length: 1_000 }, (_, n) => `{ n: ${n} }`).join(', ')
    const text = `rules: { "r-{{each.n}}": { for_each: [${each}], topics: [a], when: { n: "{{each.n}}" }, do: { emit: { topic: b } } } }`
    const { rules, ruleSet } = await loadText(text)
    expect([rules, ruleSet?.rules.length]).to.deep.equal([1_000, 1_000])
    expect(fires(ruleSet?.byName('r-999'), { n: 999 })).to.equal(true)
  })
})

describe('a mistake in for_each', () => {
  const cases: readonly ToldWhere[] = [
    ['no entry', `rules: { a: { for_each: [], topics: [x], do: {} } }`, ['1:25 bad-value']],
    ['entries that are texts', `rules: { a: { for_each: [en] } }`, ['1:26 wrong-type']],
    [
      'too many entries',
      `rules: { a: { for_each: [${Array(10_001).fill('{a: 1}').join(',')}] } }`,
      ['1:25 bad-value'],
    ],
    [
      'a name that no entry has',
      twoRules(`${rest}\nwhen: { wiki: "{{each.wki}}" }`),
      ['6:19 template-path'],
      '{{each.wki}}: there is no `wki` in this entry of `for_each`',
    ],
    [
      'a name that one entry lacks',
      'rules: { "r-{{each.a}}": { for_each: [{ a: 1, b: x }, { a: 2 }], topics: ["{{each.b}}"], when: { a: 1 }, do: { emit: { topic: c } } } }',
      ['1:75 template-path'],
      '{{each.b}}: there is no `b` in this entry of `for_each` (for a=2)',
    ],
    [
      'a list within a text',
      'rules: { "r-{{each.a}}": { for_each: [{ a: [1] }] } }',
      ['1:10 bad-value'],
      '{{each.a}} is a list and stands in a text',
    ],
    [
      'a pipe',
      twoRules(`${rest}\nwhen: { wiki: "{{each.wiki | upper}}" }`),
      ['6:19 template-syntax'],
      '{{each.wiki | upper}}: pipes are not filled in at load',
    ],
    [
      'a section, told once',
      twoRules(`${rest}\nwhen: { wiki: "{{#each.wiki}}a{{/each.wiki}}" }`),
      ['6:19 template-syntax'],
      '{{#each.wiki}}: a section is not filled in at load',
    ],
    ['each itself', twoRules(`${rest}\nwhen: { wiki: "{{each}}" }`), ['6:19 template-syntax']],
    [
      'three braces',
      twoRules(`${rest}\nwhen: { wiki: "{{{each.wiki}}}" }`),
      ['6:19 template-syntax'],
    ],
    [
      'one name for two rules',
      twoRules(`${rest}\nwhen: { wiki: "{{each.wiki}}" }`, 'purge'),
      ['2:3 duplicate-rule'],
      'two entries of `for_each` make a rule `purge`: wiki=enwiki n=1 and wiki=dewiki n=2',
    ],
    [
      'a name that cannot be one',
      'rules: { "r-{{each.a}}": { for_each: [{ a: Ä }], topics: [a], do: { emit: { topic: c } } } }',
      ['1:10 bad-name'],
      '`r-Ä` cannot be the name of a rule',
    ],
    [
      'two keys that become one',
      twoRules(`${rest}\nwhen: { "a{{each.n}}": 1, "a{{ each.n }}": 2 }`),
      ['6:31 duplicate-key'],
    ],
    [
      'a tag without for_each',
      'rules: { a: { topics: ["{{each.x}}"], when: { "{{each.y}}": 1 }, do: { emit: { topic: c } } } }',
      ['1:24 template-path', '1:47 template-path'],
      '`each` has nothing to stand for: the rule has no `for_each`',
    ],
    ['abstract beside it', twoRules(`${rest}\nabstract: true`), ['6:5 bad-value']],
    [
      'what the base has wrong, told once',
      'rules:\n  base: { abstract: true, topics: [x], timeout: 10, do: { emit: { topic: o } } }\n' +
        '  "r-{{each.a}}": { extends: base, for_each: [{ a: 1 }, { a: 2 }], when: { n: "{{each.a}}" } }\n',
      ['2:49 wrong-type'],
    ],
    [
      'abstract beside it, told once: a rule on it is not wrong as well',
      twoRules(`${rest}\nabstract: true\n`, 'base') + '  a: { extends: base, when: { a: 1 } }\n',
      ['6:5 bad-value'],
    ],
  ]
  itTellsWhere(cases)

  it('suggests the name that was meant', async () => {
    const { problems } = await loadText(twoRules(`${rest}\nwhen: { wiki: "{{each.wki}}" }`))
    expect(problems[0]?.hint).to.equal('did you mean `wiki`?')
  })
})

describe('a mistake in a rule that for_each makes', () => {
  const load = (lines: string): Promise<LoadedRules> => loadText(twoRules(`${rest}\n${lines}`))

  it('is told once where it is the same in all of them', async () => {
    const { problems } = await load('when: { wiki: { prefx: "{{each.wiki}}" } }\nownr: me')
    expect(placesOf(problems)).to.deep.equal(['6:21 unknown-operator', '7:5 unknown-key'])
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'there is no test `prefx`',
      'unknown key `ownr`',
    ])
  })

  it('is told once, and for which entry, where its words depend on the entry', async () => {
    const { problems } = await load('when: { a: 1 }\nlane: "{{each.wiki}}"')
    expect(placesOf(problems)).to.deep.equal(['7:11 unknown-lane'])
    expect(problems[0]?.message).to.equal(
      'there is no lane `enwiki` in the config (for wiki=enwiki n=1 and one more)',
    )
  })

  it('is told for the one entry that has it', async () => {
    const { problems } = await load('when: { a: 1 }\nconcurrency: "{{each.wiki}}"')
    expect(problems[0]?.message).to.include('expected a whole number')
    const text =
      'rules: { "r-{{each.n}}": { for_each: [{ n: 1 }, { n: 0 }], topics: [a], when: { n: "{{each.n}}" }, concurrency: "{{each.n}}", do: { emit: { topic: b } } } }'
    const one = (await loadText(text)).problems
    expect(placesOf(one)).to.deep.equal(['1:113 bad-value'])
    expect(one[0]?.message).to.match(/ \(for n=0\)$/)
  })

  it('is told in a key that was filled in', async () => {
    const { problems } = await load('when: { "a{{each.n}}": { prefix: 1 } }')
    expect(placesOf(problems)).to.deep.equal(['6:38 wrong-type'])
  })

  it('is told once where it is a warning', async () => {
    const { problems } = await load('owner: me')
    expect(
      placesOf(problems).filter((place) => place.includes('matches-everything')),
    ).to.have.length(1)
  })
})

describe('a long for_each', () => {
  it('lets the process go on between its entries', async () => {
    let breaths = 0
    const entries = Array.from({ length: 500 }, (_, i) => `{ n: ${i} }`).join(', ')
    const text = `rules: { "r-{{each.n}}": { for_each: [${entries}], topics: [a], when: { n: "{{each.m}}" } } }`
    const { rules } = await loadText(text, { breathe: () => Promise.resolve(void breaths++) })
    expect(rules).to.equal(500)
    expect(breaths).to.be.at.least(1_000) // when each is made, and when it is compiled
  })
})

describe('a wrong tag of for_each', () => {
  const told = async (text: string): Promise<readonly string[]> =>
    placesOf((await loadText(text)).problems)

  it('hides nothing that is wrong beside it', async () => {
    const lines =
      'topics: ["{{each.wikki}}"]\nwhen: { n: { prefx: a } }\ndo: { emit: { topic: out, valu: 1 } }'
    expect(await told(twoRules(lines))).to.deep.equal([
      ...['4:14 template-path', '5:18 unknown-operator', '6:31 unknown-key'],
    ])
  })

  const standIns = [
    ['when: { n: { gt: "{{each.x}}" } }', '4:22 template-path'],
    ['when: { n: { in: "{{each.x}}" } }', '4:22 template-path'],
    ['when: { n: [1, "{{each.x}}"] }', '4:20 template-path'],
    ['when: { "{{each.x}}.a": 1 }', '4:13 template-path'],
    ['when: { n: 1 }\nextends: "{{each.x}}"', '5:14 template-path'],
    ['when: { n: 1 }\ntimeout: "{{each.x}}s"', '5:14 template-path'],
    ['when: { n: 1 }\nlabels: "{{each.x}}"', '5:13 template-path'],
  ] as const
  for (const [lines, place] of standIns) {
    it(`is not told a second time by what it leaves: ${JSON.stringify(lines)}`, async () => {
      expect(await told(twoRules(`${lines}\n${rest}`))).to.deep.equal([place])
    })
  }

  it('without a for_each hides nothing either', async () => {
    const rule = 'when: { n: { prefx: "{{each.x}}" } }, do: { emit: { topic: "{{each.x}}" } }'
    expect(await told(`rules: { a: { topics: [t], ${rule} } }`)).to.deep.equal([
      ...['1:41 unknown-operator', '1:48 template-path', '1:87 template-path'],
    ])
  })

  it('leaves a rule that no other depends on, and whose tests are not run', async () => {
    const lines = `when: { n: "{{each.x}}" }\n${rest}\ntests: [{ name: t, event: {}, expect: { skip: no-match } }]`
    const { sound, tests, rules, ruleSet } = await loadText(twoRules(lines))
    expect({ sound, tests, rules, ruleSet }).to.deep.equal({
      ...{ sound: [], tests: [], rules: 2, ruleSet: null },
    })
  })
})
