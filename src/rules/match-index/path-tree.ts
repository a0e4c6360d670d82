import type { Event } from '../../model/event.ts'
import type { Json } from '../../model/json.ts'
import type { FieldPath } from '../condition.ts'
import { isInherited } from '../field-path.ts'
import type { Candidates } from './candidates.ts'
import { Population } from './population.ts'
import { ValueIndex } from './value-index.ts'

/*
 * The paths that rules are filed under, as one tree, so that `page.id` and `page.title` read `page`
 * once. A walk reads the event along the tree and looks up each value where rules are filed.
 */

/** One path: the body, a field, or each element of a list. */
export class PathNode {
  readonly #name: string
  /** Whether reading it as a property finds the event's own value or nothing. */
  readonly #isPlain: boolean
  readonly #byName = new Map<string, PathNode>()
  #fields: readonly PathNode[] = []
  #element: PathNode | null = null
  #filed: ValueIndex | null = null
  #seesAbsent = false
  #population: Population | null = null
  /** Where walks keep the value for their end; `noSlot`: nowhere. */
  #slot = noSlot
  readonly #slots: Slots
  /** Whether an event has one value here at most: it is not below an element of a list. */
  readonly isSingle: boolean

  constructor(name: string, slots: Slots, isSingle: boolean) {
    this.#name = name
    this.#slots = slots
    this.isSingle = isSingle
    this.#isPlain = !isInherited(name)
  }

  child(name: string): PathNode {
    let child = this.#byName.get(name)
    if (child === undefined) {
      child = new PathNode(name, this.#slots, this.isSingle)
      this.#byName.set(name, child)
    }
    return child
  }

  eachElement(): PathNode {
    this.#element ??= new PathNode('', this.#slots, false)
    return this.#element
  }

  /** What rules ask for here; for building only. */
  get population(): Population {
    this.#population ??= new Population()
    return this.#population
  }

  /** Where rules are filed by the value here. */
  get filed(): ValueIndex {
    this.#filed ??= new ValueIndex()
    return this.#filed
  }

  /** The slot in which walks keep the value here, for rules that are filed by it beside another. */
  useSlot(): number {
    if (this.#slot === noSlot) this.#slot = this.#slots.count++
    return this.#slot
  }

  /** Makes ready for walks, and forgets what only building needs and paths without rules. */
  *finish(): Generator<void, boolean> {
    const fields: PathNode[] = []
    for (const child of this.#byName.values()) if (yield* child.finish()) fields.push(child)
    this.#byName.clear()
    this.#population = null
    this.#fields = fields
    if (this.#element !== null && !(yield* this.#element.finish())) this.#element = null
    if (this.#filed !== null) yield* this.#filed.finish()
    this.#seesAbsent = this.#filed?.filesAbsent === true || fields.some((one) => one.#seesAbsent)
    return (
      fields.length > 0 || this.#element !== null || this.#filed !== null || this.#slot !== noSlot
    )
  }

  /** Hot: called for every event and path. */
  walk(value: Json, found: Candidates): void {
    if (this.#filed !== null) this.#filed.lookUp(value, found)
    if (this.#slot !== noSlot) found.keep(this.#slot, value)
    if (typeof value === 'object' && value !== null) {
      if (Array.isArray(value)) {
        this.#walkElements(value, found)
      } else {
        this.#walkFields(value as { readonly [key: string]: Json }, found) // as: an object that is no array
        return
      }
    }
    if (this.#seesAbsent) this.#missFields(found)
  }

  #walkFields(object: { readonly [key: string]: Json }, found: Candidates): void {
    const fields = this.#fields
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] as PathNode // as: an index of it; hot
      // Own properties only. For a name that no object inherits, asking first would cost as much as
      // all else here together.
      const name = field.#name
      const value: Json | undefined =
        field.#isPlain || Object.hasOwn(object, name) ? object[name] : undefined
      if (value !== undefined) field.walk(value, found)
      else if (field.#seesAbsent) field.miss(found)
    }
  }

  #walkElements(list: readonly Json[], found: Candidates): void {
    const element = this.#element
    if (element === null) return
    for (let i = 0; i < list.length; i++) element.walk(list[i] as Json, found) // as: an index of it; hot
  }

  /** The field is absent, and so is all below it. */
  miss(found: Candidates): void {
    if (this.#filed !== null) this.#filed.lookUpAbsent(found)
    this.#missFields(found)
  }

  #missFields(found: Candidates): void {
    for (const field of this.#fields) if (field.#seesAbsent) field.miss(found)
  }
}

const noSlot = -1

/** How many slots are in use. */
interface Slots {
  count: number
}

/** Every path of one index: those below the body, and those of the record. */
export class PathTree {
  readonly #slots: Slots = { count: 0 }
  readonly body = new PathNode('', this.#slots, true)
  readonly #byText = new Map<string, RecordField>()
  #fields: readonly RecordField[] = []

  ofRecord(path: FieldPath): PathNode {
    let field = this.#byText.get(path.text)
    if (field === undefined) {
      field = { path, node: new PathNode('', this.#slots, true) }
      this.#byText.set(path.text, field)
    }
    return field.node
  }

  *finish(): Generator<void> {
    yield* this.body.finish()
    const fields: RecordField[] = []
    for (const field of this.#byText.values()) if (yield* field.node.finish()) fields.push(field)
    this.#byText.clear()
    this.#fields = fields
  }

  get slots(): number {
    return this.#slots.count
  }

  walk(event: Event, found: Candidates): void {
    this.body.walk(event.body, found)
    for (const { path, node } of this.#fields) {
      const value = path.read(event, undefined)
      if (value === undefined) node.miss(found)
      else node.walk(value, found)
    }
  }
}

interface RecordField {
  readonly path: FieldPath
  readonly node: PathNode
}
