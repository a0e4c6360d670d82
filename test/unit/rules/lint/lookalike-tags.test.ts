import { expect } from 'chai'
import { loadText, placesOf, ruleText } from '../../../support/load-text.ts'

const emitting = (value: string): string =>
  ruleText('when: { kind: edit }', `emit: { topic: out, value: { v: ${JSON.stringify(value)} } }`)

describe('a text of an action that looks like a tag', () => {
  const lookalikes = [
    ['{event.id}', '{event.id}', '{{event.id}}'],
    ['a ${event.page.title} b', '${event.page.title}', '{{event.page.title}}'],
    ['#{ match.lang }', '#{ match.lang }', '{{match.lang}}'],
    ['%{rule.name}', '%{rule.name}', '{{rule.name}}'],
    ['{event.a | lower}', '{event.a | lower}', '{{event.a | lower}}'],
    ['{ {event.id} }', '{event.id}', '{{event.id}}'],
    ['{{event.id}} and {event.at}', '{event.at}', '{{event.at}}'],
    ['{@headers.by}', '{@headers.by}', '{{@headers.by}}'],
    ['{steps.score.body}', '{steps.score.body}', '{{steps.score.body}}'],
  ] as const
  for (const [text, written, tag] of lookalikes) {
    it(`is told with the tag to write: ${text}`, async () => {
      const { problems, ruleSet } = await loadText(emitting(text))
      expect(problems.map(({ code, hint }) => ({ code, hint }))).to.deep.equal([
        { code: 'looks-like-a-tag', hint: `write \`${tag}\`` },
      ])
      expect(problems[0]?.message).to.contain(`\`${written}\``)
      expect(ruleSet).to.not.equal(null)
    })
  }

  const others = [
    '{{event.id}}',
    '{{#event.a}}{{event.a}}{{/event.a}}',
    '{{! {event.id} }}',
    '{title}',
    '{event}',
    '{"event.id": 1}',
    '{event.id, other}',
    '${HOME}',
    '{ {{event.id}} }',
  ]
  for (const text of others) {
    it(`is not told where it is none: ${text}`, async () => {
      expect((await loadText(emitting(text))).problems).to.deep.equal([])
    })
  }

  it('is told in cases, in the key, and where a base says it, once', async () => {
    const { problems } = await loadText(`\
rules:
  base:
    topics: [a]
    when: { kind: edit }
    key: "{event.id}"
    cases:
      - when: { a: 1 }
        do: [{ emit: { topic: out } }, { emit: { topic: out, key: "{event.id}" } }]
      - do: { http: { url: "http://h.internal/", method: POST, text: "{event.a}{event.b}" } }
  heir: { extends: base, topics: [b] }
`)
    expect(placesOf(problems)).to.deep.equal([
      '5:10 looks-like-a-tag',
      '8:67 looks-like-a-tag',
      '9:70 looks-like-a-tag',
    ])
  })

  it('is told of `each` wherever `for_each` fills in texts, and not of other names there', async () => {
    const { problems } = await loadText(`\
rules:
  "of-{{each.w}}":
    for_each: [{ w: a }, { w: b }]
    topics: ["{{each.w}}.edits"]
    when: { wiki: "{each.w}", title: "{event.title}" }
    do: { emit: { topic: out } }
    tests:
      - { name: a, event: { title: "{each.w}" }, expect: { skip: no-match } }
`)
    expect(placesOf(problems)).to.deep.equal(['5:19 looks-like-a-tag'])
  })

  it('hides no list that nobody reads', async () => {
    const { problems } = await loadText(`lists: { a: [1] }\n${emitting('{event.id}')}`)
    expect(problems.map(({ code }) => code)).to.have.members(['looks-like-a-tag', 'unused-list'])
  })
})
