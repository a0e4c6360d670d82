/*
 * Tells most values that are not among many from those that may be, with one look into a table that
 * is small enough for the caches. A map would hash a whole text first, and then look at places far
 * apart. Most events hold nothing of what rules ask for, so that this look is mostly all.
 */
export class Sieve {
  /** One bit a hash. */
  readonly #words: Int32Array
  readonly #mask: number

  /** @param values - how many will be added, roughly */
  constructor(values: number) {
    const bits = Math.max(bitsMin, 2 ** (32 - Math.clz32(values * bitsPerValue)))
    this.#words = new Int32Array(bits / 32)
    this.#mask = bits - 1
  }

  add(hash: number): void {
    const bit = hash & this.#mask
    this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31))
  }

  /** Hot: called for every event and path. */
  mayHave(hash: number): boolean {
    const bit = hash & this.#mask
    // as: the mask keeps it within; hot
    return (((this.#words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1
  }
}

/** One to two bytes a value: an eighth of the bits are set at most, and let an eighth pass. */
const bitsPerValue = 8
const bitsMin = 256

/** Of the length and three units, those that titles and names differ in: ends, not beginnings. */
export function hashOfText(text: string): number {
  const { length } = text
  if (length === 0) return 0
  const last = text.charCodeAt(length - 1)
  const middle = text.charCodeAt(length >>> 1)
  const near = text.charCodeAt(length >>> 2)
  return mixed(
    (Math.imul(last, 0x1f35) ^ Math.imul(middle, 0x27d4eb) ^ Math.imul(near, 0x165667b1)) + length,
  )
}

/** Equal for 0 and -0, as they are to a map. */
export function hashOfNumber(value: number): number {
  return mixed(value | 0)
}

/** Of the first `units` of a text, or of the last. At least one, and no more than there are. */
export function hashOfAffix(text: string, units: number, fromEnd: boolean): number {
  let hash = 0
  const start = fromEnd ? text.length - units : 0
  for (let i = start; i < start + units; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i)
  return mixed(hash)
}

function mixed(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 7
}
