import { expect } from 'chai'
import { foldCase } from '../../../src/rules/case-folding.ts'

/** Every letter that has a case, by the engine's own tables, and whatever folding changes. */
function letters(): readonly string[] {
  const found: string[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const letter = String.fromCodePoint(code)
    const isCased = /[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]/u.test(letter)
    if (isCased || foldCase(letter) !== letter) found.push(letter)
  }
  return found
}

function sameByRegex(letter: string): RegExp {
  return new RegExp(`\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`, 'giu')
}

describe('case folding', () => {
  it('makes the same letters equal as the `i` flag of a Unicode regex, over all of Unicode', () => {
    const all = letters()
    const text = all.join('')
    const groups = new Map<string, string[]>()
    for (const letter of all) {
      const folded = foldCase(letter)
      groups.set(folded, [...(groups.get(folded) ?? []), letter])
    }
    expect(all.length).to.be.greaterThan(2_500)
    const differing = all.filter((letter) => {
      const byRegex = new Set(text.match(sameByRegex(letter)))
      const byFold = new Set(groups.get(foldCase(letter)))
      return byRegex.size !== byFold.size || [...byRegex].some((one) => !byFold.has(one))
    })
    expect(differing).to.deep.equal([])
  }).timeout(20_000)

  const rows: readonly (readonly [text: string, folded: string])[] = [
    ['', ''],
    ['EnWiki', 'enwiki'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφοσ'],
    ['σίσυφος', 'σίσυφοσ'], // the s of an end of a word
    ['Straße', 'straße'],
    ['STRASSE', 'strasse'], // `ss` is two letters
    ['ẞ', 'ß'],
    ['K', 'k'], // the sign of a kelvin
    ['ſ', 's'], // the long s
    ['İ', 'İ'],
    ['ı', 'ı'],
    ['𐐀', '𐐨'], // beyond the first plane
    ['\ud800A', '\ud800a'], // half of a character
  ]
  for (const [text, folded] of rows) {
    it(`folds ${JSON.stringify(text)} to ${JSON.stringify(folded)}`, () => {
      expect(foldCase(text)).to.equal(folded)
      expect(foldCase(text)).to.equal(folded) // and again, from what is remembered
    })
  }

  it('keeps the number of letters', () => {
    for (const letter of letters()) {
      expect(Array.from(foldCase(letter))).to.have.length(1)
    }
  })
})
