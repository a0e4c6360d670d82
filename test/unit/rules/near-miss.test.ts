import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { inspectCondition, type Inspected } from '../../../src/rules/inspect-condition.ts'
import { anEvent } from '../../support/builders.ts'
import { conditionOf } from '../../support/conditions.ts'

/** What is told of the only test of a block. */
function told(when: Json, body: Json, headers: readonly string[] = []): string | null {
  const record = { headers: headers.map((name) => [name, Buffer.from('x')] as const) }
  return leafOf(inspectCondition(conditionOf(when), anEvent(body, record))).nearMiss
}

function leafOf(part: Inspected): Inspected {
  const [child] = part.children
  return child === undefined ? part : leafOf(child)
}

describe('a near miss', () => {
  const rows: readonly (readonly [when: Json, body: Json, told: string | null])[] = [
    // one value for another
    [{ a: 'edit' }, { a: 'Edit' }, 'it differs only in case'],
    [{ a: ['move', 'edit'] }, { a: 'EDIT' }, 'it differs only in case'],
    [{ a: 'edit' }, { a: 'edit ' }, 'it is off by white space at the end'],
    [{ a: 'edit' }, { a: '\tedit' }, 'it is off by white space at the beginning'],
    [{ a: 'edit' }, { a: ' edit\n' }, 'it is off by white space at both ends'],
    [{ a: 'caf\u00e9' }, { a: 'cafe\u0301' }, 'it differs only in how its accents are composed'],
    [{ a: 0 }, { a: '0' }, 'it is the string "0", the rule asks for the number 0'],
    [{ a: '0' }, { a: 0 }, 'it is the number 0, the rule asks for the string "0"'],
    [{ a: true }, { a: 'true' }, 'it is the string "true", the rule asks for true'],
    [{ a: 'false' }, { a: false }, 'it is false, the rule asks for the string "false"'],
    [{ a: null }, { a: 'null' }, 'it is the string "null", the rule asks for null'],
    [{ a: 'enwiki' }, { a: 'enwkii' }, 'it looks like "enwiki"'],
    [
      { a: 'en.wikipedia.org' },
      { a: 'en.wikipedia.com/x' },
      'it agrees up to character 13, with "en.wikipedia."',
    ],
    [{ a: 'edit' }, { a: 'edit-conflict' }, 'it begins with "edit" and goes on'],
    [{ a: 'edit' }, { a: 'move' }, null],
    [{ a: 1 }, { a: 2 }, null],
    [{ a: { not: 'edit' } }, { a: 'edit' }, null],
    // parts of texts
    [{ a: { prefix: 'Talk:' } }, { a: 'talk:x' }, 'it differs only in case'],
    [{ a: { prefix: 'Talk:' } }, { a: ' Talk:x' }, 'it is off by white space at the beginning'],
    [
      { a: { prefix: 'Talk:' } },
      { a: 'User Talk:x' },
      'it holds the text, but not at the beginning',
    ],
    [{ a: { prefix: '/wiki/a' } }, { a: '/wiki/b' }, 'it agrees up to character 6, with "/wiki/"'],
    [{ a: { suffix: '.org' } }, { a: 'x.org ' }, 'it is off by white space at the end'],
    [{ a: { suffix: '.org' } }, { a: 'x.org:443' }, 'it holds the text, but not at the end'],
    [{ a: { contains: 'bot' } }, { a: 'aBOTb' }, 'it differs only in case'],
    [{ a: { glob: 'User:*' } }, { a: 'user:x' }, 'it differs only in case'],
    [{ a: { glob: 'Users/*' } }, { a: 'Users-x' }, 'it agrees up to character 5, with "Users"'],
    [{ a: { regex: '^[a-z]+$' } }, { a: 'Abc' }, 'it differs only in case'],
    [{ a: { regex: '^[a-z]+$' } }, { a: 'abc\n' }, 'it is off by white space at the end'],
    [{ a: { prefix: 'x' } }, { a: 1 }, 'it is the number 1, the rule asks for a text'],
    [{ a: { prefix: 'x' } }, { a: null }, 'it is null, the rule asks for a text'],
    // numbers
    [{ a: { lt: 100 } }, { a: 100 }, 'it is 100, where the range ends'],
    [{ a: { gt: 100 } }, { a: 100 }, 'it is 100, where the range ends'],
    [{ a: { gte: 100 } }, { a: 99 }, 'it is just outside: the range ends at 100'],
    [{ a: { gte: 100, lte: 200 } }, { a: 205 }, 'it is just outside: the range ends at 200'],
    [{ a: { gte: 100 } }, { a: 12 }, null],
    [{ a: { gte: 100 } }, { a: '120' }, 'it is the string "120", the rule asks for a number'],
    [{ a: { gte: 100 } }, { a: 'many' }, null],
    [{ a: { gte: 100 } }, { a: null }, 'it is null, the rule asks for a number'],
    // addresses
    [
      { a: { cidr: '10.0.0.0/8' } },
      { a: '10.0.0.1:80' },
      'it is no address alone, but holds "10.0.0.1"',
    ],
    [{ a: { cidr: '::/0' } }, { a: '[::1]:80' }, 'it is no address alone, but holds "::1"'],
    [{ a: { cidr: '::/0' } }, { a: 'fe80::1%eth0' }, 'it is no address alone, but holds "fe80::1"'],
    [{ a: { cidr: '10.0.0.0/8' } }, { a: 'Alice' }, 'it is no IP address'],
    [{ a: { cidr: '10.0.0.0/8' } }, { a: '::1' }, 'it is an address of IPv6, the block is of IPv4'],
    [{ a: { cidr: '::/0' } }, { a: '10.0.0.1' }, 'it is an address of IPv4, the block is of IPv6'],
    [{ a: { cidr: '10.0.0.0/8' } }, { a: '11.0.0.1' }, null],
    // a field that is absent
    [
      { 'page.namespace_id': 0 },
      { page: { namespace: 0 } },
      'there is `page.namespace`, not `page.namespace_id`',
    ],
    [{ 'page.title': 'x' }, { page: { Title: 'x' } }, 'there is `page.Title`, not `page.title`'],
    [
      { 'meta.domain': 'x' },
      { metadata: {}, meat: { domain: 'x' } },
      'there is `meat.domain`, not `meta.domain`',
    ],
    [{ 'page.title': 'x' }, { old: { title: 'x' } }, 'there is `old.title`, not `page.title`'],
    [{ 'page.title': 'x' }, { 'page.title': 'x' }, 'there is `page\\.title`, not `page.title`'],
    [{ title: 'x' }, { page: { title: 'x' } }, 'there is `page.title`, not `title`'],
    [{ 'page.title': 'x' }, { page: 'Main' }, '`page` is no map: nothing is below it'],
    [
      { 'links.id': 7 },
      { links: [{ id: 7 }] },
      '`links` is a list: `some: { path: links, where: { id: .. } }` looks into its elements',
    ],
    [{ a: 'x' }, ['x'], 'the event is no map: it has no fields'],
    [{ a: null }, { b: 1 }, 'it is absent, and the rule asks for null'],
    [{ a: { exists: true } }, { A: 1 }, 'there is `A`, not `a`'],
    [{ a: { exists: false } }, { a: null }, 'it is null, which counts as present'],
    [{ a: { exists: false } }, { a: 1 }, null],
    [{ kind: 'x' }, {}, null],
    // lists and maps
    [{ a: 'x' }, { a: { b: 1 } }, 'it is a map: a field below it is read with its own path'],
    [{ a: 'x' }, { a: [{ b: 'x' }] }, 'it is a list of maps: only `some` looks into them'],
    [{ a: 'x' }, { a: [['x']] }, 'it is a list of lists, which no test looks into'],
    [{ a: 'x' }, { a: [] }, 'it is an empty list'],
    [{ a: 'x' }, { a: ['y', 'X'] }, 'of its element "X": it differs only in case'],
    [{ a: { len: 2 } }, { a: ['x'] }, 'it has 1 element'],
    [{ a: { len: 2 } }, { a: 'xx' }, 'it is no list, but the text "xx"'],
    [{ a: { has_all: ['x', 'y'] } }, { a: ['x'] }, 'it lacks "y"'],
    [{ a: { has_only: ['x'] } }, { a: ['x', 'y'] }, 'it holds "y" as well'],
    [{ a: { has_only: ['x'] } }, { a: ['x', {}] }, 'it holds a map as well'],
    [{ a: { prefix: 'a', suffix: 'b' } }, { a: 'aB' }, 'it differs only in case'],
    [{ a: { len: 1, prefix: 'x' } }, { a: ['X'] }, 'of its element "X": it differs only in case'],
    // the value of another path
    [{ a: { same_as: 'b' } }, { a: 'x', b: 'X' }, 'it differs only in case'],
    [
      { a: { same_as: 'b' } },
      { a: 1, b: '1' },
      'it is the number 1, the rule asks for the string "1"',
    ],
    [{ a: { same_as: 'b' } }, { a: 1 }, '`b` is absent'],
    [{ a: { differs_from: 'b' } }, { a: 1, b: 1 }, null],
    // elements
    [{ some: { path: 'a', where: { b: 'x' } } }, { a: [{ b: 'X' }] }, 'it differs only in case'],
    [
      { some: { path: 'a', where: { b: 'x' } } },
      { a: ['x'] },
      'the element is no map: it has no fields',
    ],
    [
      { some: { path: 'a', where: { b: 'x' } } },
      { a: 'x' },
      '`some` looks into a list, and this is none',
    ],
  ]
  for (const [when, body, expected] of rows) {
    it(`of ${JSON.stringify(when)} with ${JSON.stringify(body)}`, () => {
      expect(told(when, body)).to.equal(expected)
    })
  }

  it('names a header that differs in case', () => {
    const when = { '@headers.X-Source': 'x' }
    expect(told(when, {}, ['x-source'])).to.equal('the record has `@headers.x-source`')
    expect(told(when, {}, ['trace'])).to.equal(null)
  })

  it('is not looked for in all of a long list', () => {
    // Short ones: a regex is in doubt about a list with more than it may see together.
    const others = Array.from({ length: 50_000 }, (_, i) => `${i % 10}`)
    const when = { a: { regex: '^(edit|move)$' } }
    expect(told(when, { a: ['Edit', ...others] })).to.equal(
      'of its element "Edit": it differs only in case',
    )
    expect(told(when, { a: [...others, 'Edit'] })).to.equal(null)
  }).timeout(2_000) // of each element it took half a minute

  it('is not looked for in every element of a `some`, and found in the nearest', () => {
    const tags = Array.from({ length: 100 }, (_, i) => `nothing like it ${i}`)
    const others = Array.from({ length: 5_000 }, () => ({ tags }))
    const when = { some: { path: 'a', where: { tags: { glob: 'edit' }, b: 1 } } }
    const nearest = { b: 1, tags: ['Edit'] }
    const inspected = inspectCondition(conditionOf(when), anEvent({ a: [...others, nearest] }))
    const [first] = inspected.children
    expect(first?.path).to.equal('a[5000]')
    expect(first?.children[0]?.children[0]?.nearMiss).to.equal(
      'of its element "Edit": it differs only in case',
    )
  }).timeout(2_000)

  it('is not looked for in all of a large event', () => {
    const deep = { z: { title: 'x' } }
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, {}]))
    expect(told({ title: 'x' }, { ...wide, ...deep })).to.equal(null)
  })

  it('is not looked for in all of a deep event', () => {
    let body: Json = { title: 'x' }
    for (let i = 0; i < 50_000; i++) body = { a: body }
    const inspected = inspectCondition(conditionOf({ title: 'x' }), { ...anEvent(), body })
    expect(inspected.nearMiss).to.equal(null)
  })
})
