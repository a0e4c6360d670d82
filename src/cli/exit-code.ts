/** Exit codes of every command (docs/operations.md). */
export const exitCode = {
  ok: 0,
  /** The command did its work, and what it found or did was not all good. */
  findings: 1,
  /** What was asked makes no sense, or the config does not load. Nothing was done. */
  usage: 2,
  /** A daemon, a bus or a file system that is needed does not answer. */
  unreachable: 3,
} as const
