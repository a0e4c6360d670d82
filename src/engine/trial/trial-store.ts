import type { StoreKey } from '../../model/store-calls.ts'
import type { Called, StoreEntry } from '../../model/store-entry.ts'
import { claimOn, completeOn, noteWaitingOn, releaseOn, renewOn } from '../../model/store-entry.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'

/**
 * The store of one trial: it answers at once, is never away, and ends with the trial. It holds an
 * entry for each key of the rule at most, so for no more than the case has events.
 */
export function trialStore(clock: Pick<Clock, 'monotonic'>): Store {
  const entries = new Map<string, StoreEntry>()
  const ask = <Answer>(
    { key }: StoreKey,
    call: (entry: StoreEntry | null, nowMs: number) => Called<Answer>,
  ): Promise<Answer> => {
    const { entry, answer } = call(entries.get(key) ?? null, clock.monotonic())
    if (entry === null) entries.delete(key)
    else entries.set(key, entry)
    return Promise.resolve(answer)
  }
  const tell = (
    key: StoreKey,
    call: (entry: StoreEntry | null, nowMs: number) => StoreEntry | null,
  ): Promise<'done'> =>
    ask(key, (entry, nowMs) => ({ entry: call(entry, nowMs), answer: 'done' as const })) // as: not any text
  return {
    claim: (request) => ask(request, (entry, nowMs) => claimOn(entry, request, nowMs)),
    renew: (request) => ask(request, (entry, nowMs) => renewOn(entry, request, nowMs)),
    complete: (request) => tell(request, (entry, nowMs) => completeOn(entry, request, nowMs)),
    release: (request) => tell(request, (entry, nowMs) => releaseOn(entry, request, nowMs)),
    noteWaiting: (request) => tell(request, (entry, nowMs) => noteWaitingOn(entry, request, nowMs)),
    state: { kind: 'ok' },
    close: () => Promise.resolve(),
  }
}
