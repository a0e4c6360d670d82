/** The exit code of a process that a second signal ended: 128 and SIGINT, as a shell has it. */
const endedAtOnce = 130

/**
 * Resolves with the name of the first SIGTERM or SIGINT. A second one ends the process at once:
 * what is in flight is then as after a crash, and runs again at the next start.
 */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (!isFirst) process.exit(endedAtOnce)
        isFirst = false
        resolve(name)
      })
    }
  })
}
