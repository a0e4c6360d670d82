type Log = (fields: Readonly<Record<string, unknown>>, sentence: string) => void

/** Fields first, then a constant sentence. One line per change of state at info, never per event. */
export interface Logger {
  readonly debug: Log
  readonly info: Log
  readonly warn: Log
  readonly error: Log
  /** Whether debug lines go anywhere: ask before building one per event. */
  readonly isDebug: boolean
}
