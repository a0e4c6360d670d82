import { expect } from 'chai'
import { compileRegex, patternCharsMax, type CompiledRegex } from '../../../src/rules/regex.ts'

function compiled(source: string, options: { ci?: boolean; search?: boolean } = {}): CompiledRegex {
  const result = compileRegex(source, { ci: false, search: false, ...options })
  if (!result.ok) throw new Error(`${source}: ${result.message}`)
  return result.regex
}

describe('a regex', () => {
  const matches: [pattern: string, text: string, want: boolean, ci?: boolean][] = [
    ['^ab', 'abc', true],
    ['^ab', 'cab', false],
    ['^a.c$', 'a\nc', false],
    ['^a.c$', 'a\rc', true],
    ['^a.c$', 'a\u{1f600}c', true],
    ['^a.c$', 'a\ud83dc', true],
    ['^(?s)a.c$', 'a\nc', true],
    ['^a$', 'a\n', false],
    ['\\Aa\\z', 'a', true],
    ['^[^a]$', '\n', true],
    ['^\\d$', '\u0663', false],
    ['^\\s$', '\u00a0', false],
    ['^\\s$', '\v', false],
    ['^\\w+$', 'é', false],
    ['^\\pL+$', 'élan', true],
    ['^[[:upper:]]+$', 'AB', true],
    ['^\\x41\\x{1F600}$', 'A\u{1f600}', true],
    ['^\\101$', 'A', true],
    ['^\\Qa.b\\E$', 'a.b', true],
    ['^\\Qa.b\\E$', 'axb', false],
    ['^[a\\-z]$', '-', true],
    ['^[]a]+$', ']a', true],
    ['^a{,2}$', 'a{,2}', true],
    ['^talk:', 'TALK:x', true, true],
    ['^kas', '\u212aA\u017f', true, true],
    ['^é', 'É', true, true],
    ['^σ', 'ς', true, true],
    ['^ß', 'SS', false, true],
    ['^(?i)talk', 'TaLk', true],
  ]
  for (const [pattern, text, want, ci] of matches) {
    const what = `${JSON.stringify(text)}${ci === true ? ' whatever its case' : ''}`
    it(`${pattern} is ${want ? '' : 'not '}found in ${what}`, () => {
      expect(compiled(pattern, { ci: ci ?? false }).test(text)).to.equal(want)
    })
  }

  it('is found anywhere with `search`', () => {
    expect(compiled('b+', { search: true }).test('abbc')).to.equal(true)
  })

  const captures: [pattern: string, text: string, want: Record<string, string> | null][] = [
    ['^(?P<lang>[a-z]+)\\.(?<site>\\w+)', 'de.wikipedia.org', { lang: 'de', site: 'wikipedia' }],
    ['^(?P<a>x)?(?P<b>y)?$', 'y', { b: 'y' }],
    ['^(?:(?P<a>x)|(?P<b>y))+$', 'xy', { a: 'x', b: 'y' }],
    ['^(?:(?P<a>a)|(?P<b>ab))', 'ab', { a: 'a' }],
    ['^(unnamed)(?P<a>.*)', 'unnamed1', { a: '1' }],
    ['^(?P<__proto__>a)$', 'a', JSON.parse('{"__proto__":"a"}') as Record<string, string>], // as: it is
    ['^(?P<constructor>.*b)', 'ab', { constructor: 'ab' }],
    ['^(?P<a>x)', 'y', null],
    ['^x', 'x', {}],
  ]
  for (const [pattern, text, want] of captures) {
    it(`${pattern} takes ${JSON.stringify(want)} out of ${text}`, () => {
      const found = compiled(pattern).captures(text)
      expect(JSON.stringify(found)).to.equal(JSON.stringify(want))
    })
  }

  it('lists its named groups and no others', () => {
    expect(compiled('^(a)(?P<x>b)(?<y>c)').groups).to.deep.equal(['x', 'y'])
  })
})

describe('a regex is refused', () => {
  const refusals: [pattern: string, message: RegExp, hint: RegExp | null, offset: number | null][] =
    [
      ['^a(?=b)', /look-around \(`\(\?=`\)/, /`not` or `unless`/, 2],
      ['^a(?!b)', /look-around \(`\(\?!`\)/, /`not` or `unless`/, 2],
      ['^a(?<=b)c', /look-around \(`\(\?<=`\)/, /`not` or `unless`/, 2],
      ['^(?<!a)b', /look-around \(`\(\?<!`\)/, /`not` or `unless`/, 1],
      ['^(a)\\1', /back-reference \(`\\1`\)/, /`same_as`/, 4],
      ['^(?P<x>a)\\k<x>', /back-reference/, /`same_as`/, 9],
      ['^(?P<x>a)(?P=x)', /back-reference/, /`same_as`/, null],
      ['^(?>a)', /atomic/, /no pattern can stall/, 1],
      ['^a*+b', /possessive/, /no pattern can stall/, 2],
      ['^a**', /two repetitions/, /group/, 2],
      ['^a(?#note)', /comments/, /YAML/, 2],
      ['^a\\Z', /`\\Z`/, /`\\z`/, 2],
      ['^\\u0041', /`\\u`/, /x\{20ac\}/, 1],
      ['^a\\h', /no escape/, /backslash/, 2],
      ['^a{1001}', /1,000/, /multiplied/, 2],
      ['^(?:a{100}){11}', /1,000/, /multiplied/, 11],
      ['^[z-a]', /`z-a`/, null, 2],
      ['^\\p{Nope}', /no range or class/, null, 1],
      ['^(a', /without its `\)`/, /\\\(/, null],
      ['^a)', /without its `\(`/, /\\\)/, null],
      ['^[a', /without its `\]`/, /\\\[/, 1],
      ['^+*', /two repetitions|nothing stands/, /./, 1],
      ['*a', /nothing stands before `\*`/, /`\\\*`/, 0],
      ['^a\\', /backslash at the end/, /\\\\/, null],
      ['^(?P<x>a)(?P<x>b)', /two groups are called `x`/, null, null],
      ['^(?P<é>a)', /no named group/, /letters, digits/, 1],
      ['abc', /does not begin with `\^`/, /`search: true`/, null],
      ['a|^b', /does not begin with `\^`/, /`search: true`/, null],
      ['^a|b', /first alternative only/, /`\^\(\?:a\|b\)`/, null],
      ['(?m)^a', /start of any line/, /`\\A`/, null],
      ['', /empty/, /`exists: true`/, null],
      ['^' + 'a'.repeat(patternCharsMax), /above 1000/, /`in`/, null],
      ['^(?:[ab]*a){1,200}c', /steps once its repetitions are written out/, /`in`/, null],
    ]
  for (const [pattern, message, hint, offset] of refusals) {
    it(`with ${pattern.slice(0, 40) || 'nothing in it'}`, () => {
      const result = compileRegex(pattern, { ci: false, search: false })
      if (result.ok) throw new Error('it was accepted')
      expect(result.message).to.match(message)
      if (hint === null) expect(result.hint).to.equal(null)
      else expect(result.hint).to.match(hint)
      expect(result.offset).to.equal(offset)
    })
  }

  it('with the same words whether case counts or not', () => {
    const refusals = [false, true].map((ci) => compileRegex('^a(?=b', { ci, search: true }))
    expect(refusals[0]).to.deep.equal(refusals[1])
  })

  it('never by throwing, whatever the text', () => {
    const pieces = [
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '?',
      '*',
      '\\',
      '^',
      '-',
      ':',
      'P',
      '<',
      'a',
      '1',
      ',',
    ]
    for (let seed = 1; seed < 5_000; seed++) {
      let rest = seed * 2_654_435_761
      let pattern = ''
      for (let i = 0; i < 7; i++, rest = Math.floor(rest / pieces.length)) {
        pattern += pieces[rest % pieces.length] ?? ''
      }
      compileRegex(pattern, { ci: seed % 2 === 0, search: true })
    }
  }).timeout(20_000) // far more than it takes: the machine may be busy
})

describe('`^` is asked for at every branch, so that a pattern', () => {
  const anchored = ['^a', '\\Aa', '(?i)^a', '^(?:a|b)', '^a|^b', '(^a)', '(?:^a|^b)c', '(?i:^a)']
  for (const pattern of anchored) {
    it(`${pattern} needs no \`search\``, () => {
      expect(compileRegex(pattern, { ci: false, search: false }).ok).to.equal(true)
    })
  }
})

describe('for the index, a match of', () => {
  const literals: [pattern: string, want: string | null, search?: boolean][] = [
    ['^abc$', 'equals abc'],
    ['\\Aabc\\z', 'equals abc'],
    ['^a{3}$', 'equals aaa'],
    ['^(?:abc)$', 'equals abc'],
    ['^abc', 'prefix abc'],
    ['^abc.*def', 'prefix abc'],
    ['^a.*defg', 'contains defg'],
    ['^abc?', 'prefix ab'],
    ['^ab+', 'prefix ab'],
    ['^(?:Talk|Template):', 'prefix T'],
    ['^(?:\u{1f600}|\u{1f601})x', 'contains x'],
    ['^(?P<x>abc)d', 'prefix abcd'],
    ['^.*\\.(?:png|gif)$', 'contains .'],
    ['^\\pL+:foo', 'contains :foo'],
    ['^a\\bb', 'prefix ab'],
    ['^(?:abc)+d', 'prefix abc'],
    ['^[a]b', 'prefix ab'],
    ['^.*', null],
    ['^a|^b', null],
    ['^(?i)abc', null],
    ['^a(?i:b)c', null],
    ['abc', 'contains abc', true],
    ['ab.cde', 'contains cde', true],
    ['^abc', 'prefix abc', true],
    ['a$', 'contains a', true],
    ['a|b', null, true],
    ['(?m)^abc', null, true],
  ]
  for (const [pattern, want, search] of literals) {
    it(`${pattern} has to hold: ${want ?? 'nothing that is known'}`, () => {
      const { literal } = compiled(pattern, { search: search ?? false })
      expect(literal === null ? null : `${literal.kind} ${literal.text}`).to.equal(want)
    })
  }

  it('a pattern that ignores case has to hold nothing that is known', () => {
    expect(compiled('^abc', { ci: true }).literal).to.equal(null)
  })
})

describe('a plain prefix', () => {
  const plain: [pattern: string, want: boolean][] = [
    ['^abc', true],
    ['^a\\.b', true],
    ['^é\u{1f600}', true],
    ['^abc$', false],
    ['^ab.', false],
    ['^a\\d', false],
    ['^(?P<x>abc)', false],
    ['^a{2}', false],
    ['^', false],
  ]
  for (const [pattern, want] of plain) {
    it(`${want ? 'is' : 'is not'} ${pattern}`, () => {
      expect(compiled(pattern).isPlainPrefix).to.equal(want)
    })
  }
})
