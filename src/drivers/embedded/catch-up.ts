import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { RootDatabase } from 'lmdb'
import { PortError } from '../../ports/port-error.ts'

/*
 * LMDB as lmdb 3.5 has it keeps the number of the last transaction in memory that all processes
 * share, and sets it at every opening to what it read in the file a moment before (mdb_env_open2 in
 * mdb.c). When another process commits in that moment the number goes back by one, and the next
 * transaction of anybody takes the number of that commit again and overwrites it: records are gone
 * that were acknowledged and on the disk.
 *
 * The file itself knows better: its meta pages say which transaction was the last. So each of ours
 * looks there before it writes anything, and gives up where the number is behind. Whoever opens the
 * log sets it anew; a process of its own does so here, since all openings of one process are one.
 */

/** An opening may itself be overtaken by a commit, once in about a thousand. */
const openingsMax = 10

/** A start of Node takes 50 ms, and seconds on a busy machine. */
const openingMsMax = 30_000

/** The transaction would overwrite one that is committed. Nothing of it was written. */
class BehindError extends Error {
  constructor() {
    super('the transaction has the number of one that was committed')
  }
}

/** Inside a write transaction, before it writes: throws a BehindError where it must not. */
export function throwIfBehind(root: RootDatabase): void {
  // as: lmdb types neither; `env` is what its own getStats asks, which also walks the free pages
  const { env } = root as unknown as { env: { info(): { lastTxnId: number } } }
  if (root.getWriteTxnId() <= env.info().lastTxnId) throw new BehindError()
}

/**
 * Runs a transaction that begins with `throwIfBehind`, again and again until it is not behind.
 *
 * @param causeOf - what a rejection of lmdb is really about
 */
export async function caughtUp<T>(
  path: string,
  transact: () => Promise<T>,
  causeOf: (error: unknown) => Promise<unknown>,
): Promise<T> {
  for (let openings = 0; openings < openingsMax; openings++) {
    try {
      return await transact()
    } catch (error) {
      if (!((await causeOf(error)) instanceof BehindError)) throw error
    }
    await openElsewhere(path)
  }
  throw new PortError(
    'bus',
    'unreachable',
    `the embedded log in ${path} is opened all the time: it is not written meanwhile`,
  )
}

const opening =
  'require(process.argv[1]).open({ path: process.argv[2], noSubdir: false, overlappingSync: false }).close()'

async function openElsewhere(path: string): Promise<void> {
  const lmdb = createRequire(import.meta.url).resolve('lmdb')
  const child = spawn(process.execPath, ['-e', opening, lmdb, path], {
    stdio: 'ignore',
    timeout: openingMsMax,
    killSignal: 'SIGKILL',
  })
  // One that could not be started or did not get through is seen by the next transaction.
  await once(child, 'exit').catch(() => undefined)
}
