import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { parseLenientYaml, type Sourced } from '../../../src/schema/lenient-yaml.ts'

const parse = (text: string) => parseLenientYaml({ name: 'config.yaml', text })

describe('YAML of another program', () => {
  const read: readonly { name: string; text: string; want: Json }[] = [
    {
      name: 'numbers, booleans and null',
      text: 'a: [1, 1.5, true, null, ~]',
      want: { a: [1, 1.5, true, null, null] },
    },
    {
      name: 'words that are no booleans',
      text: 'a: [no, on, yes]',
      want: { a: ['no', 'on', 'yes'] },
    },
    { name: 'a time as a text', text: 'a: 2026-11-25', want: { a: '2026-11-25' } },
    { name: 'keys that are numbers', text: '404: x\n1.50: y', want: { '404': 'x', '1.50': 'y' } },
    { name: 'a tag as if it were not there', text: 'a: !thing x', want: { a: 'x' } },
    {
      name: 'a merge key below own keys',
      text: 'b: &b { x: 1, y: 2 }\na: { <<: *b, y: 3 }',
      want: { b: { x: 1, y: 2 }, a: { x: 1, y: 3 } },
    },
    {
      name: 'several merge keys, the first before the second',
      text: 'b: &b { x: 1 }\nc: &c { x: 2, z: 3 }\na:\n  <<: [*b, *c]',
      want: { b: { x: 1 }, c: { x: 2, z: 3 }, a: { x: 1, z: 3 } },
    },
    {
      name: 'an alias inside what is merged',
      text: 'd: &d [1]\nb: &b { x: *d }\na: { <<: *b }',
      want: { d: [1], b: { x: [1] }, a: { x: [1] } },
    },
    { name: 'the last of two keys', text: 'a: 1\nb: 2\na: 3', want: { b: 2, a: 3 } },
    { name: 'CRLF and a comment', text: 'a: 1 # one\r\nb: 2\r\n', want: { a: 1, b: 2 } },
  ]
  for (const { name, text, want } of read) {
    it(`reads ${name}`, () => {
      const { roots, problem } = parse(text)
      expect(problem).to.equal(null)
      expect(roots.map(plain)).to.deep.equal([want])
    })
  }

  it('reads each document that holds something', () => {
    expect(parse('a: 1\n---\n---\nb: 2\n').roots.map(plain)).to.deep.equal([
      { a: 1 },
      null,
      { b: 2 },
    ])
    expect(parse('').roots).to.deep.equal([])
  })

  it('knows the lines of keys, and of merged ones where they were written', () => {
    const [root] = parse('b: &b\n  x: 1\na:\n  <<: *b\n  y:\n    - 2\n').roots
    const a = entry(root, 'a')
    expect({ a: a.line, x: entry(a.value, 'x').line, y: entry(a.value, 'y').line }).to.deep.equal({
      a: 3,
      x: 2,
      y: 5,
    })
    expect(entry(a.value, 'y').value.line).to.equal(6)
  })

  it('tells which keys do not count because they stand again', () => {
    expect(parse('a:\n  x: 1\n  y: 2\n  x: 3\n').repeated).to.deep.equal([{ key: 'x', line: 2 }])
  })

  it('gives one object for all that an alias stands for', () => {
    const [root] = parse('a: &a { x: 1 }\nb: *a').roots
    expect(entry(root, 'a').value).to.equal(entry(root, 'b').value)
  })

  const refused: readonly { name: string; text: string; line: number; message: RegExp }[] = [
    { name: 'broken syntax', text: 'a: 1\nb: [1, 2\nc: 3', line: 3, message: /^not YAML: / },
    {
      name: 'an alias without an anchor',
      text: 'a: 1\nb: *c',
      line: 2,
      message: /`\*c` has no anchor/,
    },
    { name: 'a map as a key', text: 'a: 1\n? { x: 1 }\n: 2', line: 2, message: /a key is no text/ },
    {
      name: 'deep nesting',
      text: '['.repeat(70) + ']'.repeat(70),
      line: 1,
      message: /deeper than 64/,
    },
    {
      name: 'aliases that grow without end',
      text: ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
        .concat(
          Array.from({ length: 7 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`),
        )
        .join('\n'),
      line: 5,
      message: /holds more than 100000 values/,
    },
  ]
  for (const { name, text, line, message } of refused) {
    it(`refuses ${name}, and says where`, () => {
      const { roots, problem } = parse(text)
      expect(roots).to.deep.equal([])
      expect(problem).to.include({ file: 'config.yaml', line, severity: 'error' })
      expect(problem?.message).to.match(message)
    })
  }
})

function entry(node: Sourced | undefined, key: string) {
  const found = node?.kind === 'map' ? node.entries.get(key) : undefined
  if (found === undefined) throw new Error(`there is no ${key}`)
  return found
}

function plain(node: Sourced): Json {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]))
}
