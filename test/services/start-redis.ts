import { startRedis } from './redis.ts'

// A server until this process ends: `npx tsx test/services/start-redis.ts`. Tells its URL.
const redis = await startRedis()
if (process.send === undefined) console.log(redis.url)
else process.send(redis.url)
process.once('SIGINT', () => void redis.close())
