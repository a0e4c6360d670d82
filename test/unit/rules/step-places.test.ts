import { expect } from 'chai'
import { loadText } from '../../support/load-text.ts'

/** The places of the steps of a rule whose `do` is `steps`, a list on one line. */
async function placesOf(steps: string): Promise<readonly (string | null)[]> {
  const text = `rules:\n  purge:\n    topics: [edits]\n    when: { id: { exists: true } }\n    do: [${steps}]\n`
  const { ruleSet, problems } = await loadText(text)
  expect(problems.map(({ message }) => message)).to.deep.equal([])
  return ruleSet?.rules[0]?.ways[0]?.steps.map(({ place }) => place) ?? []
}

const one = '{ emit: { topic: one } }'
const two = '{ emit: { topic: two } }'
const three = '{ emit: { topic: three } }'
const each = (path: string) =>
  `{ emit: { topic: two, each: "{{event.${path}}}", value: "{{item}}" } }`

describe('the place of a step', () => {
  it('is none for the first one, and one of its own for each behind it', async () => {
    const [first, second, third] = await placesOf(`${one}, ${two}, ${three}`)
    expect(first).to.equal(null)
    expect(second).to.match(/^[0-9a-f]{12}$/)
    expect(third)
      .to.match(/^[0-9a-f]{12}$/)
      .and.not.equal(second)
  })

  const edits: [name: string, before: string, after: string, isSame: boolean][] = [
    ['the step itself was changed', `${one}, ${two}`, `${one}, ${three}`, true],
    ['a step was put behind it', `${one}, ${two}`, `${one}, ${two}, ${three}`, true],
    [
      'keys changed their order',
      `{ emit: { topic: one, key: k } }, ${two}`,
      `{ emit: { key: k, topic: one } }, ${two}`,
      true,
    ],
    ['the step before it was changed', `${one}, ${two}`, `${three}, ${two}`, false],
    ['its own `each` was changed', `${one}, ${each('a')}`, `${one}, ${each('b')}`, false],
    ['its own `each` is new', `${one}, ${two}`, `${one}, ${each('a')}`, false],
  ]
  for (const [name, before, after, isSame] of edits) {
    it(`is ${isSame ? 'the same' : 'another'} where ${name}`, async () => {
      const [, old] = await placesOf(before)
      const [, edited] = await placesOf(after)
      expect(old === edited).to.equal(isSame)
    })
  }

  it('of a first step with `each` is that of its list', async () => {
    const [a] = await placesOf(each('a'))
    const [b] = await placesOf(each('b'))
    expect(a).to.not.equal(null).and.not.equal(b)
  })
})
