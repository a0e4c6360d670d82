import { expect } from 'chai'
import { isCidr, parseCidr } from '../../../../src/rules/cidr.ts'
import { AddressTrie } from '../../../../src/rules/match-index/address-trie.ts'
import { Candidates } from '../../../../src/rules/match-index/candidates.ts'
import { foundRules, indicesWhere } from './found-rules.ts'

const blocks = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3/32',
  '255.255.255.255/32',
  '128.0.0.0/1',
  '::/0',
  '::ffff:10.0.0.0/104',
  '::ffff:0:0/96',
  '2001:db8::/32',
  '2001:db8::1/128',
  '2601:680:4000::/42',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
]

const values = [
  '10.1.2.3',
  '10.1.2.4',
  '10.200.0.0',
  '11.0.0.0',
  '255.255.255.255',
  '127.255.255.255',
  '::',
  '::ffff:10.1.2.3',
  '::ffff:0a01:0203',
  '2001:db8::1',
  '2001:DB8:0:0:0:0:0:1',
  '2001:db9::',
  '2601:680:4000:A780:3DB5:3CEC:7D5F:92FB',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  '10.1.2',
  '10.01.2.3',
  'Ss112',
  '',
]

describe('a look-up of addresses', () => {
  const trie = new AddressTrie()
  blocks.forEach((block, rule) => trie.add(block, { rule, lists: [] }))
  const found = new Candidates(blocks.length)
  const tests = blocks.map((block) => {
    const cidr = parseCidr(block)
    if (!isCidr(cidr)) throw new Error(cidr.message)
    return cidr
  })

  for (const value of values) {
    it(`leaves out no block that holds ${value === '' ? 'the empty text' : value}`, () => {
      const want = indicesWhere(tests, ({ contains }) => contains(value))
      const numbers = foundRules(found, () => trie.lookUp(value, found))
      expect(numbers).to.include.members(want)
      // One too many is found where a block is written in the other family only.
      expect(numbers.length - want.length).to.be.at.most(1)
    })
  }

  it('finds two rules of one block', () => {
    trie.add('10.1.2.3/32', { rule: 0, lists: [] })
    expect(foundRules(found, () => trie.lookUp('10.1.2.3', found))).to.include.members([0, 3])
  })
})
