import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import type { Lineage } from '../model/lineage.ts'

/** What templates read. */
export interface Scope {
  readonly event: Event
  readonly rule: { readonly name: string }
  /** Captures of the match. */
  readonly match: Readonly<Record<string, string>>
  /** The element that a step with `each` is at; `undefined` in every other one. */
  readonly item: Json | undefined
  /**
   * What earlier steps kept, by the name behind `as`. `null` where none was carried out (shadow
   * mode, `explain`): what reads one then is no fault of the rule, see `Rendered`.
   */
  readonly steps: Readonly<Record<string, Json>> | null
  readonly nowMs: number
  /** The lineage of what is being sent, not of the event: one hop further. */
  readonly lineage: Lineage
}
