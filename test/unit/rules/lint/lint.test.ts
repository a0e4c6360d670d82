import { expect } from 'chai'
import { loadText } from '../../../support/load-text.ts'

/** A rule file, and what is told of it beside what is not asked for here. */
interface Case {
  readonly name: string
  readonly text: string
  readonly places: readonly string[]
}

const ruleOf = (lines: string, name = 'purge', action = 'emit: { topic: out }'): string =>
  `  ${name}:\n    topics: [edits]\n${lines.replace(/^/gm, '    ')}\n    do: { ${action} }\n`

const rules = (...texts: readonly string[]): string => `rules:\n${texts.join('')}`

/** Cases at the lines 5, 6, 7 ... of a file. */
const casesOf = (when: string, ...conditions: readonly string[]): string => {
  const cases = conditions.map(
    (condition) =>
      `      - { ${condition === '' ? '' : `when: ${condition}, `}do: { emit: { topic: out } } }\n`,
  )
  return `rules:\n  purge:\n    topics: [edits]\n    cases:\n${cases.join('')}    when: ${when}\n`
}

const shadowed: readonly Case[] = [
  {
    name: 'a case with more tests than one before it',
    text: casesOf('{ a: 1 }', '{ b: 1 }', '{ b: 1, c: 1 }'),
    places: ['6:9 shadowed-case'],
  },
  {
    name: 'no case with fewer tests',
    text: casesOf('{ a: 1 }', '{ b: 1, c: 1 }', '{ b: 1 }'),
    places: [],
  },
  {
    name: 'a case that the `when` of the rule makes needless',
    text: casesOf('{ a: { prefix: ab } }', '{ a: { prefix: a } }', '{ b: 1 }', ''),
    places: ['6:9 shadowed-case', '7:9 shadowed-case'],
  },
  {
    name: 'no case that another may leave over',
    text: casesOf('{ a: { prefix: a } }', '{ a: { prefix: ab } }', '{ b: 1 }', ''),
    places: [],
  },
  {
    name: 'a range within a range',
    text: casesOf('{ a: 1 }', '{ n: { gt: 0 } }', '{ n: { gte: 1, lt: 9 } }', '{ n: { gte: 0 } }'),
    places: ['6:9 shadowed-case'],
  },
]

const unindexable: readonly Case[] = [
  {
    name: 'a rule that only says what an event is not',
    text: rules(ruleOf('when: { kind: { not: log } }')),
    places: ['2:3 unindexable'],
  },
  {
    name: 'a rule of exceptions',
    text: rules(ruleOf('unless: [{ kind: log }]')),
    places: ['2:3 unindexable'],
  },
  {
    name: 'no rule with one thing that an event is',
    text: rules(ruleOf('when: { kind: { not: log }, wiki: { exists: true } }')),
    places: [],
  },
  {
    name: 'an alternative that asks for nothing',
    text: rules(ruleOf('when: { any: [{ a: 1 }, { b: { not: 2 } }] }')),
    places: ['2:3 unindexable'],
  },
  {
    name: 'no rule whose every case asks for something',
    text: casesOf('{ kind: { not: log } }', '{ a: 1 }', '{ b: 1 }'),
    places: [],
  },
  {
    name: 'no negation of a negation',
    text: rules(ruleOf('when: { none: [{ a: { not: 1 } }] }')),
    places: [],
  },
  {
    name: 'a regex without a text that it needs, and a comparison',
    text: rules(
      ruleOf('when: { a: { regex: "^[A-Z]" } }', 'one'),
      ruleOf('when: { a: { differs_from: b } }', 'two'),
      ruleOf('when: { a: { regex: "^[A-Z]" }, b: 1 }', 'three'),
    ),
    places: ['2:3 unindexable', '6:3 unindexable'],
  },
  {
    name: 'no expression that is meant to see all events',
    text: rules(ruleOf('when: { expr: "event.a > 1.0", full_scan: true }')),
    places: [],
  },
  {
    name: 'a rule without a condition once, as one that matches everything',
    text: rules(ruleOf('owner: me')),
    places: ['2:3 matches-everything'],
  },
]

const prefixes: readonly Case[] = [
  {
    name: 'a regex that is a prefix',
    text: rules(ruleOf('when: { title: { regex: "^User:" } }')),
    places: ['4:13 regex-is-prefix'],
  },
  {
    name: 'one in a case, below `not` and `any`',
    text: casesOf('{ a: 1 }', '{ any: [{ b: { not: { regex: "^a\\\\.b" } } }] }'),
    places: ['5:27 regex-is-prefix'],
  },
  {
    name: 'no regex that asks for more',
    text: rules(ruleOf('when: { title: { regex: "^User:.+" } }')),
    places: [],
  },
]

const listed = (lists: string, lines: string, action?: string): string =>
  `lists: ${lists}\n${rules(ruleOf(lines, 'purge', action))}`

const lists: readonly Case[] = [
  {
    name: 'a list that nothing reads',
    text: listed('{ wikis: [a], others: [b] }', 'when: { wiki: { in: wikis } }'),
    places: ['1:22 unused-list'],
  },
  {
    name: 'no list that a pipe reads',
    text: listed(
      '{ hosts: { a: b } }',
      'when: { a: 1 }',
      'emit: { topic: out, key: "{{event.a | lookup: hosts}}" }',
    ),
    places: [],
  },
  {
    name: 'no list that may be read, where a rule is wrong',
    text: listed('{ wikis: [a] }', 'when: { wiki: { in: wikiz } }'),
    places: ['5:25 unknown-list'],
  },
  {
    name: 'no list, where `for_each` says which',
    text: listed(
      '{ a: [1], b: [2] }',
      'for_each: [{ l: a }, { l: b }]\nwhen: { w: { in: "{{each.l}}" } }',
    ).replace('purge:', '"p-{{each.l}}":'),
    places: [],
  },
]

const tested = (when: string, event: string): string =>
  rules(
    ruleOf(
      `when: ${when}\ntests: [{ name: t, event: ${event}, expect: { emit: { topic: out } } }]`,
    ),
  )

const unseen: readonly Case[] = [
  {
    name: 'a misspelt field below `not`',
    text: tested('{ k: 1, page.namespce: { not: 1 } }', '{ k: 1, page: { namespace: 0 } }'),
    places: ['4:19 unseen-field'],
  },
  {
    name: 'one below `none`',
    text: tested('{ k: 1, none: [{ is_bto: true }] }', '{ k: 1, is_bot: false }'),
    places: ['4:28 unseen-field'],
  },
  {
    name: 'no field that no test has anything like',
    text: tested('{ k: 1, redirect: { not: true } }', '{ k: 1, page: {} }'),
    places: [],
  },
  {
    name: 'no field that is there in one of the events',
    text: tested('{ k: 1, is_bot: { not: true } }', '{ k: 1, is_bot: null, is_bto: 1 }'),
    places: [],
  },
]

const unlikely: readonly Case[] = [
  {
    name: 'a path that begins with `event.`',
    text: tested('{ event.k: 1 }', '{ k: 1 }'),
    places: ['4:13 unlikely-path'],
  },
  {
    name: 'no path of a field that is called `event`',
    text: tested('{ event.k: 1 }', '{ event: { k: 1 } }'),
    places: [],
  },
  {
    name: 'a path into a list, also as what a value is compared with',
    text: tested('{ k: 1, teams.0.id: 2, a: { same_as: teams.1 } }', '{ teams: [{ id: 2 }] }'),
    places: ['4:19 unlikely-path', '4:34 unlikely-path'],
  },
  {
    name: 'no path of a map whose names are numbers',
    text: tested('{ k: 1, count.0: 2 }', '{ k: 1, count: { 0: 2 } }'),
    places: [],
  },
]

const unlikelyHints = [
  ['event.page.id: 1', 'paths of `when` begin at the event: write `page.id`'],
  [
    'some: { path: event.teams, where: { id: 1 } }',
    'paths of `when` begin at the event: write `teams`',
  ],
  [
    'some: { path: teams, where: { event.id: 1 } }',
    'paths of `where` begin at the element: write `id`',
  ],
  ['teams.0.id: 1', 'of a list write `some: { path: teams, where: { id: .. } }`'],
  ['"a.teams[0].id": 1', 'of a list write `some: { path: a.teams, where: { id: .. } }`'],
  ['tags.0: x', 'write `tags`: a test of a list holds where some element satisfies it'],
] as const

describe('the linter tells', () => {
  const all = [...shadowed, ...unindexable, ...prefixes, ...lists, ...unseen, ...unlikely]
  for (const { name, text, places } of all) {
    it(`${name}`, async () => {
      const { problems } = await loadText(text)
      expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).to.deep.equal(
        places,
      )
    })
  }

  for (const [test, hint] of unlikelyHints) {
    it(`what to write for ${test}`, async () => {
      const { problems } = await loadText(rules(ruleOf(`when: { k: 1, ${test} }`)))
      expect(problems.map((problem) => problem.hint)).to.deep.equal([hint])
    })
  }

  it('which case takes the place of which', async () => {
    const text = casesOf('{ a: 1 }', '{ c: 1 }', '{ b: 1 }', '{ b: 1, c: 2 }')
    const { problems, ruleSet } = await loadText(text)
    expect(ruleSet).to.equal(null)
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'case 3 is never taken: whenever it holds, case 2 holds before it',
    ])
  })

  it('the prefix to write', async () => {
    const { problems, ruleSet } = await loadText(
      rules(ruleOf('when: { title: { regex: "^Talk\\\\.\\"" } }')),
    )
    expect(ruleSet).not.to.equal(null)
    expect(problems[0]?.hint).to.equal(
      'write `prefix: "Talk.\\""`, which is quicker and reads better',
    )
  })

  it('which field was probably meant', async () => {
    const text = tested('{ k: 1, a\\.x.b: { not: 1 } }', '{ k: 1, a.x: { c: 0 }, "a.y": { b: 1 } }')
    const { problems } = await loadText(text)
    expect(problems.map(({ hint }) => hint)).to.deep.equal([])
    const slip = tested('{ k: 1, a\\.x.count: { not: 1 } }', '{ k: 1, a.x: { cuont: 0 } }')
    expect((await loadText(slip)).problems.map(({ hint }) => hint)).to.deep.equal([
      'did you mean `a\\.x.cuont`?',
    ])
  })

  it('the same of a rule that is not enabled', async () => {
    const { problems } = await loadText(rules(ruleOf('enabled: false\nwhen: { kind: { not: a } }')))
    expect(problems.map(({ code }) => code)).to.deep.equal(['unindexable'])
  })

  it('not a rule that is the same as one that does nothing', async () => {
    for (const idle of ['enabled: false', 'mode: shadow']) {
      const one = ruleOf(`${idle}\nwhen: { a: 1 }`, 'one')
      const { problems } = await loadText(rules(one, ruleOf('when: { a: 1 }', 'two')))
      expect(problems, idle).to.deep.equal([])
    }
  })

  it('rules that are the same in another order of keys', async () => {
    const { problems } = await loadText(
      rules(ruleOf('when: { a: 1, b: [2, 3] }', 'one'), ruleOf('when: { b: [2, 3], a: 1 }', 'two')),
    )
    expect(problems.map(({ line, code }) => `${line} ${code}`)).to.deep.equal(['6 identical-rules'])
  })

  it('no rules that are the same but for a value', async () => {
    const { problems } = await loadText(
      rules(ruleOf('when: { a: 1 }', 'one'), ruleOf('when: { a: "1" }', 'two')),
    )
    expect(problems).to.deep.equal([])
  })
})
