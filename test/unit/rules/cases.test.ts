import { expect } from 'chai'
import type { Rule } from '../../../src/rules/rule.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf } from '../../support/load-text.ts'
import { aScope } from '../../support/template-fixture.ts'

/** A rule on `edits`; `lines` are its keys. */
function ruleWith(lines: string): string {
  return `rules:\n  purge:\n    topics: [edits]\n${lines.replace(/^/gm, '    ')}\n`
}

async function ruleOf(lines: string): Promise<Rule> {
  const { ruleSet, problems } = await loadText(ruleWith(lines))
  expect(problems).to.deep.equal([])
  const [rule] = ruleSet?.rules ?? []
  if (rule === undefined) throw new Error('there is no rule')
  return rule
}

const emit = 'do: { emit: { topic: out } }'

describe('cases', () => {
  const lines =
    'when: { kind: edit }\n' +
    'cases:\n' +
    '  - { when: { size: { gt: 100 } }, do: { emit: { topic: big } } }\n' +
    '  - { when: { wiki: a }, unless: [{ bot: true }], do: { emit: { topic: small } }, sample: { rate: 0.5 } }\n' +
    '  - { do: [{ emit: { topic: rest } }, { emit: { topic: more } }] }'

  it('are tried in order after the match of the rule; the first that holds is taken', async () => {
    const rule = await ruleOf(lines)
    const wayOf = (body: Record<string, string | number | boolean>): number | undefined =>
      rule.fire(anEvent(body))?.way
    expect(wayOf({ kind: 'edit', size: 101, wiki: 'a' })).to.equal(0)
    expect(wayOf({ kind: 'edit', size: 1, wiki: 'a' })).to.equal(1)
    expect(wayOf({ kind: 'edit', size: 1, wiki: 'a', bot: true })).to.equal(2)
    expect(wayOf({ kind: 'move', size: 101 })).to.equal(undefined)
  })

  it('each have steps and a sample of their own; what says none has that of the rule', async () => {
    const rule = await ruleOf(`${lines}\nsample: { rate: 0.25, key: "{{event.id}}" }`)
    expect(
      rule.ways.map(({ steps, sample }) => [
        steps.map(({ action }) => action.target).join(),
        sample?.rate,
        sample?.key?.(aScope({ id: 7 })),
      ]),
    ).to.deep.equal([
      ['emit big', 0.25, '7'],
      ['emit small', 0.5, undefined],
      ['emit rest,emit more', 0.25, '7'],
    ])
  })

  it('capture what the regexes of the rule and their own saw', async () => {
    const rule = await ruleOf(
      'when: { title: { regex: "^(?<space>[^:]+):" } }\ncases:\n' +
        '  - { when: { wiki: { regex: "^(?<lang>.+)wiki$" } }, do: { emit: { topic: out, key: "{{match.lang}}-{{match.space}}" } } }\n' +
        '  - { do: { emit: { topic: out, key: "{{match.space}}" } } }',
    )
    const event = anEvent({ title: 'Talk:A', wiki: 'enwiki' })
    expect({ ...rule.ways[0]?.captures(event) }).to.deep.equal({ space: 'Talk', lang: 'en' })
    expect({ ...rule.ways[1]?.captures(event) }).to.deep.equal({ space: 'Talk' })
  })

  const mistakes: readonly (readonly [about: string, lines: string, places: readonly string[]])[] =
    [
      ['none', 'when: { a: 1 }\ncases: []', ['5:12 bad-value']],
      ['a map', 'when: { a: 1 }\ncases: {}', ['5:12 wrong-type']],
      ['a case that is a text', 'when: { a: 1 }\ncases: [x]', ['5:13 wrong-type']],
      ['do beside them', `when: { a: 1 }\n${emit}\ncases: [{ ${emit} }]`, ['5:5 bad-value']],
      ['a case without do', 'cases: [{ when: { a: 1 } }]', ['4:13 missing-key']],
      [
        'an open case before another',
        `cases: [{ ${emit} }, { when: { a: 1 }, ${emit} }]`,
        ['4:13 impossible'],
      ],
      ['a misspelt key', `cases: [{ wen: { a: 1 }, ${emit} }]`, ['4:15 unknown-key']],
      [
        'a mistake in a condition',
        `cases: [{ when: { a: { prefx: 1 } }, ${emit} }]`,
        ['4:28 unknown-operator'],
      ],
      [
        'a mistake in an action',
        'cases: [{ when: { a: 1 }, do: { emit: { topc: x } } }]',
        ['4:45 unknown-key'],
      ],
      [
        'a group that only another case has',
        'cases: [{ when: { a: { regex: "^(?<x>.)" } }, do: { emit: { topic: o, key: "{{match.x}}" } } }, { do: { emit: { topic: o, key: "{{match.x}}" } } }]',
        ['4:132 template-path'],
      ],
      [
        'a group with a mistake in its regex, told once',
        'cases: [{ when: { a: { regex: "(?<x>." } }, do: { emit: { topic: o, key: "{{match.x}}" } } }]',
        ['4:35 bad-test'],
      ],
      [
        'one name for two groups',
        `when: { a: { regex: "^(?<x>.)" } }\ncases: [{ when: { b: { regex: "^(?<x>.)" } }, ${emit} }]`,
        ['5:26 bad-test'],
      ],
    ]
  for (const [about, text, places] of mistakes) {
    it(`are refused where the mistake is: ${about}`, async () => {
      const { ruleSet, problems } = await loadText(ruleWith(text))
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(placesOf(errors)).to.deep.equal(places)
      expect(ruleSet).to.equal(null)
    })
  }
})

describe('what a rule says of its tasks', () => {
  it('is a key, ages, a mode and a sample', async () => {
    const rule = await ruleOf(
      `when: { t: { regex: "^(?<space>[^:]+):" } }\nkey: "{{event.wiki}}:{{match.space}}"\n` +
        `max_age: 1h\nmax_root_age: 7d\nmode: shadow\nsample: { rate: 1, key: "{{event.wiki}}" }\n${emit}`,
    )
    expect(rule).to.include({ maxAgeMs: 3_600_000, maxRootAgeMs: 604_800_000, mode: 'shadow' })
    const scope = aScope({ wiki: 'enwiki' }, {}, { match: { space: 'Talk' } })
    expect(rule.key?.(scope)).to.equal('enwiki:Talk')
    expect(rule.ways[0]?.sample?.key?.(scope)).to.equal('enwiki')
  })

  it('is any age, every event and no key where it says nothing', async () => {
    const rule = await ruleOf(`when: { a: 1 }\n${emit}`)
    expect(rule).to.include({ maxAgeMs: null, maxRootAgeMs: null, mode: 'live', key: null })
    expect(rule.ways).to.have.length(1)
    expect(rule.ways[0]).to.include({ condition: null, sample: null })
  })

  const mistakes: readonly (readonly [lines: string, place: string])[] = [
    ['key: "{{title}}"', '6:10 template-path'],
    ['key: "{{match.x}}"', '6:10 template-path'],
    ['key: "{{steps.x}}"', '6:10 template-path'],
    ['key: "{{item}}"', '6:10 template-path'],
    ['key: ""', '6:10 bad-value'],
    ['max_age: 3', '6:14 wrong-type'],
    ['max_root_age: soon', '6:19 bad-duration'],
    ['mode: dark', '6:11 bad-value'],
    ['sample: 0.1', '6:13 wrong-type'],
    ['sample: { rate: 2 }', '6:21 bad-value'],
    ['sample: { rate: -0.1 }', '6:21 bad-value'],
    ['sample: { key: "{{event.id}}" }', '6:5 missing-key'],
    ['sample: { rate: 0.1, key: "{{event.id | uper}}" }', '6:31 template-pipe'],
  ]
  for (const [lines, place] of mistakes) {
    it(`is refused where the mistake is: ${lines}`, async () => {
      const { problems } = await loadText(ruleWith(`when: { a: 1 }\n${emit}\n${lines}`))
      expect(placesOf(problems)).to.deep.equal([place])
    })
  }
})

describe('the steps of a rule', () => {
  it('keep their results under names, and run for each element', async () => {
    const rule = await ruleOf(
      'when: { a: 1 }\ndo:\n' +
        '  - http: { url: "http://a/", as: first }\n' +
        '  - emit: { topic: out, each: "{{steps.first.body.items}}", key: "{{item.id}}", as: second }\n' +
        '  - emit: { topic: out, value: { all: "{{steps.second}}", one: "{{steps.first.status}}" } }',
    )
    const steps = rule.ways[0]?.steps ?? []
    expect(steps.map(({ as, each }) => [as, each !== null])).to.deep.equal([
      ['first', false],
      ['second', true],
      [null, false],
    ])
    const scope = aScope({}, {}, { steps: { first: { body: { items: [{ id: 1 }, { id: 2 }] } } } })
    expect(steps[1]?.each?.(scope)).to.deep.equal([{ id: 1 }, { id: 2 }])
  })

  const mistakes: readonly (readonly [
    about: string,
    actions: string,
    place: string,
    hint?: string,
  ])[] = [
    [
      'a later name',
      '[{ emit: { topic: a, key: "{{steps.x.status}}" } }, { http: { url: "http://a/", as: x } }]',
      '5:35 template-path',
    ],
    [
      'its own name',
      '[{ http: { url: "http://a/{{steps.x.status}}", as: x } }]',
      '5:25 template-path',
    ],
    [
      'a misspelt name',
      '[{ http: { url: "http://a/", as: score } }, { emit: { topic: a, key: "{{steps.scroe.status}}" } }]',
      '5:78 template-path',
      'did you mean `score`?',
    ],
    [
      'a name used twice',
      '[{ emit: { topic: a, as: x } }, { emit: { topic: b, as: x } }]',
      '5:65 bad-value',
    ],
    ['a name with a dot', '[{ emit: { topic: a, as: x.y } }]', '5:34 bad-value'],
    ['a name that is a number', '[{ emit: { topic: a, as: 1 } }]', '5:34 wrong-type'],
    ['item without each', '[{ emit: { topic: a, key: "{{item}}" } }]', '5:35 template-path'],
    ['each that is a list', '[{ emit: { topic: a, each: [1] } }]', '5:36 wrong-type'],
    ['each that is a text', '[{ emit: { topic: a, each: items } }]', '5:36 template-syntax'],
    [
      'each with text around it',
      '[{ emit: { topic: a, each: "{{event.a}} " } }]',
      '5:36 template-syntax',
    ],
    ['each that reads item', '[{ emit: { topic: a, each: "{{item.a}}" } }]', '5:36 template-path'],
    [
      'each that reads nothing',
      '[{ emit: { topic: a, each: "{{items}}" } }]',
      '5:36 template-path',
    ],
    [
      'as beside the action',
      '[{ emit: { topic: a }, as: x }]',
      '5:32 bad-value',
      'write it inside the action: `emit: { as: .. }`',
    ],
  ]
  for (const [about, actions, place, hint] of mistakes) {
    it(`are refused where the mistake is: ${about}`, async () => {
      const { problems } = await loadText(ruleWith(`when: { a: 1 }\ndo: ${actions}`))
      expect(placesOf(problems)).to.deep.equal([place])
      if (hint !== undefined) expect(problems[0]?.hint).to.equal(hint)
    })
  }

  it('keep the name of a step that has a mistake: what reads it has none', async () => {
    const actions =
      '[{ http: { url: "http://a/{{x}}", as: x } }, { emit: { topic: a, key: "{{steps.x.status}}" } }]'
    const { problems } = await loadText(ruleWith(`when: { a: 1 }\ndo: ${actions}`))
    expect(placesOf(problems)).to.deep.equal(['5:25 template-path'])
  })
})
