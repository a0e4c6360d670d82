/** When a failed task is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attemptsMax: number
  /** Counted from the first failure; `null`: no bound but the attempts. */
  readonly ageMaxMs: number | null
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
  /** Share of the delay that chance may add, 0 to 1. */
  readonly jitter: number
  /** Outcomes (`5xx`, `429`, `timeout` ...) that are retried, given up or taken for success. */
  readonly on: readonly string[]
  readonly neverOn: readonly string[]
  readonly successOn: readonly string[]
}
