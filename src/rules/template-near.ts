/** Edits that still count as a slip of the fingers. */
const distanceMax = 2

/** "did you mean `x`?" for the known name nearest to `name`, or `null` when none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  let nearest: string | null = null
  let best = Math.min(distanceMax, Math.floor(name.length / 2)) + 1
  for (const candidate of known) {
    const distance = editsBetween(name, candidate)
    if (distance < best) [nearest, best] = [candidate, distance]
  }
  return nearest === null ? null : `did you mean \`${nearest}\`?`
}

/** Levenshtein's distance, one row at a time. Names are short: both lie below 100 characters. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
