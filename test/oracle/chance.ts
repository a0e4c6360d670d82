/** Numbers from [0, 1). */
export type Random = () => number

export function chance(random: Random, odds: number): boolean {
  return random() < odds
}

export function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T // as: an index of it, and it is not empty
}

export function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value)
}
