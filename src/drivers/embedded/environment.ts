import { mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Database, RootDatabase } from 'lmdb'
import { open } from 'lmdb'
import { PortError } from '../../ports/port-error.ts'
import { checkFile, damaged, notOurs } from './check-file.ts'
import type { ClientEntry } from './liveness.ts'
import type { Group } from './membership.ts'

/*
 * The one LMDB environment and what lies in it. Everything is kept in order of its key, so that a
 * partition is read and trimmed as one run of neighbouring pages.
 *
 *   meta        'format' | 'ids'                 numbers
 *   topics      name                             Topic
 *   partitions  partition id                     PartitionState
 *   log         [partition id, offset]           record (record-codec.ts)
 *   times       [partition id, time, offset]     where the highest time so far was passed
 *   keys        [partition id, key hash]         newest offset of a key, compacted topics only
 *   doomed      [due, partition id, offset]      records that compaction removes at `due`
 *   graves      partition id                     partitions of deleted topics, emptied bit by bit
 *   groups      group                            Group (membership.ts)
 *   offsets     [group, topic, partition]        Committed
 *   clients     client id                        ClientEntry (liveness.ts)
 */

export interface Topic {
  /** The partitions have ids of their own, so that a topic made anew never meets old records. */
  readonly firstId: number
  readonly partitions: number
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  /** The largest record that it must take, above the bound of whoever opens the log; or 0. */
  readonly recordBytesMax: number
  readonly compacted: boolean
}

export interface PartitionState {
  /** The first offset kept. */
  low: number
  /** The offset of the next record. */
  next: number
  /** Of the records kept. */
  bytes: number
  readonly compacted: boolean
  /** The highest timestamp so far and where it came first; -1: no record yet. */
  timeMax: number
  timeMaxAt: number
  /** The offset of the newest entry in `times`; -1: none. */
  timeIndexedAt: number
}

export interface Committed {
  readonly offset: number
  readonly metadata: string
}

export interface Environment {
  readonly path: string
  readonly root: RootDatabase
  readonly meta: Database<number, string>
  readonly topics: Database<Topic, string>
  readonly partitions: Database<PartitionState, number>
  readonly log: Database<Buffer, [number, number]>
  readonly times: Database<null, number[]>
  readonly keys: Database<number, [number, string]>
  readonly doomed: Database<'superseded' | 'tombstone', [number, number, number]>
  readonly graves: Database<null, number>
  readonly groups: Database<Group, string>
  readonly offsets: Database<Committed, [string, string, number]>
  readonly clients: Database<ClientEntry, string>
}

/** The layout of this file and of its values. A higher one in the file is refused. */
const format = 1

/** Room for the databases above and for some that later formats may add. */
const databasesMax = 24
/** Each thread of each process that reads takes one; a machine runs a handful of Sluices. */
const readersMax = 254
/** With records around 1 KiB, 8 KiB pages waste a quarter less than LMDB's default of 4 KiB. */
const pageBytes = 8_192

/** The file of the log in the folder `path`, whether it is there or not. */
export function logFileIn(path: string): string {
  return join(path, 'data.mdb')
}

/** Opens or makes the environment in the folder `path`. Throws a PortError that says what to do. */
export function openEnvironment(path: string): Environment {
  const file = logFileIn(path)
  let root: RootDatabase | null = null
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 }) // events are nobody else's to read
    checkFile(path, file)
    root = open({
      path,
      // A dot in the name of the folder would make it a file otherwise.
      noSubdir: false,
      encoding: 'json',
      maxDbs: databasesMax,
      maxReaders: readersMax,
      pageSize: pageBytes,
      // A commit is then one step: pages, fdatasync, and a synchronous write of the meta page. It is
      // seen by readers and survives a power cut from the same moment on. Overlapping sync, the
      // default, shows records before they are durable; noSync could lose what we acknowledged.
      overlappingSync: false,
      // Our writer makes the batches. With lmdb's own, a failed commit also rejects a promise that
      // nobody can reach, and an unhandled rejection ends the process.
      eventTurnBatching: false,
    })
    const environment = databasesOf(path, root)
    checkFormat(environment, file)
    return environment
  } catch (error) {
    void root?.close()
    throw openingError(error, path)
  }
}

function databasesOf(path: string, root: RootDatabase): Environment {
  const json = { encoding: 'json' } as const
  return {
    path,
    root,
    meta: root.openDB('meta', json),
    topics: root.openDB('topics', json),
    partitions: root.openDB('partitions', json),
    log: root.openDB('log', { encoding: 'binary' }),
    times: root.openDB('times', json),
    keys: root.openDB('keys', json),
    doomed: root.openDB('doomed', json),
    graves: root.openDB('graves', json),
    groups: root.openDB('groups', json),
    offsets: root.openDB('offsets', json),
    clients: root.openDB('clients', json),
  }
}

function checkFormat({ root, meta }: Environment, file: string): void {
  const found = root.transactionSync(() => {
    const known = meta.get('format')
    if (known === undefined) meta.putSync('format', format)
    return known ?? format
  })
  if (found <= format) return
  throw new PortError(
    'bus',
    'invalid',
    `${file} has format ${found}, this Sluice knows formats up to ${format}: ` +
      'start the newer Sluice that wrote it, or point bus.path to another folder',
  )
}

function openingError(error: unknown, path: string): PortError {
  if (error instanceof PortError) return error
  const code = codeOf(error)
  if (natureOf(error, path) === 'denied') {
    const message = `the embedded log in ${path} cannot be written: give this user the right to, or set bus.path`
    return new PortError('bus', 'denied', message, { cause: error })
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    const message = `${path} is not a folder: set bus.path to one`
    return new PortError('bus', 'invalid', message, { cause: error })
  }
  if (code === -30793) return notOurs(logFileIn(path)) // MDB_INVALID
  return environmentError(error, path)
}

/** What the failure of a read or of a commit means to those behind the port. */
export function environmentError(error: unknown, path: string): PortError {
  if (error instanceof PortError) return error
  const text = error instanceof Error ? error.message : String(error)
  const nature = natureOf(error, path)
  if (nature === 'full') {
    const message =
      `no room on the disk of the embedded log in ${path}: make room there; ` +
      'Sluice goes on by itself once there is some'
    return new PortError('bus', 'full', message, { cause: error })
  }
  if (nature === 'damaged') return damaged(logFileIn(path), text, error)
  const message = `the embedded log in ${path} could not be read or written: ${text}`
  return new PortError('bus', 'unreachable', message, { cause: error })
}

/** What is behind an error of LMDB or of the file system, in the folder `path`. */
export function natureOf(error: unknown, path: string): 'full' | 'damaged' | 'denied' | 'other' {
  const code = codeOf(error)
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'ENOSPC' || code === 28 || code === 122 || code === 27 || isFull(code, path)) {
    return 'full'
  }
  if (isDamage(code, text)) return 'damaged'
  const isDenied =
    code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 13 || code === 30
  return isDenied ? 'denied' : 'other'
}

/**
 * LMDB says EIO for a write that was cut short, which is how a disk that fills up shows itself
 * first (mdb_page_flush in mdb.c). Whether it was that, the file system knows.
 */
function isFull(code: unknown, path: string): boolean {
  if (code !== 5) return false
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize < roomBytesMin
  } catch {
    return false // gone with its device: nobody may throw where a failure is being told
  }
}

/** More than one batch of the writer needs, so that a commit with this much room never falls short. */
const roomBytesMin = 64 * 2 ** 20

/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_PANIC, MDB_VERSION_MISMATCH, MDB_INVALID, MDB_BAD_TXN. */
const damageCodes: readonly unknown[] = [-30797, -30796, -30795, -30794, -30793]

function isDamage(code: unknown, text: string): boolean {
  return damageCodes.includes(code) || /^MDB_(PAGE_NOTFOUND|CORRUPTED|PANIC|INVALID)/.test(text)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null
}
