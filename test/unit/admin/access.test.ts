import { expect } from 'chai'
import fc from 'fast-check'
import { Access, type AdminToken, type Role } from '../../../src/admin/access.ts'
import { formatAddress, isLoopback, parseListenAddress } from '../../../src/admin/listen-address.ts'

const roles: readonly Role[] = ['viewer', 'operator', 'admin']

describe('a role', () => {
  for (const [rank, has] of roles.entries()) {
    for (const [needed, asked] of roles.entries()) {
      it(`${has} ${rank >= needed ? 'may' : 'may not'} act as ${asked}`, () => {
        const token: AdminToken = { name: 'x', role: has, payload: false, value: 'v' }
        const access = new Access([token], null)
        const headers = { authorization: 'Bearer v' }
        expect(access.allows(asked, { method: 'POST', headers, peer: '10.0.0.1' })).to.equal(
          rank >= needed,
        )
      })
    }
  }

  it('is that of the token that was given, whatever other tokens there are', () => {
    const value = fc.stringMatching(/^[!-~]{1,40}$/)
    fc.assert(
      fc.property(fc.uniqueArray(value, { minLength: 1 }), fc.nat(), value, (values, at, other) => {
        const role = (i: number): Role => roles[i % 3] ?? 'viewer'
        const known = values.map((value, i) => ({
          name: `${i}`,
          role: role(i),
          payload: false,
          value,
        }))
        const access = new Access(known, null)
        const mayBeAdmin = (value: string) =>
          access.allows('admin', {
            method: 'GET',
            headers: { authorization: `Bearer ${value}` },
            peer: '127.0.0.1',
          })
        const i = at % values.length
        expect(mayBeAdmin(values[i] ?? '')).to.equal(role(i) === 'admin')
        if (!values.includes(other)) expect(mayBeAdmin(other)).to.equal(false)
      }),
    )
  })
})

describe('an address to listen on', () => {
  const good = ['127.0.0.1:8090', '[::1]:8090', 'localhost:0', '0.0.0.0:65535', 'host.internal:1']
  for (const text of good) {
    it(`is ${text}, read and written alike`, () => {
      const address = parseListenAddress(text)
      expect(address === null ? null : formatAddress(address)).to.equal(text)
    })
  }
  for (const text of [
    '',
    '8090',
    ':8090',
    '127.0.0.1',
    '::1:8090',
    '[x]:1',
    'a:b',
    'a:65536',
    'a b:1',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(parseListenAddress(text)).to.equal(null)
    })
  }
  const reach = { '127.0.0.1': true, '127.9.9.9': true, '::1': true, localhost: true } as const
  for (const host of [...Object.keys(reach), '0.0.0.0', '::', '10.0.0.1', 'localhost.test', '']) {
    it(`${host in reach ? 'is' : 'is not'} this machine's own as ${JSON.stringify(host)}`, () => {
      expect(isLoopback(host)).to.equal(host in reach)
    })
  }
})
