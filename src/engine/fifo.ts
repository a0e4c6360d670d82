/** First in, first out, in constant time: `Array.shift` copies the array once it is long. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  peek(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= 1_024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Removes and returns the items for which `isOut` holds; the others keep their order. */
  takeOut(isOut: (item: Item) => boolean): readonly Item[] {
    const all = this.drain()
    const out: Item[] = []
    for (const item of all) {
      if (isOut(item)) out.push(item)
      else this.#items.push(item)
    }
    return out
  }

  /** Removes and returns everything. */
  drain(): readonly Item[] {
    const all = this.#items.slice(this.#head) as Item[] // as: only places before the head are undefined
    this.clear()
    return all
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
