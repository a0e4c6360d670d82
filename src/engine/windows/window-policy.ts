import type { ClaimRequest } from '../../model/store-calls.ts'
import type { Rule } from '../../rules/rule.ts'

/** What the `dedup` of a rule comes to, in the terms of its windows. */
export interface WindowPolicy {
  readonly rule: string
  /**
   * Which of the events of a key are acted on. `each`: all of them, one at a time, as far as their
   * version is above the newest done.
   */
  readonly keep: 'first' | 'last' | 'both' | 'each'
  /** 0: there is no window. */
  readonly windowMs: number
  readonly waitMaxMs: number
  /** What a first attempt gives way to; one that comes back gives way to newer ones in any case. */
  readonly against: ClaimRequest['against']
  /** How long the newest event that was done is remembered, its window aside. */
  readonly keepMs: number
  readonly onOutage: 'run' | 'wait'
  /** Whether what waits may wait in a tier topic. */
  readonly mayHandOver: boolean
}

/**
 * Versions are compared with what was done within a day at least: a replay or another partition may
 * be that far behind, and a mark for each thing that ever changed would fill the store.
 */
const versionKeptMs = 86_400_000

/**
 * Others that wait for the end of a run ask again within a second. They must find what it did, also
 * where it took longer than its window.
 */
const busyKeptMs = 10_000

/** `null`: the rule has no `dedup`. */
export function windowPolicyOf({ name, dedup, order }: Rule): WindowPolicy | null {
  if (dedup === null) return null
  const { window, version, onOutage } = dedup
  const keep = window?.keep ?? 'each'
  const isByOrder = keep !== 'first' || version !== null
  return {
    rule: name,
    keep,
    windowMs: window?.ms ?? 0,
    waitMaxMs: window?.waitMaxMs ?? 0,
    against: isByOrder ? 'order' : 'window',
    keepMs: version === null ? busyKeptMs : versionKeptMs,
    onOutage,
    // Where the newest covers the others, what comes late from a tier is known to be late. Where each
    // one counts, a tier would let others pass by that came behind it.
    mayHandOver: order === 'none' || covers(keep),
  }
}

/** The newest event of a key stands for those before it. */
export function covers(keep: WindowPolicy['keep']): boolean {
  return keep === 'last' || keep === 'both'
}
