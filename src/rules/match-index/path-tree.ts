import type { Event } from '../../model/event.ts'
import type { Json } from '../../model/json.ts'
import type { FieldPath } from '../condition.ts'
import { fieldBelow } from '../field-path.ts'
import type { Slices } from './in-slices.ts'
import { PathPlan, type PlannedPath } from './path-plan.ts'
import { Population } from './population.ts'
import { ValueIndex } from './value-index.ts'

/*
 * The paths that rules are filed under, as one tree, so that `page.id` and `page.title` read `page`
 * once. It is for building only: what events are walked along is the plan that it is made into.
 */

type Read = (event: Event) => Json | undefined

/** One path: the body, a field, or each element of a list. */
export class PathNode implements PlannedPath {
  readonly name: string
  /** Finds the value here; `null` below elements of a list, where an event may have many. */
  readonly #read: Read | null
  readonly #steps: readonly string[]
  readonly #byName = new Map<string, PathNode>()
  #element: PathNode | null = null
  #filed: ValueIndex | null = null
  #population: Population | null = null

  /** @param steps - names from the body on; of no meaning without `read`, or for the record */
  constructor(name: string, steps: readonly string[], read: Read | null) {
    this.name = name
    this.#steps = steps
    this.#read = read
  }

  child(name: string): PathNode {
    let child = this.#byName.get(name)
    if (child === undefined) {
      const steps = [...this.#steps, name]
      const read: Read = ({ body }) => fieldBelow(body, steps)
      child = new PathNode(name, steps, this.isSingle ? read : null)
      this.#byName.set(name, child)
    }
    return child
  }

  eachElement(): PathNode {
    this.#element ??= new PathNode('', [], null)
    return this.#element
  }

  /** Whether an event has one value here at most, which `read` finds. */
  get isSingle(): boolean {
    return this.#read !== null
  }

  /** The value here, for rules that are filed by it beside another. */
  read(event: Event): Json | undefined {
    return this.#read?.(event)
  }

  /** What rules ask for here. */
  get population(): Population {
    this.#population ??= new Population()
    return this.#population
  }

  /** Where rules are filed by the value here. */
  fileHere(): ValueIndex {
    this.#filed ??= new ValueIndex()
    return this.#filed
  }

  get filed(): ValueIndex | null {
    return this.#filed
  }

  get fields(): Iterable<PathNode> {
    return this.#byName.values()
  }

  get element(): PathNode | null {
    return this.#element
  }
}

/** Every path of one index: those below the body, and those of the record. */
export class PathTree {
  readonly body = new PathNode('', [], ({ body }) => body)
  readonly #ofRecord = new Map<string, { readonly path: FieldPath; readonly node: PathNode }>()

  ofRecord(path: FieldPath): PathNode {
    let field = this.#ofRecord.get(path.text)
    if (field === undefined) {
      const node = new PathNode('', [], (event) => path.read(event, undefined))
      field = { path, node }
      this.#ofRecord.set(path.text, field)
    }
    return field.node
  }

  /** The paths that rules are filed under, ready for walks. */
  plan(): Slices<PathPlan> {
    return PathPlan.of(
      this.body,
      [...this.#ofRecord.values()].map(({ node }) => node),
    )
  }
}
