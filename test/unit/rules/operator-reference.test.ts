import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { operatorReference } from '../../../src/rules/operator-reference.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText } from '../../support/load-text.ts'

/** What the examples of lists and of other paths are about. */
const lists = { 'quiet-wikis': ['testwiki', 'test2wiki'] }
const other = { b: 2, a: 1 }

async function fires(test: Json, value: Json | undefined): Promise<boolean> {
  const rule = { topics: ['t'], when: { field: test }, do: { emit: { topic: 'out' } } }
  const { sound, problems } = await loadText(JSON.stringify({ lists, rules: { r: rule } }))
  expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([])
  const fields = value === undefined ? { other } : { other, field: value }
  const fired = sound[0]?.fire(anEvent(fields)) ?? null
  return fired !== null && fired.doubt === null
}

describe('the example of a test', () => {
  for (const [name, { example }] of Object.entries(operatorReference)) {
    it(`${name}: ${JSON.stringify(example.test)} holds as it says`, async () => {
      expect(Object.keys(example.test as object)).to.include(name) // as: a map of operators
      expect(await fires(example.test, example.holds), 'holds').to.equal(true)
      expect(await fires(example.test, example.fails), 'fails').to.equal(false)
    })
  }
})
