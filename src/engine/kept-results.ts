import type { Json } from '../model/json.ts'
import type { Task } from '../model/task.ts'

/**
 * What the results of one task may have in all, as JSON. They travel in a header of its retry,
 * beside an event that Kafka takes up to a megabyte of, and are held by every task in flight.
 */
export const resultsBytesMax = 256 * 1024

/**
 * Levels that a result may be nested. Above some thousands JSON can be read and not be written, and
 * a task whose retry cannot be written would stop the process each time that it comes back.
 */
export const resultLevelsMax = 500

/** The results of the steps of one attempt, those of earlier attempts included. */
export class KeptResults {
  #all: Readonly<Record<string, Json>>
  /** `null`: not measured yet. Most tasks keep nothing. */
  #bytes: number | null = null

  constructor({ results }: Pick<Task, 'results'>) {
    this.#all = results
  }

  get all(): Readonly<Record<string, Json>> {
    return this.#all
  }

  /** Keeps what a step gave. `false`: it is too much, and was not kept. */
  keep(name: string, result: Json): boolean {
    if (!this.#hasRoomFor(name, result)) return false
    this.#all = { ...this.#all, [name]: result }
    return true
  }

  /** The list of a step with `each`, with the first `length` results that an earlier attempt left. */
  list(name: string, length: number): ListOfResults {
    const before = Object.hasOwn(this.#all, name) ? this.#all[name] : undefined
    // as: a list of a Json value
    const list: Json[] = Array.isArray(before) ? (before as readonly Json[]).slice(0, length) : []
    this.#all = { ...this.#all, [name]: list }
    return {
      add: (result) => {
        if (!this.#hasRoomFor('', result)) return false
        list.push(result)
        return true
      },
    }
  }

  #hasRoomFor(name: string, result: Json): boolean {
    if (isDeeperThan(result, resultLevelsMax)) return false
    const more = jsonBytesOf(result)
    this.#bytes ??= jsonBytesOf(this.#all)
    const bytes = this.#bytes + name.length + more
    if (bytes > resultsBytesMax) return false
    this.#bytes = bytes
    return true
  }
}

export interface ListOfResults {
  /** `false`: it is too much, and was not kept. */
  add(result: Json): boolean
}

function jsonBytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value))
}

export function isDeeperThan(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1))
}
