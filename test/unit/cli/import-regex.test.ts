import { expect } from 'chai'
import fc from 'fast-check'
import { convertRegex, groupsOf, readRegex } from '../../../src/cli/import/convert-regex.ts'
import { globsOf } from '../../../src/cli/import/convert-topics.ts'

const convert = (text: string, names: Readonly<Record<number, string>> = {}) => {
  const regex = readRegex(text)
  if (regex === null) throw new Error(`${text} is no regex`)
  const own = new Map(groupsOf(regex).map(({ index, name }) => [index, name]))
  return convertRegex(regex, (index) => names[index] ?? own.get(index) ?? null)
}

describe('a regex of change-propagation', () => {
  const converted: readonly { from: string; to: string; search?: true; ci?: true }[] = [
    { from: '/^abc$/', to: '^abc$' },
    { from: '/abc/', to: 'abc', search: true },
    { from: '/^abc/i', to: '^abc', ci: true },
    { from: '/^a|b/', to: '^a|b', search: true },
    { from: '/^(?:a|b)$/', to: '^(?:a|b)$' },
    { from: '/^a/m', to: '(?m)^a', search: true },
    { from: '/a|b/y', to: '^(?:a|b)' },
    { from: '/^a/gu', to: '^a' },
    { from: '/^https?:\\/\\/[^\\/]+\\/(?<title>.+)$/', to: '^https?://[^/]+/(?P<title>.+)$' },
    { from: '/^(a)(?:b)(c)/', to: '^(a)(?:b)(c)' },
    { from: '/^\\w\\d\\s\\W\\D\\S\\b\\B/', to: '^\\w\\d\\s\\W\\D\\S\\b\\B' },
    { from: '/^\\t\\n\\r\\f\\v\\0/', to: '^\\t\\n\\r\\f\\v\\x00' },
    { from: '/^\\u0041\\x41\\cA/', to: '^\\x{41}\\x41\\x01' },
    { from: '/^\\u{1F600}/u', to: '^\\x{1F600}' },
    { from: '/^\\.\\-\\:\\"\\_\\ /', to: '^\\.\\-:"_ ' },
    { from: '/^\\e\\q/', to: '^eq' },
    { from: '/^[\\b\\/.\\]\\-\\w]/', to: '^[\\x08/.\\]\\-\\w]' },
    { from: '/^[[:a]/', to: '^[\\[:a]' },
    { from: '/^[^]+[]/', to: '^(?s:.)+[^\\x00-\\x{10FFFF}]' },
    { from: '/^a{2,3}?b*?c+?/', to: '^a{2,3}?b*?c+?' },
    { from: '/^ü😀/', to: '^ü😀' },
  ]
  for (const { from, to, search, ci } of converted) {
    it(`${from} is ${to}`, () => {
      expect(convert(from)).to.deep.equal({
        regex: to,
        ci: ci === true,
        isAnchored: search !== true,
      })
    })
  }

  const refused: readonly { from: string; why: RegExp }[] = [
    { from: '/^(?!a)b/', why: /look-around, `\(\?!\.\.\)`/ },
    { from: '/^a(?=b)/', why: /look-around/ },
    { from: '/(?<=a)b/', why: /look-around/ },
    { from: '/(?<!a)b/', why: /look-around/ },
    { from: '/^(a)\\1/', why: /back-reference `\\1`/ },
    { from: '/^(?<x>a)\\k<x>/', why: /back-reference `\\k<x>`/ },
    { from: '/^[a\\uD83D]/', why: /half of a character/ },
    { from: '/^(a/', why: /not a regex/ },
    { from: '/^a/gg', why: /not a regex/ },
  ]
  for (const { from, why } of refused) {
    it(`${from} is refused`, () => {
      const result = convert(from)
      expect('refused' in result ? result.refused : '').to.match(why)
    })
  }

  for (const text of ['abc', '/abc', '/', '//', '/sample/uri', '/api/items']) {
    it(`${text} is none but a text`, () => {
      expect(readRegex(text)).to.equal(null)
    })
  }

  it('keeps a group only where it is asked for by name', () => {
    const regex = { source: '^(a)(?<b>b)(c)', flags: '' }
    const named = (names: Readonly<Record<number, string>>) =>
      convertRegex(regex, (index) => names[index] ?? null)
    expect(named({})).to.include({ regex: '^(a)(?:b)(c)' })
    expect(named({ 1: 'x', 2: 'y' })).to.include({ regex: '^(?P<x>a)(?P<y>b)(c)' })
    expect(named({ 0: 'all' })).to.include({ regex: '(?P<all>^(a)(?:b)(c))', isAnchored: false })
  })

  const slashes: readonly { body: string; holds: boolean }[] = [
    { body: '.+', holds: true },
    { body: '[^/]+', holds: false },
    { body: '[^\\/]+', holds: false },
    { body: '[^?#]*', holds: true },
    { body: 'https?', holds: false },
    { body: '\\w+\\/', holds: true },
    { body: '(?:(?!%3a)[^/])+', holds: false },
    { body: '\\d+', holds: false },
  ]
  for (const { body, holds } of slashes) {
    it(`captures ${holds ? 'a text that may hold' : 'no'} / with (?<x>${body})`, () => {
      const groups = groupsOf({ source: `^a(?<x>${body})$`, flags: '' })
      expect(groups.find(({ name }) => name === 'x')?.holdsSlash).to.equal(holds)
    })
  }

  it('matches and captures the same texts after the conversion', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '\\.',
      '\\/',
      '[ab]',
      '[^a\\/]',
      '\\d',
      '\\w',
      '\\u0062',
    )
    const { regex } = fc.letrec<{ regex: string }>((tie) => ({
      regex: fc
        .array(
          fc.tuple(
            fc.oneof(
              { depthSize: 'small', withCrossShrink: true },
              atom,
              tie('regex').map((inner) => `(?:${inner})`),
              tie('regex').map((inner) => `(${inner})`),
              fc.tuple(tie('regex'), tie('regex')).map(([one, two]) => `(?:${one}|${two})`),
            ),
            fc.constantFrom('', '', '?', '+', '{2}'),
          ),
          { minLength: 1, maxLength: 3 },
        )
        .map((parts) => parts.map(([one, count]) => one + count).join('')),
    }))
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '1', 'c'), maxLength: 5 })
    fc.assert(
      fc.property(regex, fc.boolean(), texts, (source, isAnchored, text) => {
        const from = isAnchored ? `^${source}` : source
        const to = convertRegex({ source: from, flags: '' }, () => null)
        if ('refused' in to) throw new Error(to.refused)
        // What is written for RE2 is read by JavaScript as well, but for how code points are spelled.
        const ours = new RegExp(to.regex.replaceAll('\\x{62}', 'b')).exec(text)
        expect(ours?.slice() ?? null).to.deep.equal(new RegExp(from).exec(text)?.slice() ?? null)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a topic that is a regex', () => {
  const converted: readonly { from: string; to: readonly string[] | null }[] = [
    { from: '^a\\.b$', to: ['a.b'] },
    { from: '^a\\.job\\..*', to: ['a.job.*'] },
    { from: '^a\\.job\\..+$', to: ['a.job.*'] },
    { from: 'job', to: ['*job*'] },
    {
      from: '^(?:x\\.)?page[-_]change$',
      to: ['x.page-change', 'x.page_change', 'page-change', 'page_change'],
    },
    { from: '^(a|b)c?$', to: ['ac', 'a', 'bc', 'b'] },
    { from: '^[ab][ab]$', to: ['aa', 'ab', 'ba', 'bb'] },
    { from: 'a|b', to: ['*a*', '*b*'] },
    { from: '^a|b$', to: null },
    { from: '^a.b$', to: null },
    { from: '^a\\d+$', to: null },
    { from: '^[a-z]$', to: null },
    { from: '^a(?!b)$', to: null },
    { from: '^a{2}$', to: null },
    { from: '^ab*$', to: null },
    { from: '^(a', to: null },
    { from: '^[abcd][abcd][abcd][abcd]$', to: null },
  ]
  for (const { from, to } of converted) {
    it(`/${from}/ is ${to === null ? 'no list of globs' : to.join(' and ')}`, () => {
      expect(globsOf(from)).to.deep.equal(to)
    })
  }

  it('fits the same topics after the conversion', () => {
    const piece = fc.constantFrom('a', '\\.', '.*', '(?:a|b-)?', '[ab]', '(a\\.|b)', '(?:a|[b.])')
    const source = fc
      .tuple(fc.boolean(), fc.array(piece, { maxLength: 4 }), fc.boolean())
      .map(([starts, pieces, ends]) => `${starts ? '^' : ''}${pieces.join('')}${ends ? '$' : ''}`)
    const topic = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), maxLength: 6 })
    fc.assert(
      fc.property(source, topic, (regex, name) => {
        const globs = globsOf(regex)
        if (globs === null) return // more than are listed
        const fits = globs.some((glob) =>
          new RegExp(`^${glob.replace(/[.-]/g, '\\$&').replaceAll('*', '.*')}$`).test(name),
        )
        expect(fits).to.equal(new RegExp(regex).test(name))
      }),
      { numRuns: 500 },
    )
  })
})
