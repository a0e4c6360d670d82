import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { writeYaml } from '../../../src/schema/write-yaml.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'

describe('YAML that we write', () => {
  it('puts what is short on one line, and nothing else', () => {
    const value = {
      rules: {
        purge: {
          topics: ['a', 'b'],
          when: { 'meta.domain': { regex: '^x$', search: true }, tags: { has_all: ['a'] } },
          do: { http: { url: 'http://x/{{event.a}}', text: 'one\ntwo' } },
          long: Array.from({ length: 8 }, (_, i) => `a member of the list ${i}`),
        },
      },
    }
    expect(writeYaml(value)).to.equal(`\
rules:
  purge:
    topics: [ a, b ]
    when:
      meta.domain: { regex: ^x$, search: true }
      tags: { has_all: [ a ] }
    do:
      http:
        url: http://x/{{event.a}}
        text: |-
          one
          two
    long:
      - a member of the list 0
      - a member of the list 1
      - a member of the list 2
      - a member of the list 3
      - a member of the list 4
      - a member of the list 5
      - a member of the list 6
      - a member of the list 7
`)
  })

  it('puts comments before keys, at the end of maps and at the top', () => {
    const text = writeYaml(
      { rules: { a: { b: { c: 1 } }, d: { e: 2 } } },
      {
        header: ['made by hand'],
        comments: [
          { at: ['rules', 'a'], place: 'before', lines: ['first'] },
          { at: ['rules', 'a'], place: 'end', lines: ['not yet:', 'f: 3'] },
          { at: ['rules', 'd'], place: 'before', lines: ['second', 'two lines'] },
          { at: ['rules'], place: 'end', lines: ['the end'] },
        ],
      },
    )
    expect(text).to.equal(`\
# made by hand

rules:
  # first
  a:
    b: { c: 1 }
    # not yet:
    # f: 3

  # second
  # two lines
  d: { e: 2 }
  # the end
`)
  })

  it('lets no text break out of a comment', () => {
    const text = writeYaml(
      { a: 1 },
      { comments: [{ at: ['a'], place: 'before', lines: ['x\nb: 2', 'y\u2028c: 3\r d: 4'] }] },
    )
    expect(text).to.equal('# x b: 2\n# y c: 3  d: 4\na: 1\n')
  })

  it('ends with the end of a line, whatever stands last', () => {
    const comments = [{ at: ['a'], place: 'end', lines: ['x'] }] as const
    expect(writeYaml({ a: {} }, { comments })).to.equal('a:\n  {}\n  # x\n')
  })

  it('passes over a comment for what is not there', () => {
    const comments = [{ at: ['b', 'c', 0], place: 'before', lines: ['x'] }] as const
    expect(writeYaml({ a: [1] }, { comments })).to.equal('a: [ 1 ]\n')
  })

  it('is read as what was written', () => {
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom(
          'no',
          '1',
          '~',
          'a: b',
          '# x',
          '{{event.a}}',
          ' x ',
          'a\nb\n',
          '\\d+$',
          '<<',
          '*x',
        ),
        fc.integer(),
        fc.constantFrom(true, false, null, 0.5),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
          tie('tree'),
          { maxKeys: 4 },
        ),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b'), tree), (value) => {
        const { document, problems } = parseYaml({ name: 'x.yaml', text: writeYaml(value) })
        expect(problems).to.deep.equal([])
        expect(document?.value).to.deep.equal({ ...value })
      }),
    )
  })
})
