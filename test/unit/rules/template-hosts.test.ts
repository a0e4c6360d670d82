import { expect } from 'chai'
import {
  hostMatcher,
  isCovered,
  isHostPattern,
  isPlainHost,
} from '../../../src/rules/template-hosts.ts'

describe('the name of a host', () => {
  const cases: [host: string, isPlain: boolean][] = [
    ['cdn.internal', true],
    ['my_service', true],
    ['a', true],
    ['10.0.0.7', true],
    ['xn--bcher-kva.example', true],
    ['a'.repeat(63) + '.b', true],
    ['', false],
    ['.', false],
    ['a.', false],
    ['.a', false],
    ['a..b', false],
    ['-a', false],
    ['a-', false],
    ['A', false],
    ['bücher', false],
    ['xn--a', false],
    ['xn--bcher-KVA', false],
    ['a'.repeat(64), false],
    [Array(64).fill('abcd').join('.'), false],
    ['10.0.0.07', false],
    ['10.0.7', false],
    ['2130706433', false],
    ['0x7f.1', false],
    ['a.0x', false],
    ['a b', false],
    ['a/b', false],
    ['a:80', false],
    ['[::1]', false],
  ]
  for (const [host, isPlain] of cases) {
    it(`${JSON.stringify(host).slice(0, 40)}: ${isPlain ? 'yes' : 'no'}`, () => {
      expect(isPlainHost(host)).to.equal(isPlain)
      if (isPlain) expect(new URL(`http://${host}/`).hostname).to.equal(host)
    })
  }
})

describe('an entry of allow_hosts', () => {
  it('is a host, or *. and a host', () => {
    for (const entry of ['a.org', '*.a.org', 'A.org', '10.0.0.7', '*.internal']) {
      expect(isHostPattern(entry), entry).to.equal(true)
    }
    for (const entry of [
      '',
      '*',
      '*.',
      'a.*',
      '*a.org',
      '*.*.org',
      'a.org:80',
      'http://a',
      '*.0.0.7',
    ]) {
      expect(isHostPattern(entry), entry).to.equal(false)
    }
  })

  it('allows itself, or what lies below it', () => {
    const allows = hostMatcher(['Cdn.internal', '*.wikipedia.org'])
    for (const host of ['cdn.internal', 'en.wikipedia.org', 'en.m.wikipedia.org']) {
      expect(allows(host), host).to.equal(true)
    }
    for (const host of [
      'wikipedia.org',
      'evilwikipedia.org',
      'a.cdn.internal',
      '*.wikipedia.org.x',
    ]) {
      expect(allows(host), host).to.equal(false)
    }
    expect(hostMatcher([])('a')).to.equal(false)
  })

  it('is covered by entries that allow at least as much', () => {
    const config = ['cdn.internal', '*.wikipedia.org']
    for (const entry of [
      'cdn.internal',
      'en.wikipedia.org',
      '*.wikipedia.org',
      '*.m.wikipedia.org',
    ]) {
      expect(isCovered(entry, config), entry).to.equal(true)
    }
    for (const entry of ['wikipedia.org', '*.org', '*.cdn.internal', '*.evilwikipedia.org']) {
      expect(isCovered(entry, config), entry).to.equal(false)
    }
  })
})
