import { expect } from 'chai'
import { loadText, placesOf } from './load-text.ts'

/** A mistake, all that is told of it, and the first message where the words matter. */
export type ToldWhere = readonly [
  about: string,
  text: string,
  /** `line:column code` of each. */
  places: readonly string[],
  message?: string,
]

/** A test for each: the mistake is told where it stands, nothing else is, and no rules come of it. */
export function itTellsWhere(cases: readonly ToldWhere[]): void {
  for (const [about, text, places, message] of cases) {
    it(`is told where it stands: ${about}`, async () => {
      const { ruleSet, problems } = await loadText(text)
      expect(placesOf(problems)).to.deep.equal(places)
      expect(ruleSet).to.equal(null)
      if (message !== undefined) expect(problems[0]?.message).to.equal(message)
    })
  }
}
