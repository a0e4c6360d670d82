import { expect } from 'chai'
import { passwordsOf } from '../../../../src/drivers/redis/client.ts'
import type { RedisStoreOptions } from '../../../../src/drivers/redis/options.ts'
import { redisOptions } from '../../../contract/redis-fixture.ts'

describe('the passwords in use', () => {
  const nodes = [{ host: 'h', port: 1 }]
  const sentinels = { kind: 'sentinel', sentinels: nodes, name: 'n' } as const
  const cases: readonly [
    RedisStoreOptions['server'],
    password: string | null,
    want: readonly string[],
  ][] = [
    [{ kind: 'standalone', url: 'redis://h' }, null, []],
    [{ kind: 'standalone', url: 'redis://:of%20url@h' }, null, ['of url']],
    [{ kind: 'standalone', url: 'redis://:of%20url@h' }, 'own', ['own', 'of url']],
    [sentinels, 'own', ['own']],
    [{ ...sentinels, sentinelPassword: 'theirs' }, 'own', ['own', 'theirs']],
    [{ kind: 'cluster', nodes }, '', []],
  ]
  for (const [server, password, want] of cases) {
    it(`of ${JSON.stringify({ server, password })} are ${JSON.stringify(want)}`, () => {
      expect(passwordsOf(redisOptions({ server, password }))).to.deep.equal(want)
    })
  }
})
