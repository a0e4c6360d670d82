import { expect } from 'chai'
import { loadText } from '../../support/load-text.ts'

/** What is told of a rule whose `do` is this list, lines of YAML. */
async function toldOf(steps: string): Promise<readonly string[]> {
  const text = `rules:\n  purge:\n    topics: [edits]\n    when: { id: 1 }\n    do:\n${steps.replace(/^/gm, '      ')}\n`
  const { problems } = await loadText(text)
  return problems.map(({ line, column, code, message, hint }) =>
    [`${line}:${column} ${code}`, message, hint ?? ''].join(' | '),
  )
}

const oneCall = '- http: { as: one, url: "http://a/" }'
const calls = '- http: { as: calls, each: "{{event.items}}", url: "http://a/{{item.id}}" }'
const sent = '- emit: { as: sent, topic: out }'
const read = (tag: string): string => `- emit: { topic: out2, value: "${tag}" }`

describe('what a step keeps is known to the steps behind it', () => {
  const good = [
    [oneCall, '{{steps.one.body.anything.0.at.all}}'],
    [oneCall, '{{steps.one.headers.etag}}'],
    [oneCall, '{{#steps.one}}{{.status}}{{/steps.one}}'],
    [calls, '{{steps.calls.0.body.id}}'],
    [calls, '{{steps.calls | first | json}}'],
    [calls, '{{#steps.calls}}{{.body.id}}{{/steps.calls}}'],
    [sent, '{{steps.sent.topic}}/{{steps.sent.partition}}/{{steps.sent.offset}}'],
  ] as const
  for (const [step, tag] of good) {
    it(`so ${tag} is taken`, async () => {
      expect(await toldOf(`${step}\n${read(tag)}`)).to.deep.equal([])
    })
  }

  const bad: [step: string, tag: string, told: string][] = [
    [
      calls,
      '{{steps.calls.body.id}}',
      '{{steps.calls.body.id}}: `calls` has `each`, so it is a list | write {{steps.calls.0.body.id}}',
    ],
    [
      oneCall,
      '{{steps.one.stat}}',
      '{{steps.one.stat}}: a step of `http` keeps status, headers and body, not `stat` | did you mean `status`?',
    ],
    [
      sent,
      '{{steps.sent.body}}',
      '{{steps.sent.body}}: a step of `emit` keeps topic, partition and offset, not `body` | there are topic, partition and offset',
    ],
    [
      '- http: { as: one, uri: "http://a/" }',
      '{{steps.one.json}}',
      '{{steps.one.json}}: a step of `http` keeps status, headers and body, not `json` | write {{steps.one.body.json}}',
    ],
  ]
  for (const [step, tag, told] of bad) {
    it(`so ${tag} is told at its place behind ${step}`, async () => {
      const all = await toldOf(`${step}\n${read(tag)}`)
      expect(all.filter((one) => one.includes('template-path'))).to.deep.equal([
        `7:37 template-path | ${told}`,
      ])
    })
  }

  it('also in the list of `each` and in a URL', async () => {
    const step = '- http: { each: "{{steps.calls.items}}", url: "http://a/{{steps.calls.status}}" }'
    const all = await toldOf(`${calls}\n${step}`)
    expect(all).to.have.length(2)
    for (const one of all) expect(one).to.match(/template-path \| .*so it is a list/)
  })
})
