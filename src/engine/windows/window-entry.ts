import type { Stamp } from '../../model/stamp.ts'
import { isCoveredBy } from '../../model/stamp.ts'
import type { Task } from '../../model/task.ts'
import type { Ticket } from '../ticket.ts'

/** An admitted task in the window of its key. */
export interface WindowEntry {
  readonly task: Task
  readonly ticket: Ticket
  readonly stamp: Stamp
  /** The rule's `key`, by which its queue keeps order; `null` where it does not. */
  readonly orderKey: string | null
  /** Monotonic, milliseconds. */
  readonly arrivedMs: number
  /** Monotonic: when one from a tier topic has waited as long as it must; `null`: it is new. */
  readonly dueMs: number | null
}

/** One that leads, those that it covers, and those that it does not. */
export interface Led {
  readonly lead: WindowEntry
  readonly covered: readonly WindowEntry[]
  readonly rest: readonly WindowEntry[]
}

/** The newest leads and covers what is not newer. `null` when there is none. */
export function ledByNewest(entries: readonly WindowEntry[]): Led | null {
  const [first] = entries
  if (first === undefined) return null
  let lead = first
  for (const entry of entries) if (isCoveredBy(lead.stamp, entry.stamp)) lead = entry
  const covered: WindowEntry[] = []
  const rest: WindowEntry[] = []
  for (const entry of entries) {
    if (entry === lead) continue
    if (isCoveredBy(entry.stamp, lead.stamp)) covered.push(entry)
    else rest.push(entry)
  }
  return { lead, covered, rest }
}

/** The first that came leads and covers nothing. `null` when there is none. */
export function ledByFirst([lead, ...rest]: readonly WindowEntry[]): Led | null {
  return lead === undefined ? null : { lead, covered: [], rest }
}
