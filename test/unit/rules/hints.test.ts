import { expect } from 'chai'
import { loadText, ruleText } from '../../support/load-text.ts'

/*
 * What people write who come from another language, or have read half a page of ours: it is told
 * once, with what to write in its place.
 */

interface Case {
  readonly lines: string
  readonly says: string
}

const tests: readonly Case[] = [
  {
    lines: 'user.email: { suffix: [a, b] }',
    says: 'alternatives: `any: [ { user.email: { suffix: .. } }, .. ]`',
  },
  {
    lines: 'title: { prefix: [a, b] }',
    says: 'alternatives: `any: [ { title: { prefix: .. } }, .. ]`',
  },
  {
    lines: 'title: { contains: [a] }',
    says: 'alternatives: `any: [ { title: { contains: .. } }, .. ]`',
  },
  {
    lines: 'title: { not: { suffix: [a, b] } }',
    says: 'alternatives: `none: [ { title: { suffix: .. } }, .. ]`',
  },
  ...(
    [
      ['eq', 'the value alone, or `equals`'],
      ['equal', 'the value alone, or `equals`'],
      ['is', 'the value alone, or `equals`'],
      ['ne', '`not`'],
      ['neq', '`not`'],
      ['$ne', '`not`'],
      ['endsWith', '`suffix`'],
      ['ends_with', '`suffix`'],
      ['endswith', '`suffix`'],
      ['startsWith', '`prefix`'],
      ['starts_with', '`prefix`'],
      ['not_in', '`not: { in: .. }`, or `not` of a list'],
      ['matches', '`regex`'],
      ['regexp', '`regex`'],
      ['like', '`glob`'],
      ['wildcard', '`glob`'],
      ['min', '`gte`'],
      ['max', '`lte`'],
      ['between', '`gte` and `lte` side by side'],
      ['has', '`exists: true`'],
    ] as const
  ).map(([name, word]) => ({
    lines: `page: { ${name}: x }`,
    says: `write ${word}; a field below is written with its path: \`page.${name}\``,
  })),
]

const conditions: readonly Case[] = [
  { lines: 'when: { k: 1, unless: [{ b: 1 }] }', says: 'indent `unless:` as far as `when:`' },
  { lines: 'when: { k: 1, unless: { b: 1 } }', says: 'indent `unless:` as far as `when:`' },
  { lines: 'when: { when: { k: 1 } }', says: 'write its tests in its place' },
  {
    lines: 'when: kind == x',
    says: 'write `when: { kind: x }`; a CEL expression stands below `expr`',
  },
  {
    lines: `when: event.kind == "x y"`,
    says: 'write `when: { kind: "x y" }`; a CEL expression stands below `expr`',
  },
  {
    lines: 'when: edits only',
    says: 'write `when: { kind: edit }`; a CEL expression stands below `expr`',
  },
  {
    lines: 'unless: [kind = x]',
    says: 'write `{ kind: edit }`; a CEL expression stands below `expr`',
  },
  { lines: 'page.id: 1', says: 'paths stand below `when:`' },
  { lines: '"@topic": edits', says: 'paths stand below `when:`' },
]

describe('a hint says what to write instead of', () => {
  const all = [
    ...tests.map(({ lines, says }) => ({ lines: `when: { ${lines} }`, says })),
    ...conditions,
  ]
  for (const { lines, says } of all) {
    it(lines, async () => {
      const { problems } = await loadText(ruleText(lines))
      expect(problems.map(({ hint }) => hint)).to.deep.equal([says])
    })
  }

  const below = ['do: { emit: { topic: out } }', 'cases: [{ do: { emit: { topic: out } } }]']
  for (const line of below) {
    it(`${line} in \`when\`, which is then not told as missing`, async () => {
      const text = `rules:\n  purge:\n    topics: [edits]\n    when:\n      k: 1\n      ${line}\n`
      const { problems } = await loadText(text)
      const [key] = line.split(':')
      expect(problems.map(({ message }) => message)).to.deep.equal([
        `\`${key}\` stands beside \`when\`, not below it`,
      ])
    })
  }

  const keys = [
    ['if: { kind: x }', 'write `when`'],
    ['Match: { kind: x }', 'write `when`'],
    ['then: { emit: { topic: o } }', 'write `do`'],
    ['actions: []', 'write `do`'],
    ['match_not: { kind: x }', 'write `unless`'],
    ['on: [edits]', 'write `topics`'],
    ['switch: []', 'write `cases`'],
    ['each: [{ a: 1 }]', 'write `for_each`'],
    [
      'else: { emit: { topic: o } }',
      'what is done where no case holds is a last case without `when`',
    ],
    ['name: purge', 'the name of a rule is the key that it stands below'],
    ['dry_run: true', 'write `mode: shadow`'],
    ['wen: { kind: x }', 'did you mean `when`?'],
  ] as const
  for (const [line, hint] of keys) {
    it(`${line} in a rule`, async () => {
      const { problems } = await loadText(ruleText(`when: { k: 1 }\n${line}`))
      expect(problems.map((problem) => problem.hint)).to.deep.equal([hint])
    })
  }

  it('a key of a rule in place of those that are then not told as missing', async () => {
    const text = 'rules: { a: { on: [edits], if: { k: 1 }, then: { emit: { topic: o } } } }'
    const { problems } = await loadText(text)
    expect(problems.map(({ hint }) => hint)).to.deep.equal([
      ...['write `topics`', 'write `when`', 'write `do`'],
    ])
  })

  it('`if`, `then` and `else` in cases, and nothing of what they stand for', async () => {
    const { problems } = await loadText(`\
rules:
  a:
    topics: [edits]
    cases:
      - { if: { k: 1 }, then: { emit: { topic: o } } }
      - { when: { k: 2 }, then: [{ emit: { topic: o } }] }
      - { else: { emit: { topic: o } } }
`)
    expect(problems.map(({ line, hint }) => `${line} ${hint}`)).to.deep.equal([
      '5 write `when`',
      '5 write `do`',
      '6 write `do`',
      '7 what is done where no case holds is a last case without `when`',
    ])
  })

  it('no field that is called as a key of a rule', async () => {
    const lines = 'when: { do: x, cases: [1, 2], unless: { exists: true }, tests: { len: 1 } }'
    expect((await loadText(ruleText(lines))).problems).to.deep.equal([])
  })

  const shapes: readonly (readonly [lines: string, message: string])[] = [
    ['retry: 3', 'found the number 3, expected a map, such as `{ attempts: 3 }`'],
    ['retry: often', 'found the text "often", expected a map, such as `{ attempts: 5 }`'],
    ['retry: { backoff: 5s }', 'found the text "5s", expected a map, such as `{ first: 5s }`'],
  ]
  for (const [lines, message] of shapes) {
    it(lines, async () => {
      const { problems } = await loadText(ruleText(`when: { k: 1 }\n${lines}`))
      expect(problems.map((problem) => problem.message)).to.deep.equal([message])
    })
  }

  const bodies = ['{ a: 1 }', '"{{event}}"']
  for (const body of bodies) {
    it(`body: ${body}`, async () => {
      const action = `http: { url: "http://a.test/", body: ${body} }`
      const { problems } = await loadText(ruleText('when: { k: 1 }', action))
      expect(problems.map(({ message }) => message.replace(/^.*, expected /, ''))).to.deep.equal([
        '`event`; a JSON tree stands below `json:` instead, and a template below `text:`',
      ])
    })
  }

  it('a URL as an action', async () => {
    const text = ruleText('when: { k: 1 }').replace(/do: .*/, 'do: http://cdn.test/purge')
    const { problems } = await loadText(text)
    expect(problems.map(({ hint }) => hint)).to.deep.equal(['a call is `http: { url: ".." }`'])
  })

  for (const text of ['', '# nothing yet\n', 'purge the page\n', '- a\n']) {
    it(`the text ${JSON.stringify(text)} as a rule file`, async () => {
      const { problems } = await loadText(text)
      expect(problems.map(({ hint }) => hint)).to.deep.equal([
        'a rule file is `rules:`, and below it each rule by its name: ' +
          '`rules: { purge: { topics: [..], when: {..}, do: {..} } }`',
      ])
    })
  }
})
