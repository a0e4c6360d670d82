/** Why a generation of the group is over for a member. */
export type Ending =
  /** Others come or go: our partitions are ours until we join again. */
  | { readonly kind: 'rebalance' }
  /** What we subscribe to has changed. */
  | { readonly kind: 'topics' }
  | { readonly kind: 'closing' }
  /** The group went on without us: our partitions may be someone else's already. */
  | { readonly kind: 'lost' }

/** One generation of a group as one member lives it, from its join until it joins again. */
export class Generation {
  readonly id: number
  readonly memberId: string
  /** Resolves with the first ending; what comes later changes nothing but `lost`. */
  readonly ended: Promise<Ending>
  /** Resolves when the partitions are lost, which may be after the generation has ended. */
  readonly lost: Promise<void>
  #end: (ending: Ending) => void = () => undefined
  #lose: () => void = () => undefined
  #isEnded = false
  #isLost = false
  /** Aborts when the member has let go of its partitions: from then on it says nothing. */
  readonly over = new AbortController()

  constructor(id: number, memberId: string) {
    this.id = id
    this.memberId = memberId
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.lost = new Promise((resolve) => (this.#lose = resolve))
  }

  end(ending: Ending): void {
    this.#isEnded = true
    this.#end(ending)
    if (ending.kind !== 'lost') return
    this.#isLost = true
    this.#lose()
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get isLost(): boolean {
    return this.#isLost
  }
}
