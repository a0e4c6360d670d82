import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { stampAt } from './store-contract.ts'

/**
 * Fills the small file system argv[2] up to the last page while the store on it is used, then makes
 * room. In a process of its own because only that can mount one; see embedded-store.test.ts.
 */
export interface FullStoreReport {
  /** Troubles told, and `ok`. */
  readonly states: readonly string[]
  /** Some looks at the file later, still without room. */
  readonly withoutRoom: string
  readonly slowestMs: number
  /** What a claim of a new key is answered once there is room. */
  readonly healed: string
  /** What a claim is answered of a key that was taken before. */
  readonly kept: string
}

async function run(path: string): Promise<FullStoreReport> {
  const told = new RecordingStoreListener()
  const shared = { path, clock: systemClock, logger: silentLogger, listener: told }
  const store = await openEmbeddedStore({ ...shared, timeoutMs: 5_000 })
  let slowestMs = 0
  const claim = async (key: string) => {
    const startedMs = performance.now()
    const lease = { rule: 'r', key, token: key, task: key, leaseMs: 600_000 }
    const { kind } = await store.claim({ ...lease, against: 'lease', stamp: stampAt(1) })
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    return kind
  }
  await claim('first')
  const filler = join(path, 'filler')
  const { bavail, bsize } = statfsSync(path)
  writeFileSync(filler, Buffer.alloc(bavail * bsize))
  for (let i = 0; store.state.kind === 'ok'; i++) {
    await Promise.all(Array.from({ length: 100 }, (_, at) => claim(`${i}/${at}`)))
  }
  // Looks at the file every second must not pass for room.
  await systemClock.sleep(2_500)
  const withoutRoom = store.state.kind
  rmSync(filler)
  await told.until('it to heal', () => store.state.kind === 'ok', 10_000)
  const healed = await claim('last')
  const lease = { rule: 'r', key: 'first', token: 'another', task: 'another', leaseMs: 1 }
  const { kind: kept } = await store.claim({ ...lease, against: 'lease', stamp: stampAt(1) })
  await store.close()
  const states = told.states.map((state) => (state.kind === 'ok' ? 'ok' : state.trouble))
  return { states, withoutRoom, slowestMs, healed, kept }
}

process.stdout.write(`report ${JSON.stringify(await run(process.argv[2] ?? ''))}\n`)
