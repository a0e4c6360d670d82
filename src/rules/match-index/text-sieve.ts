import { pauseAfter, type Slices } from './in-slices.ts'

/*
 * Tells most texts that are not among many from those that may be, by their length and three of
 * their units, with one look into a table that is small enough for the caches. A map would hash the
 * whole text first, and then look at places far apart. Most events hold none of the texts that rules
 * ask for, so that this look is mostly all.
 */
export class TextSieve {
  /** One bit a hash. */
  readonly #words: Int32Array
  readonly #mask: number

  private constructor(texts: number) {
    const bits = Math.max(bitsMin, 2 ** (32 - Math.clz32(texts * bitsPerText)))
    this.#words = new Int32Array(bits / 32)
    this.#mask = bits - 1
  }

  static *of(texts: ReadonlyMap<string, unknown>): Slices<TextSieve> {
    const pause = pauseAfter(10_000)
    const sieve = new TextSieve(texts.size)
    for (const text of texts.keys()) {
      const hash = hashOf(text) & sieve.#mask
      sieve.#words[hash >>> 5] = (sieve.#words[hash >>> 5] ?? 0) | (1 << (hash & 31))
      if (pause(1)) yield
    }
    return sieve
  }

  /** Hot: called for every event and path. */
  mayHave(text: string): boolean {
    const hash = hashOf(text) & this.#mask
    // as: the mask keeps it within; hot
    return (((this.#words[hash >>> 5] as number) >>> (hash & 31)) & 1) === 1
  }
}

/** So few of the bits are set, an eighth at most, that seven in eight other texts are told apart. */
const bitsPerText = 8
const bitsMin = 256

/** The units that titles and names differ in: ends rather than beginnings. */
function hashOf(text: string): number {
  const { length } = text
  if (length === 0) return 0
  const last = text.charCodeAt(length - 1)
  const middle = text.charCodeAt(length >>> 1)
  const near = text.charCodeAt(length >>> 2)
  const mixed =
    (Math.imul(last, 0x1f35) ^ Math.imul(middle, 0x27d4eb) ^ Math.imul(near, 0x165667b1)) + length
  return Math.imul(mixed, 0x9e3779b1) >>> 7
}
