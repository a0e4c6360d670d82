/** Edits that still count as a slip of the fingers; in a short name fewer do (a third of it). */
const distanceMax = 2

/** Names above this length are not compared; none of ours is near it. */
const lengthMax = 100

/** The known name nearest to `name`, or `null` when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let nearest: string | null = null
  let best = Math.min(distanceMax, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    if (Math.max(name.length, candidate.length) > lengthMax) continue
    if (Math.abs(name.length - candidate.length) >= best) continue // each of them is an edit
    const distance = editsBetween(name.toLowerCase(), candidate.toLowerCase())
    if (distance < best) [nearest, best] = [candidate, distance]
  }
  return nearest
}

/** "did you mean `x`?" for the known name nearest to `name`, or `null` when none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  const nearest = nearestName(name, known)
  return nearest === null ? null : `did you mean \`${nearest}\`?`
}

/** Levenshtein's distance with swapped neighbours as one edit: `unlses` is one slip, not two. */
function editsBetween(from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      let least = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
      if (from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1] && i > 1 && j > 1) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1)
      }
      next.push(least)
    }
    before = row
    row = next
  }
  return row[to.length] ?? 0
}
