import { readFileSync } from 'node:fs'
import type { Clock } from '../../ports/clock.ts'

/** The time that every process of this machine agrees on, from one start of the machine to the next. */
export interface MachineTime {
  /** Times compare while this stays the same. Fit to be the name of a folder. */
  readonly era: string
  /** Whole milliseconds since some moment. */
  nowMs(): number
}

/** Where Linux says which start of the machine this is. */
const bootFile = '/proc/sys/kernel/random/boot_id'

/**
 * Time since the machine was started, which nobody can set: a wall clock put back by an hour would
 * make each lease last an hour longer. Where the start has no name that we can read, wall time.
 */
export function machineTime(clock: Clock): MachineTime {
  const boot = bootId()
  if (boot === null) return { era: 'any', nowMs: () => Math.floor(clock.now()) }
  // Node counts `hrtime` from the start of the machine (CLOCK_MONOTONIC), `performance.now` from
  // that of the process.
  return { era: boot, nowMs: () => Number(process.hrtime.bigint() / 1_000_000n) }
}

function bootId(): string | null {
  try {
    const text = readFileSync(bootFile, 'utf8').trim()
    return /^[0-9a-f-]{36}$/.test(text) ? text : null
  } catch {
    return null // not Linux, or hidden from this container
  }
}
