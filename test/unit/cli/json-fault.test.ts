import { expect } from 'chai'
import fc from 'fast-check'
import { findJsonFault } from '../../../src/cli/json-fault.ts'

describe('the first fault of a JSON text', () => {
  const cases = [
    { text: '', index: 0, message: 'expected a value' },
    { text: '  ', index: 2, message: 'expected a value' },
    { text: 'nul', index: 0, message: 'expected a value' },
    { text: '{"a":1', index: 6, message: 'expected `,` or the end of this list or map' },
    { text: '{"a" 1}', index: 5, message: 'expected `:`' },
    { text: '{a:1}', index: 1, message: 'expected a name in double quotes or `}`' },
    { text: "{'a':1}", index: 1, message: 'expected a name in double quotes or `}`' },
    { text: '{"a":1,}', index: 7, message: 'expected a name in double quotes' },
    { text: '[1,]', index: 3, message: 'expected a value' },
    { text: '[', index: 1, message: 'expected a value or `]`' },
    { text: '[1}', index: 2, message: 'expected `,` or the end of this list or map' },
    { text: '{"a":]', index: 5, message: 'expected a value' },
    { text: '{"a":01}', index: 6, message: 'expected `,` or the end of this list or map' },
    { text: '{"a":NaN}', index: 5, message: 'expected a value' },
    { text: '"ab', index: 3, message: 'expected `"`: the text is not closed' },
    { text: '"a\\x"', index: 2, message: 'this escape is none that JSON knows' },
    { text: '"a\\u12g4"', index: 2, message: 'this escape is none that JSON knows' },
    { text: '"a\tb"', index: 2, message: 'a text may not hold control characters' },
    { text: '{} {}', index: 3, message: 'expected the end of the line: one JSON document a line' },
    {
      text: '{"a":1}]',
      index: 7,
      message: 'expected the end of the line: one JSON document a line',
    },
  ]
  for (const { text, index, message } of cases) {
    it(`of ${JSON.stringify(text)} is at ${index}`, () => {
      expect(findJsonFault(text)).to.deep.equal({ index, message })
    })
  }

  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  it('is there exactly when JSON.parse refuses the text', () => {
    const spoilt = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '{', ']', ',', ':', '\\', '\n', '1', 'e'),
      )
      .map(([text, at, piece]) => {
        const i = at % (text.length + 1)
        return text.slice(0, i) + piece + text.slice(i + 1)
      })
    fc.assert(
      fc.property(fc.oneof(fc.json(), spoilt), (text) => {
        expect(findJsonFault(text) === null).to.equal(isJson(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is where a beginning of JSON is over: what stands before it can be gone on with', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, at) => {
        const cut = text.slice(0, at % (text.length + 1))
        const fault = findJsonFault(cut)
        // A number or a word that is cut begins at its own start; all else ends where the text does.
        if (fault !== null) expect(cut.slice(fault.index)).to.match(/^$|^[-+.\w\\]*$/)
      }),
      { numRuns: 1_000 },
    )
  })
})
