import { expect } from 'chai'
import type { Happened } from '../../../../src/engine/trial/trial.ts'
import { runTrial } from '../../../../src/engine/trial/trial.ts'
import { formatDuration } from '../../../../src/model/units.ts'
import { loadText } from '../../../support/load-text.ts'

const settings = { tiersMs: [10_000, 60_000, 600_000, 3_600_000], hopsMax: 10 }

/** What a rule does in a case; the rule without its topics, and the case, as YAML. */
export async function happenedIn(rule: string, given: string): Promise<readonly Happened[]> {
  const indented = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by))
  const text = `rules:
  purge:
    topics: [edits]
${indented(rule, 4)}
    tests:
      - name: the case
${indented(given, 8)}
`
  const { sound, tests, problems } = await loadText(text)
  expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([])
  const [one] = sound
  const [test] = tests
  if (one === undefined || test === undefined) throw new Error('no rule or no test')
  return runTrial(one, test, settings)
}

/** As `kind what`. */
export function told(one: Happened): string {
  switch (one.kind) {
    case 'http':
      return `http ${one.request.method} ${one.request.url}`
    case 'emit':
      return `emit ${one.record.topic} ${one.record.value?.toString() ?? 'nothing'}`
    case 'skip':
    case 'dead':
      return `${one.kind} ${one.reason}`
    case 'retry':
      return `retry after ${one.afterMs}`
  }
}

/** With its time in front: `5s skip duplicate`. */
export function toldWithTime(one: Happened): string {
  return `${formatDuration(one.atMs)} ${told(one)}`
}
