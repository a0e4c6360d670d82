import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { machineTime } from '../../src/drivers/embedded/machine-time.ts'
import { openStoreFile } from '../../src/drivers/embedded/store-file.ts'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { stampAt } from './store-contract.ts'

/*
 * Another process with the store in the folder argv[2] open, made to be stopped and killed; what it
 * does is argv[3]. See embedded-store.test.ts.
 */

const [, , path = '', deed = ''] = process.argv

const open = () =>
  openEmbeddedStore({
    path,
    clock: systemClock,
    logger: silentLogger,
    listener: new RecordingStoreListener(),
    timeoutMs: 10_000,
  })

const runOf = (key: string, token: string) => ({
  ...{ rule: 'r', key, token, task: token, stamp: stampAt(1) },
  ...{ leaseMs: 600_000, against: 'lease', windowMs: 600_000, keepMs: 0 },
})

/** Leaves a lease on the key `leased` and a window on the key `marked`. */
async function leave(): Promise<void> {
  const store = await open()
  await store.claim({ ...runOf('leased', 'member'), against: 'lease' })
  await store.complete(runOf('marked', 'member'))
  process.send?.('left')
}

/** Stands still inside a transaction, and goes on when it is told to. */
function stop(): void {
  const file = openStoreFile(path, machineTime(systemClock).era)
  file.entries.transactionSync(() => void process.kill(process.pid, 'SIGSTOP'))
  process.send?.('gone on')
}

/** Takes one key again and again, and says how often another had it at the same time. */
async function contend(): Promise<void> {
  const store = await open()
  const clashes = await contendFor(store, path, `${process.pid}`, 300)
  process.send?.(clashes)
  await store.close()
}

/** Has the key `turns` times; how often somebody else had it meanwhile, by a file that only one makes. */
export async function contendFor(
  store: Store,
  folder: string,
  name: string,
  turns: number,
): Promise<number> {
  const mine = join(folder, 'held')
  let clashes = 0
  for (let turn = 0, tries = 0; turn < turns; tries++) {
    const run = runOf('contended', `${name}/${tries}`)
    const { kind } = await store.claim({ ...run, against: 'lease' })
    if (kind !== 'new') continue
    turn++
    try {
      closeSync(openSync(mine, 'wx'))
      await Promise.resolve()
      rmSync(mine)
    } catch {
      clashes++
    }
    await store.release(run)
  }
  return clashes
}

switch (deed) {
  case 'leave':
    await leave()
    break
  case 'stop':
    stop()
    break
  case 'contend':
    await contend()
}
