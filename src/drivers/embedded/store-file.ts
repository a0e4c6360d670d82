import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { open } from 'lmdb'
import { PortError } from '../../ports/port-error.ts'
import type { StoreTrouble } from '../../ports/store.ts'
import { checkFile } from './check-file.ts'
import { logFileIn, natureOf } from './environment.ts'
import type { Entries } from './store-entries.ts'

/*
 * The LMDB environment of the store: one of its own, because the log's commits wait for the disk and
 * a claim must not. It is never synced: what is committed is in the kernel's hands and seen by every
 * process at once, so that it outlives any of them, but not a power cut. Behind one of those such a
 * file may be broken in ways that only show when it kills whoever writes to it. Therefore the folder
 * is named for this start of the machine, and files of earlier ones are removed unread: an emptied
 * store costs repeats inside open windows (delivery.md, 8), a broken one could cost the daemon.
 *
 *   <path>/store/<start of the machine>.v1/data.mdb    key of an entry -> entry (store-entries.ts)
 */

/** The layout of the entries. Two Sluices of different layouts do not see each other's marks. */
const layout = 'v1'

export interface StoreFile {
  readonly entries: Entries
  /** Whether there was something that had to make way, and why. */
  readonly replaced: 'no' | 'machine-started' | 'damaged'
  /** Whether the file is still the one that others find in its place: folders can be removed. */
  isInPlace(): Promise<boolean>
  close(): Promise<void>
}

function folderIn(path: string, era: string): string {
  return join(path, 'store', `${era}.${layout}`)
}

/**
 * What this process has open, by folder. Clients of one process share it: to open the file takes the
 * writers' lock on the event loop, which another client's transaction may be waiting for.
 */
const openFiles = new Map<string, SharedFile>()

interface SharedFile {
  readonly entries: RootDatabase<Buffer, Buffer>
  readonly file: string
  readonly inode: number
  users: number
}

/**
 * Opens or makes the store below the folder `path`. Throws a PortError where that cannot be; a
 * damaged file is replaced by an empty one.
 */
export function openStoreFile(path: string, era: string): StoreFile {
  const folder = folderIn(path, era)
  const file = logFileIn(folder)
  const known = openFiles.get(folder)
  if (known !== undefined && inodeOf(file) === known.inode) return sharing(folder, known, 'no')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 }) // keys may hold what events do
    const isLater = removeOthers(path, era)
    const isDamaged = !isSound(folder)
    if (isDamaged) {
      removeStoreFile(path, era)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    }
    const entries = openEntries(folder)
    const shared = { entries, file, inode: statSync(file).ino, users: 0 }
    openFiles.set(folder, shared)
    return sharing(folder, shared, isDamaged ? 'damaged' : isLater ? 'machine-started' : 'no')
  } catch (error) {
    throw openingError(error, path)
  }
}

/**
 * Makes way for an empty store. Whoever has the file open finds that it is not in place any more.
 * Where that cannot be, or another process was faster, the next look at what is there tells.
 */
export function removeStoreFile(path: string, era: string): void {
  // Moved in one step, so that nobody finds the data without its locks, or the other way round.
  const gone = join(path, 'store', `gone-${process.pid}`)
  try {
    rmSync(gone, { recursive: true, force: true })
    renameSync(folderIn(path, era), gone)
    rmSync(gone, { recursive: true, force: true })
  } catch {
    return
  }
}

function sharing(folder: string, shared: SharedFile, replaced: StoreFile['replaced']): StoreFile {
  const { entries, file, inode } = shared
  shared.users++
  return {
    entries,
    replaced,
    async isInPlace() {
      try {
        return (await stat(file)).ino === inode
      } catch {
        return false
      }
    },
    async close() {
      if (--shared.users > 0) return
      if (openFiles.get(folder) === shared) openFiles.delete(folder)
      await entries.close()
    },
  }
}

function inodeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.ino ?? null
}

function openEntries(folder: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path: folder,
    noSubdir: false, // a dot in the name of the folder would make it a file otherwise
    encoding: 'binary',
    keyEncoding: 'binary',
    noSync: true,
    overlappingSync: false,
    // We make the batches; and with lmdb's own, a failed commit also rejects a promise that nobody
    // can reach, which ends the process.
    eventTurnBatching: false,
  })
}

/** Whether the file in `folder` is one, or there is none. */
function isSound(folder: string): boolean {
  try {
    checkFile(folder, logFileIn(folder))
    return true
  } catch (error) {
    if (error instanceof PortError && error.code === 'damaged') return false
    throw error
  }
}

/** Removes what earlier starts of the machine left; tells whether there was any. */
function removeOthers(path: string, era: string): boolean {
  const folders = readdirSync(join(path, 'store')).filter((name) => folderForm.test(name))
  const earlier = folders.filter((name) => !name.startsWith(`${era}.`))
  for (const name of earlier) rmSync(join(path, 'store', name), { recursive: true, force: true })
  return earlier.length > 0
}

/** Nothing else is ours to remove. */
const folderForm = /^(any|[0-9a-f-]{36})\.v\d+$/

function openingError(error: unknown, path: string): PortError {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const folder = join(path, 'store')
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    const message = `${folder} is not a folder: move it away, or set bus.path`
    return new PortError('store', 'invalid', message, { cause: error })
  }
  const { trouble, text } = troubleOf(error, path)
  if (trouble === 'denied') {
    const message = `the embedded store in ${folder} cannot be written: give this user the right to, or set bus.path`
    return new PortError('store', 'denied', message, { cause: error })
  }
  const portCode = trouble === 'full' || trouble === 'damaged' ? trouble : 'unreachable'
  return new PortError('store', portCode, text, { cause: error })
}

/** What the failure of a transaction, or of opening, is to those behind the port. */
export function troubleOf(
  error: unknown,
  path: string,
): { readonly trouble: StoreTrouble; readonly text: string } {
  const folder = join(path, 'store')
  const why = error instanceof Error ? error.message : String(error)
  switch (natureOf(error, path)) {
    case 'full':
      return { trouble: 'full', text: `no room on the disk of the embedded store in ${folder}` }
    case 'damaged':
      return { trouble: 'damaged', text: `the file of the embedded store in ${folder} is broken` }
    case 'denied':
      return { trouble: 'denied', text: `the embedded store in ${folder} cannot be written` }
    case 'other':
      return {
        trouble: 'refused',
        text: `the embedded store in ${folder} does not take writes: ${why}`,
      }
  }
}
