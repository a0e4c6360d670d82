/**
 * Resolves with the name of the first SIGTERM or SIGINT. A second one ends the process at once, by
 * the signal itself: what is in flight is then as after a crash, and runs again at the next start.
 *
 * Not by `process.exit`: that runs the clean-up of native modules, and LMDB's waits for ever for a
 * commit that is under way on another thread (22 of 40 exits in the middle of commits hung).
 */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (isFirst) {
          isFirst = false
          resolve(name)
          return
        }
        endBy(name)
      })
    }
  })
}

/** How long the process may take to end by itself once its command is done. */
const endMs = 1_000

/**
 * Sees to it that a process whose command is done ends: a part that was left behind at the stop may
 * keep it alive for ever. Output is not cut off, since Node writes to pipes and files at once.
 */
export function endSoon(): void {
  setTimeout(() => endBy('SIGTERM'), endMs).unref()
}

function endBy(name: NodeJS.Signals): void {
  process.removeAllListeners(name) // what the kernel does with it by default comes back
  process.kill(process.pid, name)
}
