import { machineTime } from '../../src/drivers/embedded/machine-time.ts'
import { openStoreFile } from '../../src/drivers/embedded/store-file.ts'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { contendFor } from './contend.ts'
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

const longMs = 600_000

/** Leaves a lease on the key `leased` and a window on the key `marked`. */
async function leave(): Promise<void> {
  const store = await open()
  const own = { rule: 'r', token: 'member', task: 'member', stamp: stampAt(1) }
  await store.claim({ ...own, key: 'leased', leaseMs: longMs, against: 'lease' })
  await store.complete({ ...own, key: 'marked', windowMs: longMs, keepMs: 0 })
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
