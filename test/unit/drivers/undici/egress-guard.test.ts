import { expect } from 'chai'
import fc from 'fast-check'
import { EgressGuard, GuardError } from '../../../../src/drivers/undici/egress-guard.ts'

const open = { egress: 'public', allowCidrs: [], denyCidrs: [] } as const

describe('the egress guard, by default,', () => {
  const table: readonly (readonly [reason: string | null, addresses: readonly string[]])[] = [
    [null, ['8.8.8.8', '1.1.1.1', '198.17.255.255', '172.15.0.1', '172.32.0.1', '223.255.255.254']],
    [null, ['100.63.255.255', '100.128.0.1', '11.0.0.1', '169.253.0.1', '192.167.0.1']],
    [null, ['2606:4700::1111', '2001:4860:4860::8888', '2a00:1450::1']],
    [null, ['::ffff:8.8.8.8', '64:ff9b::808:808', '64:ff9b::8.8.8.8']],
    ['loopback', ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1']],
    ['private', ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1']],
    ['private', ['100.64.0.1', '100.127.255.255', 'fc00::1', 'fdff::1', '::ffff:10.0.0.1']],
    ['private', ['::ffff:a00:1', '64:ff9b::a00:1', '64:ff9b::192.168.0.1']],
    ['link-local', ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::', '::ffff:0.0.0.0']],
    ['reserved', ['255.255.255.255', '240.0.0.1', '192.0.0.1', '192.0.2.1', '198.51.100.7']],
    ['reserved', ['203.0.113.9', '198.18.0.1', '198.19.255.255', '192.88.99.1']],
    [
      'reserved',
      ['2001:db8::1', '3fff::1', '2002:7f00:1::', '2001:0:4136::1', '100::1', '5f00::1'],
    ],
    ['reserved', ['fec0::1', '4000::1', '64:ff9b:1::a00:1', '::ffff:0:8.8.8.8', '2001:2::1']],
    ['reserved', ['', 'localhost', '1.2.3', '8.8.8.8.8', 'nonsense']],
  ]
  for (const [reason, addresses] of table) {
    for (const address of addresses) {
      const does = reason === null ? 'lets through' : `refuses as ${reason}`
      it(`${does} ${JSON.stringify(address)}`, () => {
        expect(new EgressGuard(open).refusal(address)).to.equal(reason)
      })
    }
  }
})

describe('the egress guard', () => {
  it('lets through what allow_cidrs names, in every form of it, and not its neighbours', () => {
    const guard = new EgressGuard({ ...open, allowCidrs: ['10.1.0.0/16', '::1', '192.168.0.7'] })
    for (const address of [
      '10.1.2.3',
      '::ffff:10.1.2.3',
      '64:ff9b::a01:203',
      '::1',
      '192.168.0.7',
    ]) {
      expect(guard.refusal(address), address).to.equal(null)
    }
    for (const address of ['10.2.0.1', '::ffff:10.2.0.1', '192.168.0.8']) {
      expect(guard.refusal(address), address).to.equal('private')
    }
  })

  it('refuses what deny_cidrs names, in every form of it, whatever else is allowed', () => {
    const guard = new EgressGuard({
      ...open,
      allowCidrs: ['8.8.0.0/16', '::/0', '0.0.0.0/0'],
      denyCidrs: ['8.8.8.0/24', '2606::/16'],
    })
    for (const address of ['8.8.8.8', '::ffff:8.8.8.8', '64:ff9b::808:808', '2606::1']) {
      expect(guard.refusal(address), address).to.equal('denied')
    }
    expect(guard.refusal('8.8.4.4')).to.equal(null)
  })

  it('knows only allow_cidrs when egress is internal', () => {
    const guard = new EgressGuard({ ...open, egress: 'internal', allowCidrs: ['10.0.0.0/8'] })
    expect(guard.refusal('10.9.9.9')).to.equal(null)
    expect(guard.refusal('8.8.8.8')).to.equal('not-allowed')
    expect(guard.refusal('127.0.0.1')).to.equal('not-allowed')
  })

  it('says which host, which address and which setting', () => {
    const error = new EgressGuard(open).check('cdn.internal', '10.1.2.3')
    expect(error).to.be.instanceOf(GuardError)
    expect(error?.message).to.equal(
      'cdn.internal (10.1.2.3) is a private address and no entry of http.allow_cidrs names it',
    )
    expect(new EgressGuard(open).check('10.1.2.3', '10.1.2.3')?.message).to.match(
      /^10\.1\.2\.3 is /,
    )
  })

  for (const cidr of [
    '10.0.0.0/33',
    '10',
    '010.0.0.0/8',
    'cdn.internal',
    '',
    '::1/129',
    '1.2.3.4/',
  ]) {
    it(`does not start with ${JSON.stringify(cidr)} for a CIDR`, () => {
      expect(() => new EgressGuard({ ...open, allowCidrs: [cidr] })).to.throw('not an address')
    })
  }

  it('judges an IPv4 address alike in all its forms', () => {
    const guard = new EgressGuard({
      ...open,
      allowCidrs: ['10.1.0.0/16'],
      denyCidrs: ['9.0.0.0/8'],
    })
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(guard.refusal(`::ffff:${address}`)).to.equal(guard.refusal(address))
        expect(guard.refusal(`64:ff9b::${address}`)).to.equal(guard.refusal(address))
      }),
    )
  })

  it('never throws, whatever the text', () => {
    const guard = new EgressGuard(open)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => {
        expect(guard.refusal(text)).to.satisfy(
          (it: unknown) => it === null || typeof it === 'string',
        )
      }),
    )
  })
})
