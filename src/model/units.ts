const msPerUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const bytesPerUnit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

/** How a duration is written. */
export const durationForm = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** How a size is written. */
export const sizeForm = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/

/** Milliseconds of `250ms`, `10s`, `5m`, `2h`, `7d`; `null` for anything else, no unit included. */
export function parseDurationMs(text: string): number | null {
  const parts = durationForm.exec(text)
  if (parts === null) return null
  const ms = Number(parts[1]) * msPerUnit[parts[2] as keyof typeof msPerUnit] // as: the regex lists the keys
  return Number.isSafeInteger(ms) ? ms : null
}

/** The shortest exact text for whole milliseconds: 90000 is `90s`, 3600000 is `1h`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms > 0 && ms % msPerUnit[unit] === 0) return `${ms / msPerUnit[unit]}${unit}`
  }
  return `${ms}ms`
}

/** Bytes of `512B`, `64KiB`, `1MiB`, `2GiB`; `null` for anything else, no unit included. */
export function parseSizeBytes(text: string): number | null {
  const parts = sizeForm.exec(text)
  if (parts === null) return null
  const bytes = Number(parts[1]) * bytesPerUnit[parts[2] as keyof typeof bytesPerUnit] // as: the regex lists the keys
  return Number.isSafeInteger(bytes) ? bytes : null
}

/** The shortest exact text for whole bytes: 65536 is `64KiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes > 0 && bytes % bytesPerUnit[unit] === 0) return `${bytes / bytesPerUnit[unit]}${unit}`
  }
  return `${bytes}B`
}
