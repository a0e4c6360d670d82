import { readFileSync, readlinkSync } from 'node:fs'

/*
 * Whether the process behind a member is still there. All members are on one host, so a dead one
 * is usually known at once: its pid is gone or belongs to another start. The heartbeat is for what
 * that cannot tell: a process that is stopped or stuck, another pid namespace, another system.
 */

/** A client as it stands in the log: one bus instance of one process. */
export interface ClientEntry {
  readonly pid: number
  /** When the process started, in the kernel's ticks, since pids are used again; `null`: unknown. */
  readonly startedAt: string | null
  /** The running kernel and the pid namespace: pids mean something within one of these only. */
  readonly realm: string | null
  /** Goes up with every heartbeat. A count, no time: clocks of processes may be set apart. */
  readonly beat: number
}

/** How often a client tells that it lives. */
export const beatMs = 1_000
/** Without a beat for this long a client counts as gone: two beats may be late, the third not. */
export const sessionMs = 3_000

export function ownEntry(): ClientEntry {
  return {
    pid: process.pid,
    startedAt: statOf(process.pid)?.startedAt ?? null,
    realm: ownRealm(),
    beat: 0,
  }
}

/** Whether it is certain that the process of `entry` is no more. */
export function isDead(entry: ClientEntry, realm = ownRealm()): boolean {
  if (entry.realm === null || realm === null) return false
  if (entry.realm !== realm) {
    // Another kernel has started since: nothing of the former one runs. Another namespace of this
    // one (a container that shares the folder) may well run; its heartbeat will tell.
    return kernelOf(entry.realm) !== kernelOf(realm)
  }
  const stat = statOf(entry.pid)
  if (stat === null) return !answersSignals(entry.pid)
  // A zombie has died; its parent has only not asked yet how.
  if (stat.state === 'Z' || stat.state === 'X') return true
  return entry.startedAt !== null && stat.startedAt !== entry.startedAt
}

/** Notices clients whose heartbeat has stopped, by the observer's own monotonic clock. */
export class Heartbeats {
  readonly #seen = new Map<string, { beat: number; sinceMs: number }>()
  #lastLookMs = Number.NEGATIVE_INFINITY

  /** Takes in the beats as they are now, `nowMs` on a clock that never goes back. */
  observe(clients: ReadonlyMap<string, ClientEntry>, nowMs: number): void {
    // If we ourselves did not run for a while (a stopped process, a sleeping machine), what we saw
    // before says nothing about the others: they may have slept with us.
    if (nowMs - this.#lastLookMs > sessionMs / 2) this.#seen.clear()
    this.#lastLookMs = nowMs
    for (const [id, { beat }] of clients) {
      if (this.#seen.get(id)?.beat !== beat) this.#seen.set(id, { beat, sinceMs: nowMs })
    }
    for (const id of this.#seen.keys()) if (!clients.has(id)) this.#seen.delete(id)
  }

  /**
   * Whether `client`, whose entry is now this one, had been silent for a whole session at the last
   * `observe`. A beat since then says that it lives.
   */
  isSilent(client: string, { beat }: ClientEntry): boolean {
    const seen = this.#seen.get(client)
    return seen?.beat === beat && this.#lastLookMs - seen.sinceMs > sessionMs
  }
}

let realmOnce: string | null | undefined

function ownRealm(): string | null {
  realmOnce ??= readRealm()
  return realmOnce
}

function readRealm(): string | null {
  try {
    const kernel = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${kernel} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null // no Linux: the heartbeat alone must do
  }
}

function kernelOf(realm: string): string | undefined {
  return realm.split(' ')[0]
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH' // as: Node's own error
  }
}

/** Fields 3 and 22 of /proc/PID/stat; `null` when there is no such process, or no Linux. */
function statOf(pid: number): { state: string; startedAt: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in field 2 may hold spaces and brackets, so count from its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' }
  } catch {
    return null
  }
}
