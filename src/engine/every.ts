import type { Clock } from '../ports/clock.ts'

/**
 * Does `work` again and again, `ms` after it was done last; never twice at once.
 *
 * @param work - must not reject: what can fail is told from inside
 * @returns ends it; work that is under way is not waited for
 */
export function every(clock: Clock, ms: number, work: () => Promise<void>): () => void {
  let isOver = false
  let cancel: () => void = () => {}
  const next = (): void => {
    cancel = clock.schedule(ms, () => {
      void work().then(() => {
        if (!isOver) next()
      })
    })
  }
  next()
  return () => {
    isOver = true
    cancel()
  }
}
