/** Numbers from [0, 1) that come again for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The seed of this run: `SEED` from the environment, or a new one. Print it. */
export function seedOfRun(): number {
  const given = process.env['SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}
