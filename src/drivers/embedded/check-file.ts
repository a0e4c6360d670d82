import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { PortError } from '../../ports/port-error.ts'

/*
 * Looks at the file before LMDB does. LMDB maps it into memory, and where a file ends too early,
 * touching the missing part kills the process (SIGBUS, or an assertion) before anything can be
 * said. A file that is shorter than its own meta page claims is therefore read through by a child
 * process first. Most such files are sound: LMDB leaves out pages at the end that a transaction
 * took and gave back.
 *
 * Source: struct MDB_meta in mdb.c of lmdb 3.5: after a page header of 24 bytes come magic, version,
 * address, map size, two MDB_db of 48 bytes (the first starts with the page size), last page, txn id.
 */

/** Throws a PortError when `file`, in the folder `path`, is there but cannot be used. */
export function checkFile(path: string, file: string): void {
  // An empty file is one that a crash left between its making and its first write.
  if (!existsSync(file) || statSync(file).size === 0) return
  const meta = metaAt(file, 0)
  if (meta === null) throw notOurs(file)
  const other = metaAt(file, meta.pageBytes)
  const lastPage = other !== null && other.txn > meta.txn ? other.lastPage : meta.lastPage
  // The size last: another process may be appending meanwhile.
  const missing = (lastPage + 1) * meta.pageBytes - statSync(file).size
  if (missing > 0 && !canBeRead(path)) throw damaged(file, `${missing} bytes are missing`)
}

function metaAt(file: string, at: number) {
  const bytes = Buffer.alloc(160)
  const descriptor = openSync(file, 'r')
  try {
    if (readSync(descriptor, bytes, 0, bytes.length, at) < bytes.length) return null
  } finally {
    closeSync(descriptor)
  }
  if (bytes.readUInt32LE(24) !== 0xbeefc0de) return null
  return {
    pageBytes: bytes.readUInt32LE(48),
    lastPage: Number(bytes.readBigUInt64LE(144)),
    txn: bytes.readBigUInt64LE(152),
  }
}

/** Reads every database in the file, as CommonJS text, because a child needs no file of ours then. */
const readThrough = `
  const { open } = require(process.argv[1])
  const root = open({ path: process.argv[2], noSubdir: false, readOnly: true, maxDbs: 24 })
  for (const name of [...root.getKeys()]) {
    const database = root.openDB(String(name), { encoding: 'binary' })
    for (const { value } of database.getRange({})) void value
  }
`

/** Far above what reading takes, 1 GiB a second or so; a child that hangs is no proof of health. */
const readingMsMax = 120_000

function canBeRead(path: string): boolean {
  const lmdb = createRequire(import.meta.url).resolve('lmdb')
  const { status } = spawnSync(process.execPath, ['-e', readThrough, lmdb, path], {
    stdio: 'ignore',
    timeout: readingMsMax,
  })
  return status === 0
}

export function notOurs(file: string): PortError {
  return new PortError(
    'bus',
    'damaged',
    `${file} is not a log of Sluice: point bus.path to another folder, or move the file away`,
  )
}

export function damaged(file: string, reason: string, cause?: unknown): PortError {
  const message =
    `${file} is damaged (${reason}): stop every Sluice that uses it, then put a copy back or ` +
    'move the folder away to start with an empty log'
  return new PortError('bus', 'damaged', message, { cause })
}
