import type { Clock } from '../ports/clock.ts'
import type { Store, StoreState, StoreTrouble } from '../ports/store.ts'

/** Between two questions to a store that is not yet connected. */
const askAgainMs = 100

/** What the next moment may mend; all else stays until somebody sees to it. */
const passing: readonly StoreTrouble[] = ['unreachable', 'slow', 'failing-over']

/**
 * How a store that was just opened stands, by an answer to something that changes nothing. It may
 * take `withinMs` and one time-box to connect.
 */
export async function askStore(store: Store, clock: Clock, withinMs: number): Promise<StoreState> {
  const endMs = clock.monotonic() + withinMs
  for (;;) {
    // No rule is called that, and nobody has the lease that is given back.
    const answer = await store.release({ rule: '', key: '', token: 'nobody', keepMs: 0 })
    if (answer === 'done') return { kind: 'ok' }
    const { state } = store
    const isLasting = state.kind === 'degraded' && !passing.includes(state.trouble)
    if (isLasting) return state
    if (clock.monotonic() >= endMs) {
      const silence = { kind: 'degraded', trouble: 'slow', error: 'it does not answer' } as const
      return state.kind === 'ok' ? silence : state
    }
    await clock.sleep(askAgainMs)
  }
}
