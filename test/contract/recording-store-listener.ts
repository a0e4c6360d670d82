import type { StoreListener, StoreState } from '../../src/ports/store.ts'

/** Keeps what a store tells whoever opened it. */
export class RecordingStoreListener implements StoreListener {
  readonly states: StoreState[] = []
  readonly roundTrips: { readonly tookMs: number; readonly calls: number }[] = []
  wiped = 0
  readonly #waiting = new Set<() => void>()

  onState(state: StoreState): void {
    this.states.push(state)
    this.#look()
  }

  onWiped(): void {
    this.wiped++
    this.#look()
  }

  onRoundTrip(tookMs: number, calls: number): void {
    this.roundTrips.push({ tookMs, calls })
    this.#look()
  }

  /** Resolves once `claim` holds; rejects after `deadlineMs`, naming `what` was waited for. */
  until(what: string, claim: () => boolean, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!claim()) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`waited ${deadlineMs} ms for ${what} in vain`))
      }, deadlineMs)
      this.#waiting.add(look)
      look()
    })
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}
