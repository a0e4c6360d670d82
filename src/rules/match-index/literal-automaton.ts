import type { Candidates } from './candidates.ts'
import { give, withRule, type Filing, type Posting } from './posting.ts'
import { pauseAfter } from './in-slices.ts'

/*
 * Finds which of many literals a text contains, in one pass over the text however many they are:
 * Aho and Corasick, "Efficient string matching" (CACM 18, 1975). A state stands for what has been
 * read as far as it is the beginning of some literal. Where no literal goes on with the next unit,
 * `fail` leads to the longest shorter ending of it that is a beginning as well.
 *
 * The states lie in flat arrays, and the ways from state to state in one hash table, some 30 bytes
 * a unit of all literals.
 */

/** So few literals are looked for one by one: the engine's own search is faster than our pass. */
const fewMax = 6

export class LiteralAutomaton {
  readonly #postings = new Map<string, Posting>()
  #few: readonly (readonly [literal: string, posting: Posting])[] = []
  #states: States | null = null

  /** @param literal - not empty */
  add(literal: string, filing: Filing): void {
    this.#postings.set(literal, withRule(this.#postings.get(literal), filing))
  }

  *finish(): Generator<void> {
    if (this.#postings.size <= fewMax) this.#few = [...this.#postings]
    else this.#states = yield* statesOf(this.#postings)
    this.#postings.clear()
  }

  lookUp(value: string, found: Candidates): void {
    if (this.#states !== null) {
      this.#states.lookUp(value, found)
      return
    }
    for (const [literal, posting] of this.#few) if (value.includes(literal)) give(posting, found)
  }
}

function* statesOf(literals: ReadonlyMap<string, Posting>): Generator<void, States> {
  const pause = pauseAfter(20_000)
  let units = 0
  for (const literal of literals.keys()) units += literal.length
  const states = new States(units + 1, literals.size, skipsOf(literals))
  for (const [literal, posting] of literals) {
    states.add(literal, posting)
    if (pause(literal.length)) yield
  }
  yield* states.link()
  return states
}

/**
 * How far a search may skip while no literal has begun. The shortest literal has `window` units: a
 * literal that begins here holds, at the end of its first `window` units, two that are known. Where
 * others stand, it begins further on. (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994, for the skips alone: the automaton keeps the time linear.)
 */
interface Skips {
  readonly window: number
  /** By the hash of two units. */
  readonly byPair: Uint8Array
}

/** A power of two: 4 KiB, so that it stays in the nearest cache. */
const pairs = 4_096

/** Longer windows skip further, and know more pairs, at which they do not. */
const windowMax = 8

function pairOf(first: number, second: number): number {
  return ((first << 5) ^ second) & (pairs - 1)
}

/** `null` where a literal is but one unit. */
function skipsOf(literals: ReadonlyMap<string, unknown>): Skips | null {
  let window = windowMax
  for (const literal of literals.keys()) window = Math.min(window, literal.length)
  if (window === 1) return null
  const byPair = new Uint8Array(pairs).fill(window - 1)
  for (const literal of literals.keys()) {
    for (let at = 0; at + 2 <= window; at++) {
      const pair = pairOf(literal.charCodeAt(at), literal.charCodeAt(at + 1))
      byPair[pair] = Math.min(byPair[pair] ?? 0, window - 2 - at)
    }
  }
  return { window, byPair }
}

/** The first place from `start` on at which a literal may begin; the end of the text if none can. */
function nextBeginning(value: string, start: number, { window, byPair }: Skips): number {
  let i = start
  const last = value.length - window
  while (i <= last) {
    const pair = pairOf(value.charCodeAt(i + window - 2), value.charCodeAt(i + window - 1))
    const skip = byPair[pair] as number // as: a pair is below the length; hot
    if (skip === 0) return i
    i += skip
  }
  return value.length
}

/** Fibonacci hashing: the upper bits of a product with 2^32 over the golden ratio are well mixed. */
function slotOf(state: number, unit: number, shift: number): number {
  return Math.imul(Math.imul(state, 0x10001) ^ unit, 0x9e3779b1) >>> shift
}

const root = 0
const none = -1

class States {
  /** Per slot, the state that is found there; the root is found nowhere, so that it stands for none. */
  readonly #slots: Int32Array
  readonly #shift: number
  readonly #parent: Int32Array
  readonly #unit: Uint16Array
  readonly #fail: Int32Array
  /** The posting of the literal that ends here, by its number, or `none`. */
  readonly #ends: Int32Array
  /** The state itself or the next one along `fail` where a literal ends; the root where none does. */
  readonly #nextEnd: Int32Array
  readonly #postings: Posting[] = []
  readonly #skips: Skips | null
  /** Per posting, the walk that last gave it. */
  readonly #givenIn: Float64Array
  #count = 1

  constructor(statesMax: number, literals: number, skips: Skips | null) {
    this.#skips = skips
    const bits = 32 - Math.clz32(statesMax * 2)
    this.#slots = new Int32Array(2 ** bits)
    this.#shift = 32 - bits
    this.#parent = new Int32Array(statesMax)
    this.#unit = new Uint16Array(statesMax)
    this.#fail = new Int32Array(statesMax)
    this.#ends = new Int32Array(statesMax).fill(none)
    this.#nextEnd = new Int32Array(statesMax)
    this.#givenIn = new Float64Array(literals)
  }

  add(literal: string, posting: Posting): void {
    let state = root
    for (let i = 0; i < literal.length; i++) state = this.#extend(state, literal.charCodeAt(i))
    this.#ends[state] = this.#postings.push(posting) - 1
  }

  #extend(state: number, unit: number): number {
    const known = this.#next(state, unit)
    if (known !== root) return known
    const added = this.#count++
    this.#parent[added] = state
    this.#unit[added] = unit
    let slot = slotOf(state, unit, this.#shift)
    while (this.#slots[slot] !== root) slot = (slot + 1) & (this.#slots.length - 1)
    this.#slots[slot] = added
    return added
  }

  /** The state behind `state` by `unit`; the root where there is none. */
  #next(state: number, unit: number): number {
    const slots = this.#slots
    let slot = slotOf(state, unit, this.#shift)
    for (;;) {
      const next = slots[slot] as number // as: slots are masked to the length; hot, and so below
      if (next === root) return root
      if (this.#unit[next] === unit && this.#parent[next] === state) return next
      slot = (slot + 1) & (slots.length - 1)
    }
  }

  /** Sets `fail` and `nextEnd`, shorter beginnings first, since they build on those. */
  *link(): Generator<void> {
    const pause = pauseAfter(20_000)
    const order = yield* this.#byDepth()
    for (const state of order) {
      const parent = this.#parent[state] as number // as: every state but the root has one
      const fail =
        parent === root
          ? root
          : this.#step(this.#fail[parent] as number, this.#unit[state] as number)
      this.#fail[state] = fail
      this.#nextEnd[state] = this.#ends[state] === none ? (this.#nextEnd[fail] as number) : state
      if (pause(1)) yield
    }
  }

  /** All states but the root. */
  *#byDepth(): Generator<void, Int32Array> {
    const pause = pauseAfter(50_000)
    const depths = new Uint16Array(this.#count)
    const startOf = new Int32Array(0x10000)
    // A state is numbered after its parent, so that one pass gives all depths.
    for (let state = 1; state < this.#count; state++) {
      const depth = (depths[this.#parent[state] as number] as number) + 1
      depths[state] = depth
      startOf[depth + 1] = (startOf[depth + 1] as number) + 1
      if (pause(1)) yield
    }
    for (let depth = 1; depth < startOf.length; depth++) {
      startOf[depth] = (startOf[depth] as number) + (startOf[depth - 1] as number)
    }
    const order = new Int32Array(this.#count - 1)
    for (let state = 1; state < this.#count; state++) {
      const depth = depths[state] as number
      const at = startOf[depth] as number
      order[at] = state
      startOf[depth] = at + 1
      if (pause(1)) yield
    }
    return order
  }

  #step(from: number, unit: number): number {
    let state = from
    for (;;) {
      const next = this.#next(state, unit)
      if (next !== root || state === root) return next
      state = this.#fail[state] as number
    }
  }

  /** Hot: called for every event and path. The loop is `#step` written out, with fields in locals. */
  lookUp(value: string, found: Candidates): void {
    const slots = this.#slots
    const mask = slots.length - 1
    const shift = this.#shift
    const units = this.#unit
    const parents = this.#parent
    const fails = this.#fail
    const nextEnds = this.#nextEnd
    const skips = this.#skips
    const { length } = value
    let state = root
    for (let i = 0; i < length; i++) {
      if (state === root && skips !== null) {
        i = nextBeginning(value, i, skips)
        if (i === length) return
      }
      const unit = value.charCodeAt(i)
      for (;;) {
        let slot = slotOf(state, unit, shift)
        let next = slots[slot] as number // as, here and below: an index of it
        while (next !== root && (units[next] !== unit || parents[next] !== state)) {
          slot = (slot + 1) & mask
          next = slots[slot] as number
        }
        if (next !== root || state === root) {
          state = next
          break
        }
        state = fails[state] as number
      }
      if (state === root) continue
      const end = nextEnds[state] as number
      if (end !== root) this.#giveFrom(end, found)
    }
  }

  /** Once a literal was given in this walk, so were all along `fail` from there. */
  #giveFrom(first: number, found: Candidates): void {
    let end = first
    while (end !== root) {
      const literal = this.#ends[end] as number
      if (this.#givenIn[literal] === found.walk) return
      this.#givenIn[literal] = found.walk
      give(this.#postings[literal] as Posting, found)
      end = this.#nextEnd[this.#fail[end] as number] as number
    }
  }
}
