import type { Event } from '../model/event.ts'
import type { Lineage } from '../model/lineage.ts'

/** What templates read. */
export interface Scope {
  readonly event: Event
  readonly rule: { readonly name: string }
  /** Captures of the match. */
  readonly match: Readonly<Record<string, string>>
  readonly nowMs: number
  /** The lineage of what is being sent, not of the event: one hop further. */
  readonly lineage: Lineage
}
