import { expect } from 'chai'
import { explain } from '../../../../src/cli/explain/explanation.ts'
import { anEvent } from '../../../support/builders.ts'
import { loadText, ruleText } from '../../../support/load-text.ts'

const settings = { nowMs: 0, hopsMax: 10 }
const long = { title: 'x'.repeat(65_537) }

describe('what explain gives as the reason of a skip', () => {
  const rows = [
    ['enabled: true', 'value-too-long', null],
    ['enabled: false', 'disabled', '`enabled` is false'],
  ] as const
  for (const [line, reason, why] of rows) {
    it(`is the one that the daemon counts where the rule is in doubt: ${line}`, async () => {
      const text = ruleText(`${line}\nwhen: { title: { regex: "^a" } }`)
      const [rule] = (await loadText(text)).sound
      expect(rule).to.not.equal(undefined)
      if (rule === undefined) return
      const explanation = await explain(rule, anEvent(long, { topic: 'edits' }), settings)
      expect(explanation).to.deep.include({ outcome: 'skip', reason, why })
    })
  }
})
