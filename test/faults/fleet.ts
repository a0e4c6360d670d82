import type { StatusDocument } from '../../src/model/status.ts'
import type { DaemonProcess } from '../support/daemon-process.ts'
import type { Disturbance } from './ledger.ts'

/** What a stop may take beyond `shutdown.drain` on two busy cores. */
export const drainMs = 5_000
const stopMsMax = 30_000
/** As a supervisor does: not at once, or a daemon that cannot start is all that the machine does. */
const startAgainMs = 500
const answerMsMax = 5_000

/** One process, from its start to its end. */
export interface Life {
  readonly name: string
  readonly slot: number
  readonly daemon: DaemonProcess
  readonly startedMs: number
  /** Whether we ended it; `null`: it runs. */
  end: 'kill' | 'stop' | null
  wasFrozen: boolean
  /** What `status` said last. */
  status: StatusDocument | null
}

interface Slot {
  life: Life | null
  /** Of the next start: not before that. */
  pauseMs: number
  lives: number
  isFrozen: boolean
}

/** The daemons, each started again when it ends, as a supervisor would. */
export class Fleet {
  readonly lives: Life[] = []
  readonly disturbances: Disturbance[]
  /** What no fault explains: a daemon that ended by itself, a stop that never ended. */
  readonly surprises: string[] = []
  readonly #launch: (name: string, slot: number) => DaemonProcess
  readonly #slots: Slot[]
  readonly #mayDie: () => boolean
  #isClosing = false
  #runs: Promise<void>[] = []

  /** @param mayDie - whether a daemon is allowed to end by itself now: it could not start, say */
  constructor(
    count: number,
    launch: (name: string, slot: number) => DaemonProcess,
    disturbances: Disturbance[],
    mayDie: () => boolean,
  ) {
    this.#launch = launch
    this.#mayDie = mayDie
    this.disturbances = disturbances
    this.#slots = Array.from({ length: count }, () => ({
      life: null,
      pauseMs: 0,
      lives: 0,
      isFrozen: false,
    }))
  }

  start(): void {
    this.#runs = this.#slots.map((slot, index) => this.#supervise(slot, index))
  }

  get count(): number {
    return this.#slots.length
  }

  running(): readonly Life[] {
    return this.#slots.flatMap(({ life }) => (life === null || life.end !== null ? [] : [life]))
  }

  async #supervise(slot: Slot, index: number): Promise<void> {
    while (!this.#isClosing) {
      slot.lives += 1
      const name = `d${index}.${slot.lives}`
      const daemon = this.#launch(name, index)
      const life: Life = {
        name,
        slot: index,
        daemon,
        startedMs: Date.now(),
        end: null,
        wasFrozen: false,
        status: null,
      }
      slot.life = life
      this.lives.push(life)
      const couldDie = this.#mayDie()
      const code = await daemon.exitCode()
      const { end } = life
      if (end === null) {
        this.disturbances.push({
          kind: 'died',
          fromMs: Date.now(),
          untilMs: Date.now(),
          life: name,
        })
        if (!couldDie && !this.#mayDie()) {
          const last = daemon.lines.slice(-5).map((line) => JSON.stringify(line))
          this.surprises.push(`${name} ended by itself with ${code}:\n${last.join('\n')}`)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(startAgainMs, slot.pauseMs)))
      slot.pauseMs = 0
    }
  }

  /** `kill -9`, and a start after the time said. */
  async kill(index: number, pauseMs: number): Promise<boolean> {
    const life = this.#living(index)
    if (life === null) return false
    this.#slotOf(index).pauseMs = pauseMs
    life.end = 'kill'
    const nowMs = Date.now()
    this.disturbances.push({ kind: 'kill', fromMs: nowMs, untilMs: nowMs, life: life.name })
    await life.daemon.kill()
    return true
  }

  /** SIGTERM; resolves when it has ended. */
  async stop(index: number, pauseMs: number): Promise<boolean> {
    const life = this.#living(index)
    if (life === null || this.#slotOf(index).isFrozen) return false
    this.#slotOf(index).pauseMs = pauseMs
    await this.#end(life)
    return true
  }

  async #end(life: Life): Promise<void> {
    await this.#look(life)
    life.end = 'stop'
    const fromMs = Date.now()
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      void life.daemon.kill()
    }, stopMsMax)
    const code = await life.daemon.stop()
    clearTimeout(late)
    if (isLate) this.surprises.push(`${life.name} did not stop within ${stopMsMax} ms`)
    // Attempts that were cut off run again at the next start, with their whole events.
    if (code !== 0) {
      const { name } = life
      this.disturbances.push({ kind: 'cut-off', fromMs, untilMs: Date.now(), life: name })
    }
  }

  /** SIGSTOP for a while. */
  async freeze(index: number, forMs: number): Promise<boolean> {
    const life = this.#living(index)
    const slot = this.#slotOf(index)
    if (life === null || slot.isFrozen) return false
    const one: Disturbance = { kind: 'freeze', fromMs: Date.now(), untilMs: null, life: life.name }
    this.disturbances.push(one)
    life.wasFrozen = true
    slot.isFrozen = true
    life.daemon.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, forMs))
    life.daemon.signal('SIGCONT')
    slot.isFrozen = false
    one.untilMs = Date.now()
    return true
  }

  /** What `status --json` of each daemon says; `null` of one that does not answer. */
  async look(): Promise<readonly (StatusDocument | null)[]> {
    return Promise.all(
      this.#slots.map(({ life }) =>
        life === null || life.end !== null ? Promise.resolve(null) : this.#look(life),
      ),
    )
  }

  async #look(life: Life): Promise<StatusDocument | null> {
    const ready = life.daemon.lines.find(({ msg }) => msg === 'ready')
    if (ready === undefined) return null
    try {
      const signal = AbortSignal.timeout(answerMsMax)
      const answer = await fetch(`${String(ready['admin'])}/api/v1/status`, { signal })
      life.status = (await answer.json()) as StatusDocument // as: what the admin API promises
      return life.status
    } catch {
      return null // it is frozen, or was killed just now
    }
  }

  /** At once, without waiting: for when we end ourselves. */
  killAll(): void {
    for (const { life } of this.#slots) life?.daemon.signal('SIGKILL')
  }

  /** Stops all of them, for good. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all(
      this.#slots.map(async ({ life }) => {
        if (life === null || life.end !== null) return
        life.daemon.signal('SIGCONT')
        await this.#end(life)
      }),
    )
    await Promise.all(this.#runs)
  }

  #living(index: number): Life | null {
    const { life } = this.#slotOf(index)
    return life === null || life.end !== null ? null : life
  }

  #slotOf(index: number): Slot {
    const slot = this.#slots[index]
    if (slot === undefined) throw new Error(`there is no daemon ${index}`)
    return slot
  }
}
