/**
 * Resolves with the name of the first SIGTERM or SIGINT. A second one ends the process at once, by
 * the signal itself: what is in flight is then as after a crash, and runs again at the next start.
 *
 * Not by `process.exit`: that runs the clean-up of native modules, and LMDB's waits for ever for a
 * commit that is under way on another thread.
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
        process.removeAllListeners(name) // what the kernel does with it by default comes back
        process.kill(process.pid, name)
      })
    }
  })
}
