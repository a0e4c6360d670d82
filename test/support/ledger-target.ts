import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'

interface Call {
  readonly id: number
  readonly atMs: number
  /** `null`: the caller was gone before the answer. */
  answeredMs: number | null
}

/** A target that answers each POST of `{ id }` after 0-40 ms and keeps a ledger of what it saw. */
export class LedgerTarget {
  readonly calls: Call[] = []
  readonly #countById = new Map<number, number>()
  readonly #server
  #wake: () => void = () => {}

  private constructor(random: () => number) {
    this.#server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => (text += chunk.toString()))
      request.on('end', () => {
        const { id } = JSON.parse(text) as { id: number } // as: what the rule of the test sends
        const call: Call = { id, atMs: performance.now(), answeredMs: null }
        this.calls.push(call)
        this.#countById.set(id, (this.#countById.get(id) ?? 0) + 1)
        setTimeout(() => {
          if (response.destroyed) return
          call.answeredMs = performance.now()
          response.end('ok')
          this.#wake()
        }, random() * 40)
      })
      request.on('error', () => {}) // the caller was killed in the middle of its request
    })
  }

  static async open(random: () => number): Promise<LedgerTarget> {
    const target = new LedgerTarget(random)
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve))
    return target
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port // as: it listens on a TCP port
  }

  /** How many different ids have arrived. */
  get seen(): number {
    return this.#countById.size
  }

  /** Calls beyond the first of each id. */
  get repeats(): number {
    return this.calls.length - this.#countById.size
  }

  /** Resolves when at least `count` different ids have arrived. */
  async sawAtLeast(count: number): Promise<void> {
    while (this.seen < count) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  missing(count: number): readonly number[] {
    return Array.from({ length: count }, (_, id) => id).filter((id) => !this.#countById.has(id))
  }

  /**
   * The most that may be repeated for a kill at `atMs` of a daemon started at `startedMs`: requests
   * of it that were open then, and those answered in the last `commitMs`, since the commit of those
   * may not have been made.
   */
  atRisk(startedMs: number, atMs: number, commitMs: number): number {
    return this.calls.filter((call) => {
      if (call.atMs < startedMs || call.atMs > atMs) return false
      return call.answeredMs === null || call.answeredMs > atMs - commitMs
    }).length
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
