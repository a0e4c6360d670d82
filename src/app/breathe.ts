import type { Clock } from '../ports/clock.ts'

/** The longest that a load keeps the loop to itself; what else waits then hardly notices. */
const sliceMsMax = 8

/** Lets all else of the process go first once a slice of time is used up; else gives back at once. */
export function breather(clock: Clock): () => Promise<void> {
  let endMs = clock.monotonic() + sliceMsMax
  return async () => {
    if (clock.monotonic() < endMs) return
    await new Promise((resolve) => setImmediate(resolve))
    endMs = clock.monotonic() + sliceMsMax
  }
}
