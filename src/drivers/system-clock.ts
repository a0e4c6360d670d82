import type { Clock } from '../ports/clock.ts'

/** The longest delay of one Node timer; above it Node fires at once, so longer waits are chained. */
const timerMsMax = 2 ** 31 - 1

/** The machine's own time and chance. Waits of any length; a negative one counts as zero. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const onAbort = () => {
        cancel()
        if (signal !== undefined) reject(reasonOf(signal))
      }
      const cancel = schedule(ms, () => {
        // A signal often outlives thousands of sleeps; each must take its listener away again.
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
  schedule,
}

function schedule(ms: number, callback: () => void): () => void {
  let leftMs = Math.max(0, ms)
  let timer: NodeJS.Timeout
  const arm = () => {
    const stepMs = Math.min(leftMs, timerMsMax)
    leftMs -= stepMs
    timer = setTimeout(leftMs > 0 ? arm : callback, stepMs)
  }
  arm()
  return () => clearTimeout(timer)
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
