import { isServiceHere } from '../services/availability.ts'
import { startRedis } from '../services/redis.ts'
import { redisFixture } from './redis-fixture.ts'
import { describeStoreContract } from './store-contract.ts'

if (isServiceHere('redis')) {
  describeStoreContract('Redis', async () => {
    const redis = await startRedis()
    return redisFixture(
      { server: { kind: 'standalone', url: redis.url } },
      { wipe: async () => void (await redis.cli(['FLUSHALL'])), close: () => redis.close() },
    )
  })
}
