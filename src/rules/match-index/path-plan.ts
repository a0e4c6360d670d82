import type { Event } from '../../model/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { isInherited } from '../field-path.ts'
import type { Candidates } from './candidates.ts'
import type { Slices } from './in-slices.ts'
import { placeOf, readField } from './read-field.ts'
import { Sieve } from './sieve.ts'
import {
  asksBits,
  asksOfOtherKinds,
  asksPresent,
  passingAsks,
  passingNumber,
  passingText,
  type ValueIndex,
} from './value-index.ts'

/*
 * The paths of an index as a list that a walk goes through from start to end. What a walk needs to
 * know of each path lies side by side in one array of numbers, and one sieve serves all paths, since
 * much of what a walk costs is waiting for memory: parsing the next event pushes all but a little
 * out of the nearest cache. A tree of objects, each with sieves of its own, took 80 ns more of 700.
 *
 * A path is followed by all that is below it, fields first and then what is below elements:
 *
 *   0 (body)   1 title   2 meta   3 meta.domain   4 tags   5 each of tags
 */

/** A path as it is put into the plan. */
export interface PlannedPath {
  readonly name: string
  readonly filed: ValueIndex | null
  readonly fields: Iterable<PlannedPath>
  readonly element: PlannedPath | null
}

/** A path that is not below the body, and how its value is found. */
export interface PlannedRoot extends PlannedPath {
  read(event: Event): Json | undefined
}

/** Numbers of one path: its asks with the bits below, ... */
const width = 4
/** ... where the plan goes on behind it and all that is below it, ... */
const endAt = 1
/** ... where its fields end, behind which is what is below its elements, ... */
const fieldsEndAt = 2
/** ... and where the code reads it. */
const placeAt = 3

/** Only asking the object whether the field is its own tells: every object has one of this name. */
const isInheritedName = 1 << asksBits
/** Something here or below asks whether a field is absent. */
const seesAbsent = 1 << (asksBits + 1)
const asksMask = isInheritedName - 1
/** A value here is more than what `passingAsks` is asked for. */
const isSpecial = seesAbsent | asksPresent
/** A value here is more than what `passingText` and `passingNumber` are asked for. */
const isRare = isSpecial | isInheritedName | asksOfOtherKinds

export class PathPlan {
  readonly #numbers: Int32Array
  readonly #names: readonly string[]
  readonly #sieve: Sieve
  readonly #filed: readonly (ValueIndex | null)[]
  readonly #roots: readonly Root[]

  private constructor({ numbers, names, filed }: Layout, sieve: Sieve, roots: readonly Root[]) {
    this.#numbers = Int32Array.from(numbers)
    this.#names = names
    this.#filed = filed
    this.#sieve = sieve
    this.#roots = roots
  }

  /** Paths without rules are left out. */
  static *of(body: PlannedPath, ofRecord: readonly PlannedRoot[]): Slices<PathPlan> {
    const layout: Layout = { numbers: [], names: [], filed: [] }
    place(body, layout)
    const roots: Root[] = []
    for (const root of ofRecord) {
      const at = layout.names.length
      place(root, layout)
      if (layout.names.length > at) roots.push({ at, root })
    }
    const sieve = new Sieve(layout.filed.reduce((sum, one) => sum + (one?.sieved ?? 0), 0))
    for (const [path, filed] of layout.filed.entries()) {
      if (filed !== null) yield* filed.finish(sieve, seedOf(path))
    }
    return new PathPlan(layout, sieve, roots)
  }

  /** Looks up all that `event` holds. Hot: called for every event. */
  walk(event: Event, found: Candidates): void {
    if (this.#names.length === 0) return
    this.#visitBody(event.body, found)
    const roots = this.#roots
    for (let i = 0; i < roots.length; i++) {
      const { at, root } = roots[i] as Root // as: an index of it; hot
      const value = root.read(event)
      if (value === undefined) this.#miss(at, found)
      else this.#visit(at, value, found)
    }
  }

  /** Mostly an object that nothing is asked of itself. */
  #visitBody(body: Json, found: Candidates): void {
    const bits = this.#numbers[0] as number
    if ((bits & (asksMask | seesAbsent)) === 0 && isJsonObject(body)) {
      this.#visitFields(0, body, found)
    } else {
      this.#visit(0, body, found)
    }
  }

  #visit(path: number, value: Json, found: Candidates): void {
    const bits = this.#numbers[path * width] as number // as, here and below: paths of the plan; hot
    if ((bits & asksMask) !== 0) this.#lookUp(path, bits, value, found)
    if (typeof value === 'object' && value !== null) {
      if (Array.isArray(value)) {
        this.#visitElements(path, value, found)
      } else {
        this.#visitFields(path, value as JsonObject, found) // as: an object that is no array
        return
      }
    }
    if ((bits & seesAbsent) !== 0) this.#missFields(path, found)
  }

  /**
   * The loop that most of a walk is spent in. All that it calls for a text or a number that nothing is
   * found for is small enough to become one piece of code with it, and the rest is kept out of it.
   */
  #visitFields(path: number, object: JsonObject, found: Candidates): void {
    const numbers = this.#numbers
    const names = this.#names
    const sieve = this.#sieve
    const end = numbers[path * width + fieldsEndAt] as number
    let field = path + 1
    while (field < end) {
      const bits = numbers[field * width] as number
      if ((bits & isRare) !== 0) {
        this.#visitRare(field, bits, object, found)
      } else {
        const place = numbers[field * width + placeAt] as number
        const value = readField(object, names[field] as string, place)
        if (typeof value === 'string') {
          const passing = passingText(value, bits, sieve, seedOf(field))
          if (passing !== 0) this.#filed[field]?.lookUp(value, passing, found)
        } else if (typeof value === 'number') {
          const passing = passingNumber(value, bits, sieve, seedOf(field))
          if (passing !== 0) this.#filed[field]?.lookUp(value, passing, found)
        } else if ((bits & asksMask) === 0 && isJsonObject(value)) {
          this.#visitFields(field, value, found)
        } else if (value !== undefined) {
          this.#visit(field, value, found)
        }
      }
      field = numbers[field * width + endAt] as number
    }
  }

  #visitRare(field: number, bits: number, object: JsonObject, found: Candidates): void {
    const name = this.#names[field] as string
    // Own properties only. For a name that no object inherits, asking first would cost as much as
    // all else here together.
    const value: Json | undefined =
      (bits & isInheritedName) === 0 || Object.hasOwn(object, name)
        ? readField(object, name, this.#numbers[field * width + placeAt] as number)
        : undefined
    if (value === undefined) {
      if ((bits & seesAbsent) !== 0) this.#miss(field, found)
    } else if (typeof value === 'object' || (bits & isSpecial) !== 0) {
      this.#visit(field, value, found)
    } else {
      this.#lookUpOne(field, bits, value, found)
    }
  }

  #visitElements(path: number, list: readonly Json[], found: Candidates): void {
    const element = this.#numbers[path * width + fieldsEndAt] as number
    if (element === this.#numbers[path * width + endAt]) return
    for (let i = 0; i < list.length; i++) this.#visit(element, list[i] as Json, found)
  }

  /** A list stands for each of its members. */
  #lookUp(path: number, bits: number, value: Json, found: Candidates): void {
    if ((bits & asksPresent) !== 0) this.#filed[path]?.givePresent(found)
    if (Array.isArray(value)) {
      // as: isArray forgets what the members are
      for (const member of value as readonly Json[]) this.#lookUpOne(path, bits, member, found)
    } else {
      this.#lookUpOne(path, bits, value, found)
    }
  }

  #lookUpOne(path: number, bits: number, value: Json, found: Candidates): void {
    const passing = passingAsks(value, bits, this.#sieve, seedOf(path))
    if (passing !== 0) this.#filed[path]?.lookUp(value, passing, found)
  }

  /** The field is absent, and so is all below it. */
  #miss(path: number, found: Candidates): void {
    this.#filed[path]?.giveAbsent(found)
    this.#missFields(path, found)
  }

  #missFields(path: number, found: Candidates): void {
    const numbers = this.#numbers
    const end = numbers[path * width + fieldsEndAt] as number
    let field = path + 1
    while (field < end) {
      if (((numbers[field * width] as number) & seesAbsent) !== 0) this.#miss(field, found)
      field = numbers[field * width + endAt] as number
    }
  }
}

interface Root {
  /** Where it is in the plan. */
  readonly at: number
  readonly root: PlannedRoot
}

interface Layout {
  readonly numbers: number[]
  readonly names: string[]
  readonly filed: (ValueIndex | null)[]
}

/** Puts a path and all below it at the end; nothing if no rules are filed there. */
function place(path: PlannedPath, layout: Layout): void {
  const { numbers, names, filed } = layout
  const at = names.length
  names.push(path.name)
  filed.push(path.filed)
  numbers.push(0, 0, 0, 0)
  let isAbsentSeen = path.filed?.filesAbsent === true
  for (const field of path.fields) {
    const fieldAt = names.length
    place(field, layout)
    if (names.length > fieldAt && ((numbers[fieldAt * width] ?? 0) & seesAbsent) !== 0)
      isAbsentSeen = true
  }
  const fieldsEnd = names.length
  if (path.element !== null) place(path.element, layout)
  if (path.filed === null && names.length === at + 1) {
    names.pop()
    filed.pop()
    numbers.length -= width
    return
  }
  numbers[at * width] =
    (path.filed?.asks ?? 0) |
    (isInherited(path.name) ? isInheritedName : 0) |
    (isAbsentSeen ? seesAbsent : 0)
  numbers[at * width + endAt] = names.length
  numbers[at * width + fieldsEndAt] = fieldsEnd
  if (path.name !== '') numbers[at * width + placeAt] = placeOf(path.name)
}

/** Tells apart in the sieve what is filed under different paths. */
function seedOf(path: number): number {
  return Math.imul(path, 0x9e3779b1) >>> 3
}
