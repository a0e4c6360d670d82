/**
 * Makes a fault of ours the end of the process, with a message, instead of a daemon that looks
 * alive: what is in flight runs again at the next start, and a supervisor sees to that.
 *
 * By abort and not by exit: an exit runs the clean-up of native modules, which may hang (see
 * stop-signal.ts), and after a fault nothing of ours is to be trusted with a clean-up anyway.
 */
export function crashOnFault(): void {
  const crash = (kind: string) => (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(
      `sluice crashed: ${kind}\n${text}\nPlease report this with the text above.\n`,
    )
    process.abort()
  }
  process.on('unhandledRejection', crash('a failure that nobody handled'))
  process.on('uncaughtException', crash('an error that nobody caught'))
}
