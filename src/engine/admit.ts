import type { Event } from '../model/event.ts'
import { isLoop } from '../model/lineage.ts'
import type { SkipReason } from '../model/outcome.ts'
import type { Rule } from '../rules/rule.ts'

/** Whether a rule that matched acts on the event, and if not, why not. */
export type Verdict =
  | { readonly kind: 'run' }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'dead'; readonly reason: 'loop'; readonly error: string }

const run: Verdict = { kind: 'run' }

/**
 * Decides whether `rule` acts on an event that it matches. The checks run from cheap to dear; the
 * later ones with a side effect (windows) have their place at the end.
 *
 * @param hopsMax - derived events between the first event and this one, `limits.max_hops`
 */
export function admit(rule: Rule, event: Event, hopsMax: number): Verdict {
  if (!rule.enabled) return { kind: 'skip', reason: 'disabled' }
  if (isLoop(event.lineage, rule.name, hopsMax)) {
    const way = [...event.lineage.path, rule.name].join(' -> ')
    const error = `${event.lineage.hops} hops from ${event.lineage.root}: ${way}`
    return { kind: 'dead', reason: 'loop', error }
  }
  return run
}
