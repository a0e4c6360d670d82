import type { Bus } from '../../src/ports/bus.ts'
import { seeded } from '../support/seed.ts'
import { topics } from './rules.ts'

/** How many go out together. */
const tickMs = 250
/** Produces that wait for a bus that is away: more would only wait as well. */
const openMax = 40

const pages = 40
const accounts = 12

/** What the rules see of an event. */
interface EventBody {
  readonly n: number
  readonly page: string
  readonly account: string
  readonly dup: string
  readonly rev: number
}

export interface Produced {
  readonly n: number
  readonly topic: string
  /** When the bus had acknowledged it. */
  readonly atMs: number
}

/** Puts events on the bus, each once: one that the bus refuses is not tried again under its number. */
export class Producer {
  /** Those that the bus has acknowledged. */
  readonly acknowledged: Produced[] = []
  refused = 0
  /** Left out because earlier ones still waited for the bus. */
  leftOut = 0
  readonly #bus: Bus
  readonly #random: () => number
  readonly #perSecond: number
  readonly #open = new Set<Promise<void>>()
  #partitions: Readonly<Record<string, number>>
  #n = 0
  #timer: NodeJS.Timeout | null = null

  constructor(
    bus: Bus,
    seed: number,
    perSecond: number,
    partitions: Readonly<Record<string, number>>,
  ) {
    this.#bus = bus
    this.#random = seeded(seed + 1)
    this.#perSecond = perSecond
    this.#partitions = partitions
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await Promise.all(this.#open)
  }

  /** Partitions that are new are used from now on: keys move, as they do where partitions are added. */
  usePartitions(topic: string, count: number): void {
    this.#partitions = { ...this.#partitions, [topic]: count }
  }

  #tick(): void {
    if (this.#open.size >= openMax) {
      this.leftOut += 1
      return
    }
    const count = Math.max(1, Math.round((this.#perSecond * tickMs) / 1_000))
    for (const topic of [topics.jobs, topics.edits, topics.orders, topics.side]) {
      const share = topic === topics.side ? Math.ceil(count / 4) : count
      this.#send(
        topic,
        Array.from({ length: share }, () => this.#event()),
      )
    }
  }

  #event(): EventBody {
    const n = ++this.#n
    // Few keys have most of the events, as pages do.
    const page = Math.floor(this.#random() ** 2 * pages)
    return {
      n,
      page: `page-${page}`,
      account: `account-${Math.floor(this.#random() * accounts)}`,
      // One in four is another one's duplicate, some seconds apart.
      dup: `dup-${this.#random() < 0.25 ? Math.max(1, n - 40 - (n % 7)) : n}`,
      // Some revisions come late.
      rev: this.#random() < 0.2 ? Math.max(1, n - 50) : n,
    }
  }

  #send(topic: string, events: readonly EventBody[]): void {
    const partitions = this.#partitions[topic] ?? 1
    const records = events.map((event) => {
      const key = topic === topics.orders ? event.account : event.page
      const number = Number(key.replace(/^\D+/, ''))
      return {
        topic,
        partition: number % partitions,
        key: Buffer.from(key),
        value: Buffer.from(JSON.stringify(event)),
        headers: [],
      }
    })
    this.#track(
      this.#bus.produce(records).then(
        () => {
          const atMs = Date.now()
          this.acknowledged.push(...events.map(({ n }) => ({ n, topic, atMs })))
        },
        () => void (this.refused += events.length), // perhaps there all the same: the log will say
      ),
    )
  }

  /** Something that no rule can read. */
  sendRaw(value: Buffer): void {
    const record = { topic: topics.jobs, key: null, value, headers: [] }
    this.#track(
      this.#bus.produce([record]).then(
        () => undefined,
        () => void (this.refused += 1),
      ),
    )
  }

  #track(sending: Promise<void>): void {
    this.#open.add(sending)
    void sending.then(() => this.#open.delete(sending))
  }
}
