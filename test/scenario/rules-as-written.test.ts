import { expect } from 'chai'
import type { Json } from '../../src/model/json.ts'
import type { HttpAnswer, HttpRequest } from '../../src/ports/http-caller.ts'
import { House } from '../support/house.ts'
import { loadText } from '../support/load-text.ts'

/*
 * Rules as people write them, from the text to what is on the bus: cases, captures, results and
 * elements go through the loader, the templates, the actions and the engine together.
 */

async function houseOf(
  text: string,
  answers: readonly Json[] = [],
): Promise<[House, HttpRequest[]]> {
  const { ruleSet, problems } = await loadText(text)
  if (ruleSet === null) return expect.fail(JSON.stringify(problems))
  const requests: HttpRequest[] = []
  const left = [...answers]
  const http = {
    call: (request: HttpRequest): Promise<HttpAnswer> => {
      requests.push(request)
      return Promise.resolve(answerOf(left.shift() ?? {}))
    },
    connections: () => [],
    close: () => Promise.resolve(),
  }
  const house = await new House({ rules: ruleSet.rules, http }).start()
  return [house, requests]
}

/** A number is a status, everything else the body of a 200. */
function answerOf(answer: Json): HttpAnswer {
  const status = typeof answer === 'number' ? answer : 200
  const headers = { 'content-type': 'application/json' }
  const body = Buffer.from(JSON.stringify(answer))
  return { kind: 'response', status, headers, body, isCut: false }
}

function bodies(house: House, topic: string): readonly Json[] {
  // as: what JSON.parse gives
  return house.records(topic).map(({ value }) => JSON.parse(String(value)) as Json)
}

describe('a rule as it is written', () => {
  it('asks for a score, and puts what it was told on the bus, for each of its topics', async () => {
    const [house, requests] = await houseOf(
      `
rules:
  purge:
    topics: [edits]
    when: { title: { regex: "^(?<space>[A-Z][a-z]+):(?<name>.+)$" } }
    do:
      - http: { url: "http://scores/{{match.space}}?rev={{event.rev}}", as: score }
      - emit:
          topic: scored
          each: "{{steps.score.body.topics}}"
          key: "{{item.id}}"
          value: { topic: "{{item}}", name: "{{match.name}}", p: "{{steps.score.body.p}}" }
          as: sent
      - emit: { topic: done, value: { places: "{{steps.sent}}" } }
`,
      [503, { p: 0.9, topics: [{ id: 'a' }, { id: 'b' }] }],
    )
    await house.emit({ title: 'Talk:Main_page', rev: 7 }, { title: 'other', rev: 8 })
    await house.pass(12_000) // the first tier, and the jitter of two tenths
    expect(requests.map(({ url }) => url)).to.deep.equal([
      'http://scores/Talk?rev=7',
      'http://scores/Talk?rev=7',
    ])
    expect(bodies(house, 'scored')).to.deep.equal([
      { topic: { id: 'a' }, name: 'Main_page', p: 0.9 },
      { topic: { id: 'b' }, name: 'Main_page', p: 0.9 },
    ])
    expect(bodies(house, 'done')).to.deep.equal([
      {
        places: [
          { topic: 'scored', partition: 0, offset: 0 },
          { topic: 'scored', partition: 0, offset: 1 },
        ],
      },
    ])
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1, retried: 1 })
    await house.stop()
  })

  it('takes the first case that holds, and none where none does', async () => {
    const [house, requests] = await houseOf(`
rules:
  purge:
    topics: [edits]
    cases:
      - when: { kind: move }
        do:
          - http: { method: PURGE, url: "http://cdn/{{event.from | path: ':,'}}" }
          - http: { method: PURGE, url: "http://cdn/{{event.to}}" }
      - when: { kind: [edit, move] }
        do: { http: { method: PURGE, url: "http://cdn/{{event.to}}" } }
`)
    await house.emit(
      { kind: 'move', from: 'Talk:a, b', to: 'c' },
      { kind: 'edit', to: 'd' },
      { kind: 'delete', to: 'e' },
    )
    expect(requests.map(({ url }) => url)).to.have.members([
      'http://cdn/Talk:a,%20b',
      'http://cdn/c',
      'http://cdn/d',
    ])
    expect(house.ladder()).to.deep.include({ matched: 2, done: 2 })
    await house.stop()
  })

  it('skips what is too old, what is not sampled, and everything in shadow mode', async () => {
    const [house, requests] = await houseOf(`
defaults: { enabled: true }
rules:
  old: { topics: [edits], max_age: 1m, do: { http: { url: "http://a/" } } }
  none: { topics: [edits], sample: { rate: 0, key: "{{event.id}}" }, do: { http: { url: "http://a/" } } }
  quiet: { topics: [edits], mode: shadow, do: { http: { url: "http://a/{{event.id}}" } } }
  broken: { topics: [edits], mode: shadow, do: { http: { url: "http://a/{{event.nope}}" } } }
`)
    await house.produce({
      value: Buffer.from('{"id":1}'),
      timestampMs: house.clock.now() - 60_001,
    })
    expect(requests).to.deep.equal([])
    const skipped = ['old', 'none', 'quiet', 'broken'].map((rule) => house.ladder(rule).skipped)
    expect(skipped).to.deep.equal([
      { 'too-old': 1 },
      { sampled: 1 },
      { shadow: 1 },
      { 'template-error': 1 },
    ])
    await house.stop()
  })
})
