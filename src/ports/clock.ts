/** Time and chance. Everything outside `drivers/` takes both from here, so that tests decide them. */
export interface Clock {
  /** Wall time, milliseconds since 1970. May step when the machine's clock is set. */
  now(): number
  /** Milliseconds since some start; never goes back. For measuring how long something took. */
  monotonic(): number
  /** From [0, 1). */
  random(): number
  /** Resolves `ms` later; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `callback` once, `ms` later, unless the returned function was called before. */
  schedule(ms: number, callback: () => void): () => void
}
