import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'

/** One line of a kind in this time; operations.md 4. */
const quietMs = 10_000
/** Kinds are texts of a foreign program: what is above this bound is forgotten, oldest first. */
const kindsMax = 100

/** Writes the first line of a `kind`, then at most one in ten seconds, with how many it stands for. */
export function summarised(
  log: Logger['warn'],
  clock: Clock,
): (kind: string, fields: Readonly<Record<string, unknown>>, sentence: string) => void {
  const kinds = new Map<string, { writtenMs: number; held: number }>()
  return (kind, fields, sentence) => {
    const known = kinds.get(kind)
    const nowMs = clock.monotonic()
    if (known !== undefined && nowMs - known.writtenMs < quietMs) {
      known.held++
      return
    }
    log(
      known === undefined || known.held === 0 ? fields : { ...fields, repeats: known.held },
      sentence,
    )
    kinds.delete(kind)
    kinds.set(kind, { writtenMs: nowMs, held: 0 })
    const [oldest] = kinds.keys()
    if (kinds.size > kindsMax && oldest !== undefined) kinds.delete(oldest)
  }
}
