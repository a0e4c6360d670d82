/** How long ago something was: `3s ago`, `5m ago`, `2h ago`, `9d ago`. Clocks that differ count as now. */
export function agoText(thenMs: number, nowMs: number): string {
  const ms = nowMs - thenMs
  return ms < 1_000 ? 'now' : `${largestUnit(ms)} ago`
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

function largestUnit(ms: number): string {
  for (const [unit, unitMs] of units) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${unit}`
  }
  return `${Math.floor(ms / 1_000)}s`
}

/** A length of time in its two largest units: `4s`, `3m 12s`, `5h 2m`, `9d 1h`. */
export function lengthText(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
