import { expect } from 'chai'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { compileRegex, valueCharsMax } from '../../../../src/rules/regex.ts'
import { backtrackable } from '../../../../src/rules/regex/backtrackable.ts'
import { parseRegex, type RegexNode } from '../../../../src/rules/regex/parse-regex.ts'

function engineOf(pattern: string, ci = false): string {
  const result = compileRegex(pattern, { ci, search: true })
  return result.ok ? result.regex.engine : `refused: ${result.message}`
}

describe('the built-in engine runs', () => {
  const patterns = [
    '^abc',
    '^(?:edit|move|delete)$',
    '^(?P<lang>[a-z]+)\\.wikipedia\\.org$',
    '^/wiki/(?P<title>.+)$',
    '^(?:[a-z]+-)?wiki$',
    '^[^/]+/[^/]+/?$',
    '^\\d{4}-\\d{2}-\\d{2}',
    '^a*?b',
    '\\(disambiguation\\)$',
    '(?i)bot$',
    'colou?r',
  ]
  for (const pattern of patterns) {
    it(pattern, () => {
      expect(engineOf(pattern)).to.equal('builtin')
    })
  }
})

describe('the linear engine runs', () => {
  const patterns: [pattern: string, why: string][] = [
    ['^(a+)+$', 'a loop in a loop'],
    ['^(?:a|a)*b', 'alternatives in a loop'],
    ['^(?:a|aa)+$', 'alternatives in a loop'],
    ['^(.*)*x', 'a loop in a loop'],
    ['^(?:a?){30}a{30}', 'a repetition of what can be empty'],
    ['^(?:a?)?b', 'a repetition of what can be empty'],
    ['^(?:a*)?b', 'a repetition of what can be empty'],
    ['^(?:a{0,12}){0,12}$', 'a repetition of what can be empty'],
    ['^a*a*a*b', 'loops that can take the same'],
    ['^a*b?a*c', 'loops that can take the same across what can be empty'],
    ['^.*foo', 'a loop that can take what comes after it'],
    ['^\\d+\\.?\\d+$', 'a loop that can take what comes after it'],
    ['^(?:a|a)(?:b|b)(?:c|c)(?:d|d)(?:e|e)x*', 'choices that multiply'],
    ['^(?:[ab]|a){20}', 'choices that multiply'],
    ['[a-z]+\\d', 'a loop that can begin anywhere'],
    ['x*$', 'a loop that can begin anywhere'],
    ['(?:abcde|abcdf){60}', 'a long match that can begin anywhere'],
    ['^(?:(?P<x>a)|b){2}', 'a group that is captured more than once'],
    ['^\\pL', 'a class that is not ours to spell'],
    ['^[[:alpha:]]', 'a class that is not ours to spell'],
    ['^a\\b', 'a word boundary'],
    ['^a(?i:b)', 'a flag in the middle'],
    ['(?m)^a', 'lines'],
    ['(?U)^a+', 'a flag that turns greed around'],
    ['^a|^b', 'two starts'],
    ['^[\\x{d800}-\\x{dbff}]', 'half of a surrogate pair'],
    ['^[^\\x{0}-\\x{10ffff}]', 'a class of nothing'],
    ['(?i)^é', 'case beyond ASCII'],
    ['(?i)^\\w', 'case beyond ASCII'],
  ]
  for (const [pattern, why] of patterns) {
    it(`${pattern}, for ${why}`, () => {
      expect(engineOf(pattern)).to.equal('linear')
    })
  }
})

/** Patterns near the edge of what is proven: few characters, so that pieces run into each other. */
const atoms = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    '.',
    '[ab]',
    '[^a]',
    '[b-cé]',
    '\\d',
    '\\D',
    '\\s',
    '\\.',
    'é',
    '\u{1f600}',
    'k',
    's',
  ],
)
const repetitions = fc.constantFrom(
  ...['', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,3}?', '{2,}', '{0}'],
)
const { pattern: bodies } = fc.letrec<{ pattern: string; row: string; piece: string }>((tie) => ({
  pattern: fc
    .array(tie('row'), { minLength: 1, maxLength: 3 })
    .map((rows) => (rows.length === 1 ? rows.join('') : `(?:${rows.join('|')})`)),
  row: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc
    .tuple(
      fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { weight: 5, arbitrary: atoms },
        { weight: 1, arbitrary: tie('pattern').map((inner) => `(?:${inner})`) },
        { weight: 1, arbitrary: tie('pattern').map((inner) => `(${inner})`) },
        { weight: 1, arbitrary: tie('pattern').map((inner) => `(?P<NAME>${inner})`) },
      ),
      repetitions,
    )
    .map((parts) => parts.join('')),
}))
/** The whole of it is a named group in every other, so that what is matched is compared as well. */
const patterns = fc
  .tuple(
    fc.constantFrom('^', '^', '', '(?i)^', '(?s)^', '(?i)'),
    fc.oneof(
      bodies,
      bodies.map((body) => `(?P<NAME>${body})`),
    ),
    fc.constantFrom('', '', '$'),
  )
  .map((parts) => {
    let names = 0
    return parts.join('').replaceAll('NAME', () => `n${names++}`)
  })
const chars = fc.constantFrom(
  ...['a', 'a', 'b', 'b', 'c', 'A', 'K', 'k', 's', 'é', '1', '.', ' ', '\n', '\r', '\u2028'],
  ...['\u{1f600}', '\ud83d', '\ude00', '\u212a', '\u017f', '\ufffd'],
)
const texts = fc.array(chars, { maxLength: 12 }).map((all) => all.join(''))

describe('whatever runs on the built-in engine', () => {
  it('says the same as the linear one, captures included', () => {
    let proven = 0
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 5, maxLength: 20 }), (pattern, all) => {
        const result = compileRegex(pattern, { ci: false, search: true })
        if (!result.ok || result.regex.engine === 'linear') return
        proven += 1
        const linear = RE2JS.compile(pattern)
        for (const text of all) {
          expect(result.regex.test(text), text).to.equal(linear.test(text))
          const matcher = linear.matcher(text)
          const groups = matcher.find() ? Object.entries(matcher.getNamedGroups()) : []
          const want = groups.filter(([, group]) => group !== null)
          const captured = result.regex.captures(text)
          expect(captured === null, text).to.equal(!linear.test(text))
          expect(Object.entries(captured ?? {}).toSorted(), text).to.deep.equal(want.toSorted())
        }
      }),
      { numRuns: 2_000 },
    )
    expect(proven).to.be.greaterThan(200)
  }).timeout(20_000)

  it('holds the text that the index looks for, on either engine', () => {
    fc.assert(
      fc.property(patterns, fc.array(texts, { minLength: 5, maxLength: 20 }), (pattern, all) => {
        const result = compileRegex(pattern, { ci: false, search: true })
        if (!result.ok || result.regex.literal === null) return
        const { test, literal } = result.regex
        for (const text of all.filter((each) => test(each))) {
          if (literal.kind === 'equals') expect(text).to.equal(literal.text)
          else if (literal.kind === 'prefix') expect(text.startsWith(literal.text)).to.equal(true)
          else expect(text).to.include(literal.text)
        }
      }),
      { numRuns: 1_000 },
    )
  }).timeout(20_000)

  it('costs a backtracking engine a bounded number of steps for each character', () => {
    // Repeated pieces and a last character that spoils the match: what makes an engine go back.
    const pumped = fc
      .tuple(
        fc.array(
          texts.filter((text) => text !== ''),
          { minLength: 1, maxLength: 3 },
        ),
        chars,
      )
      .map(
        ([pieces, last]) =>
          pieces
            .map((piece) => piece.repeat(60))
            .join('')
            .slice(0, 300) + last,
      )
    let proven = 0
    fc.assert(
      fc.property(patterns, pumped, (pattern, text) => {
        const parsed = parseRegex(pattern, false)
        if (parsed === null || backtrackable(parsed) === null) return
        proven += 1
        const stepsPerChar = stepsOf(parsed.root, [...text]) / (text.length + 1)
        // 16 series of choices, each with a look at every piece of the pattern; or 256 steps a place.
        expect(stepsPerChar).to.be.lessThan(Math.max(256, 16 * pattern.length))
      }),
      { numRuns: 2_000 },
    )
    expect(proven).to.be.greaterThan(200)
  }).timeout(20_000)

  it('would cost far more, were a loop in a loop let through', () => {
    const parsed = parseRegex('^(?:a+)+$', false)
    const text = [...'a'.repeat(16), '!']
    expect(parsed === null ? 0 : stepsOf(parsed.root, text) / text.length).to.be.greaterThan(5_000)
  })
})

/** Steps of the textbook's backtracking, from every start, until the first match. */
function stepsOf(root: RegexNode, text: readonly string[]): number {
  let steps = 0
  const isIn = (set: readonly number[] | null, char: string): boolean => {
    const code = char.codePointAt(0) ?? 0
    return (
      set?.some((from, i) => i % 2 === 0 && from <= code && code <= (set[i + 1] ?? from)) ?? true
    )
  }
  const run = (node: RegexNode, at: number, then: (at: number) => boolean): boolean => {
    steps += 1
    switch (node.kind) {
      case 'char': {
        const char = text[at]
        return char !== undefined && isIn(node.set, char) && then(at + 1)
      }
      case 'assert':
        return at === (node.what === 'start' ? 0 : text.length) && then(at)
      case 'group':
        return run(node.of, at, then)
      case 'cat':
        return row(node.of, at, then)
      case 'alt':
        return node.of.some((branch) => run(branch, at, then))
      case 'repeat': {
        const round = (count: number, from: number): boolean => {
          const again = (): boolean =>
            count < node.max && run(node.of, from, (end) => end > from && round(count + 1, end))
          const leave = (): boolean => count >= node.min && then(from)
          return node.isLazy ? leave() || again() : again() || leave()
        }
        return round(0, at)
      }
    }
  }
  const row = (items: readonly RegexNode[], at: number, then: (at: number) => boolean): boolean => {
    const [first, ...rest] = items
    return first === undefined ? then(at) : run(first, at, (end) => row(rest, end, then))
  }
  for (let start = 0; start <= text.length; start++) if (run(root, start, () => true)) break
  return steps
}

describe('a pattern that stalls other engines', () => {
  const evil: [pattern: string, pumped: string, last: string][] = [
    ['^(a+)+$', 'a', '!'],
    ['^([a-zA-Z]+)*$', 'a', '!'],
    ['^(a|aa)+$', 'a', '!'],
    ['^(a|a)*b', 'a', '!'],
    ['^(a|a?)+$', 'a', '!'],
    ['^(.*a){20}$', 'a', '!'],
    ['^(.*)*x$', 'ax', '!'],
    ['^(?:a{0,12}){0,12}$', 'a', '!'],
    ['^(\\w+\\s?)*$', 'ab ', '!'],
    ['^(?:(?:x+x+)+y)', 'x', ''],
    ['(?:[a-z]+)+\\d$', 'a', ''],
    ['\\s+$', ' ', 'x'],
    ['[ab]*a[ab]{30}c', 'abbab', 'c'],
  ]
  for (const [pattern, pumped, last] of evil) {
    it(`runs on the linear engine and says no to the longest value: ${pattern}`, () => {
      const result = compileRegex(pattern, { ci: false, search: true })
      if (!result.ok) throw new Error(result.message)
      const text = pumped.repeat(valueCharsMax).slice(0, valueCharsMax - last.length) + last
      expect(result.regex.engine).to.equal('linear')
      expect(result.regex.test(text)).to.equal(false)
      expect(result.regex.captures(text)).to.equal(null)
    })
  }
})
