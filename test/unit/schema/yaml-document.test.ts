import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { parseYaml, type At } from '../../../src/schema/yaml-document.ts'

const parse = (text: string) => parseYaml({ name: 'a.yaml', text })
const complaint = { severity: 'error', code: 'bad-value', message: '', hint: null } as const

describe('a YAML document', () => {
  const values: readonly (readonly [text: string, value: Json])[] = [
    ['', null],
    ['# only a comment\n', null],
    ['a: 1.0', { a: 1 }],
    ['a: no\nb: "1"\nc: 0o17\nd: ~\ne:', { a: 'no', b: '1', c: 15, d: null, e: null }],
    ['a: 2026-01-01', { a: '2026-01-01' }],
    ['404: x\ntrue: y', { '404': 'x', true: 'y' }],
    ['a: &x [1, { b: 2 }]\nc: *x', { a: [1, { b: 2 }], c: [1, { b: 2 }] }],
    ['a: |\n  one\n  two\n', { a: 'one\ntwo\n' }],
    ['{"a": [1, "x", null]}', { a: [1, 'x', null] }],
    ['a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['---\na: 1\n', { a: 1 }],
    ['hasOwnProperty: 1', { hasOwnProperty: 1 }],
  ]
  for (const [text, value] of values) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const { document, problems } = parse(text)
      expect(problems).to.deep.equal([])
      expect(document?.value).to.deep.equal(value)
    })
  }

  it('reads every JSON document as what it is', () => {
    const safe = fc.jsonValue({ maxDepth: 5 }).filter((value) => {
      const text = JSON.stringify(value)
      return !text.includes('__proto__') && !/\d{16}|e\+/.test(text)
    })
    fc.assert(
      fc.property(safe, (value) => {
        const { document, problems } = parse(JSON.stringify(value))
        expect(problems).to.deep.equal([])
        expect(JSON.stringify(document?.value)).to.equal(JSON.stringify(value))
      }),
    )
  })

  describe('knows where', () => {
    const text =
      'rules:\r\n  purge:\r\n    topics: [a, "b c"]\r\n    shared: &x { y: 1 }\r\n    again: *x\r\n    empty:\r\n'
    const places: readonly (readonly [
      at: At,
      part: 'key' | 'value',
      line: number,
      column: number,
      length: number,
    ])[] = [
      [['rules'], 'key', 1, 1, 5],
      [['rules', 'purge'], 'key', 2, 3, 5],
      [['rules', 'purge', 'topics'], 'key', 3, 5, 6],
      [['rules', 'purge', 'topics'], 'value', 3, 13, 10],
      [['rules', 'purge', 'topics', 1], 'value', 3, 17, 5],
      [['rules', 'purge', 'topics', 1], 'key', 3, 17, 5],
      [['rules', 'purge', 'again', 'y'], 'value', 4, 21, 1], // where the alias leads
      [['rules', 'purge', 'again'], 'value', 5, 12, 2],
      [['rules', 'purge', 'absent', 'more'], 'value', 2, 3, 5], // the last that is there
      [['absent'], 'key', 1, 1, 6],
      [[], 'value', 1, 1, 6],
    ]
    for (const [at, part, line, column, length] of places) {
      it(`the ${part} of ${at.length === 0 ? 'the root' : at.join('.')} is`, () => {
        const problem = parse(text).document?.problemAt(at, part, complaint)
        expect([problem?.line, problem?.column, problem?.source?.length]).to.deep.equal([
          line,
          column,
          length,
        ])
        expect(problem?.source?.text).to.equal(text.split('\r\n')[line - 1])
      })
    }
  })

  const slips = [
    {
      text: 'a:\n  b: [one\n  c: 1\n',
      at: '3:3',
      hint: /whether a `\[`, `\{` or quote above is closed/,
    },
    { text: 'a:\n  b: [1]\n   c: 2\n', at: '3:4', hint: /look at the indentation/ },
    { text: 'a: { b: ${NAME} }', at: '1:10', hint: /quote the whole of a text that holds braces/ },
    { text: 'a: "b" c', at: '1:8', hint: /quote the whole of a text that holds .* quotes/ },
    {
      text: 'a: "{{b | default: "x"}}"',
      at: '1:21',
      hint: /'\{\{event\.title \| default: "none"\}\}'$/,
    },
    { text: 'a: {{b | default: "x"}}', at: '1:5', hint: /in quotes: '\{\{b \| default: "x"\}\}'$/ },
    { text: 'a: {{b}}', at: '1:5', hint: /in quotes: "\{\{b\}\}"$/ },
  ]
  for (const { text, at, hint } of slips) {
    it(`says what to look at in ${JSON.stringify(text)}`, () => {
      const [first] = parse(text).problems
      expect(first?.hint).to.match(hint)
      expect(`${first?.line}:${first?.column}`).to.equal(at)
    })
  }

  it('lets aliases share what people share', () => {
    const shared = Array.from({ length: 50 }, (_, i) => `r${i}: *x`).join('\n')
    const { document, problems } = parse(`x: &x { a: [1, 2, 3] }\n${shared}\n`)
    expect(problems).to.deep.equal([])
    expect(document?.value)
      .to.have.property('r49')
      .that.deep.equals({ a: [1, 2, 3] })
  })

  it('never throws, whatever the text', () => {
    const pieces = [
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&x',
      '*x',
      '!t',
      '|',
      '#',
      '\t',
      '%',
      '?',
      ',',
      '0x',
      '---',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (all) => {
        const { document, problems } = parse(all.join(''))
        expect(document !== null || problems.length > 0).to.equal(true)
        for (const { line, column, source } of problems) {
          expect(line).to.be.above(0)
          expect(column).to.be.above(0)
          expect(source === null || source.length > 0).to.equal(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
