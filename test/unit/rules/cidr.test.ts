import { BlockList, isIP } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { isCidr, parseAddress, parseCidr } from '../../../src/rules/cidr.ts'

function holds(block: string, address: string): boolean {
  const cidr = parseCidr(block)
  expect(isCidr(cidr), block).to.equal(true)
  return isCidr(cidr) && cidr.contains(address)
}

describe('a block of addresses', () => {
  const rows: readonly (readonly [block: string, address: string, holds: boolean])[] = [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['192.168.1.128/25', '192.168.1.128', true],
    ['192.168.1.128/25', '192.168.1.127', false],
    ['203.0.113.7/32', '203.0.113.7', true],
    ['203.0.113.7/32', '203.0.113.6', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:DB8::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['::1/128', '::1', true],
    ['::1/128', '0:0:0:0:0:0:0:1', true],
    ['::/0', 'ffff::', true],
    // an address of one family is in no block of the other, and a mapped one is of IPv4
    ['0.0.0.0/0', '::1', false],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['::/0', '::ffff:10.1.2.3', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:0.0.0.0/96', '::ffff:10.1.2.3', true],
    ['64:ff9b::/96', '64:ff9b::10.1.2.3', true],
    // what is no address
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', '10.0.0', false],
    ['0.0.0.0/0', '10.0.0.1.2', false],
    ['0.0.0.0/0', '10.0.0.256', false],
    ['0.0.0.0/0', '10.0.0.01', false], // some read it as octal
    ['0.0.0.0/0', '10.0.0.1 ', false],
    ['0.0.0.0/0', '10.0.0.1:80', false],
    ['0.0.0.0/0', '10..0.1', false],
    ['0.0.0.0/0', '+1.0.0.1', false],
    ['0.0.0.0/0', '٣.0.0.1', false],
    ['::/0', 'fe80::1%eth0', false], // a zone is not of the address
    ['::/0', '1::2::3', false],
    ['::/0', ':1::2', false],
    ['::/0', '1:2:3:4:5:6:7:', false],
    ['::/0', '1:2:3:4:5:6:7', false],
    ['::/0', '1:2:3:4:5:6:7:8:9', false],
    ['::/0', '1:2:3:4:5:6:7:8::', false],
    ['::/0', '12345::', false],
    ['::/0', '1:2:3:4:5:6:7:1.2.3.4', false],
    ['::/0', '1.2.3.4::', false],
    ['::/0', ':', false],
    ['::/0', '::g', false],
    ['::/0', '1'.repeat(1_000), false],
  ]
  for (const [block, address, expected] of rows) {
    it(`${block} ${expected ? 'holds' : 'does not hold'} ${JSON.stringify(address.slice(0, 40))}`, () => {
      expect(holds(block, address)).to.equal(expected)
    })
  }

  const refused: readonly (readonly [block: string, hint: string])[] = [
    ['10.0.0.1', 'one address alone is `10.0.0.1/32`'],
    ['::1', 'one address alone is `::1/128`'],
    ['10.0.0.1/8', 'the block that holds this address is `10.0.0.0/8`'],
    ['2001:db8::1/32', 'the block that holds this address is `2001:db8::/32`'],
    ['10.0.0.0/33', 'one address alone is `10.0.0.0/32`'],
    ['10.0.0.0/08', 'one address alone is `10.0.0.0/32`'],
    ['10.0.0.0/', 'one address alone is `10.0.0.0/32`'],
    ['::/129', 'one address alone is `::/128`'],
    ['10.0.0/8', 'a block is written `10.0.0.0/8` or `2001:db8::/32`'],
    ['fe80::1%eth0/64', 'a block is written `10.0.0.0/8` or `2001:db8::/32`'],
    ['localhost/8', 'a block is written `10.0.0.0/8` or `2001:db8::/32`'],
  ]
  for (const [block, hint] of refused) {
    it(`is not written ${block}`, () => {
      expect(parseCidr(block)).to.have.property('hint', hint)
    })
  }

  it('is suggested in a spelling that is a block', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.nat({ max: 128 }), (address, length) => {
        fc.pre(isIP(address) === 6)
        const first = parseCidr(`${address}/${length}`)
        const suggested = isCidr(first) ? null : /`([^`]+)`$/.exec(first.hint)?.[1]
        if (suggested != null) expect(isCidr(parseCidr(suggested)), suggested).to.equal(true)
      }),
    )
  })
})

describe('an address', () => {
  const words = new Uint32Array(4)
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{0,20}$/),
    fc.stringMatching(/^(::)?([0-9a-f]{0,4}:){0,8}(\d{1,3}\.){3}\d{1,3}$/),
  )

  it('is what the platform takes for one', () => {
    fc.assert(
      fc.property(text, (address) => {
        expect(parseAddress(address, words), address).to.equal(isIP(address) !== 0)
      }),
      { numRuns: 5_000 },
    )
  })

  it('is in the blocks that the platform puts it in', () => {
    const family = { 4: 'ipv4', 6: 'ipv6' } as const
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 128 }), (address, bits) => {
        const version = isIP(address)
        fc.pre(version === 4 || version === 6)
        const length = version === 4 ? bits % 33 : bits
        const parsed = parseCidr(`${address}/${length}`)
        const block = isCidr(parsed) ? parsed.source : /`([^`]+)`$/.exec(parsed.hint)?.[1]
        const [base = ''] = (block ?? '').split('/')
        const list = new BlockList()
        list.addSubnet(base, length, family[version])
        expect(list.check(address, family[version]), `${block} ${address}`).to.equal(
          holds(block ?? '', address),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
