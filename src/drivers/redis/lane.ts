import type { Clock } from '../../ports/clock.ts'
import type { Link } from './link.ts'
import type { Trouble } from './trouble.ts'

/*
 * The calls on one tag, or on all of them where one server has all: one script after the other, each
 * with the calls that came while the one before it was under way.
 *
 * Every call has its time-box, from the moment it is asked: the wait for a connection and for the
 * script before it are within. What runs out of time unsent is never sent.
 *
 * When three round trips in a row have failed by time or connection, calls are answered at once, and
 * a probe, a script without calls, looks from time to time whether it goes again. It does so too
 * after an error that Redis answered with, so that all is told to be well although nobody asks.
 */

/** Redis does nothing else meanwhile: two milliseconds for a script of that many. */
const callsPerScript = 250
/** Sooner, one lost connection would turn away calls that wait for the next. */
const failuresMax = 3
/** Between two probes, plus as much again by chance: replicas must not all come at once. */
const probeMs = 500

/** A call on its way. One of the two is called, once. */
export interface LaneCall {
  /** Of the key that it is about. */
  readonly name: string
  /** As the script takes it apart. */
  readonly text: string
  answered(code: number, leftMs: number): void
  unanswered(): void
}

interface LaneListener {
  /** What is wrong by the last round trip; `null`: nothing. */
  onTrouble(trouble: Trouble | null): void
  /** The epoch of the server, by the last script that it answered. */
  onEpoch(epoch: string): void
  onRoundTrip(tookMs: number, calls: number): void
}

export interface LaneOptions {
  readonly link: Link
  readonly clock: Clock
  /** The key by which each script sees whether the server was emptied. */
  readonly epochName: string
  readonly timeoutMs: number
  readonly troubleOf: (error: unknown) => Trouble
  readonly listener: LaneListener
}

interface Asked {
  /** `null`: a probe. */
  readonly call: LaneCall | null
  readonly untilMs: number
  isOpen: boolean
}

interface UnderWay {
  readonly asked: readonly Asked[]
  readonly calls: number
  readonly sentMs: number
  readonly cancelDeadline: () => void
}

export class Lane {
  readonly #options: LaneOptions
  /** Oldest first, and all have the same time-box: who is first runs out first. */
  #queue: Asked[] = []
  #underWay: UnderWay | null = null
  #isPumping = false
  #isProbing = false
  #isClosed = false
  #failures = 0
  #trouble: Trouble | null = null
  #cancelExpiry: (() => void) | null = null
  #cancelProbe: (() => void) | null = null

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get trouble(): Trouble | null {
    return this.#trouble
  }

  ask(call: LaneCall): void {
    if (this.#isClosed || this.#isBroken) return call.unanswered()
    this.#enqueue(call)
  }

  /** Finds out how it goes, unless that is being found out. */
  probe(): void {
    if (this.#isClosed || this.#isProbing) return
    this.#isProbing = true
    this.#enqueue(null)
  }

  /** A connection is there: what waits for it can go. */
  onReady(): void {
    this.probe()
    this.#pump()
  }

  close(): void {
    this.#isClosed = true
    this.#giveUp([...(this.#underWay?.asked ?? []), ...this.#queue])
    this.#queue = []
    this.#underWay?.cancelDeadline()
    this.#underWay = null
    this.#cancelExpiry?.()
    this.#probeNoMore()
  }

  /** Redis answers, and not as it should. */
  get #isRefused(): boolean {
    return this.#trouble !== null && !isCutOff(this.#trouble)
  }

  get #isBroken(): boolean {
    return this.#failures >= failuresMax
  }

  #enqueue(call: LaneCall | null): void {
    const { clock, timeoutMs } = this.#options
    this.#queue.push({ call, untilMs: clock.monotonic() + timeoutMs, isOpen: true })
    this.#watchExpiry()
    if (this.#isPumping || this.#underWay !== null) return
    this.#isPumping = true
    // So that all calls of this turn of the loop share a script.
    setImmediate(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isClosed || this.#underWay !== null) return
    if (this.#queue.length === 0 || !this.#options.link.isReady) return
    this.#send(this.#takeNext())
  }

  /** A probe that is to show that Redis takes writes again goes alone: only then does it write. */
  #takeNext(): readonly Asked[] {
    const probe = this.#isRefused ? this.#queue.findIndex(({ call }) => call === null) : -1
    return probe === -1 ? this.#queue.splice(0, callsPerScript) : this.#queue.splice(probe, 1)
  }

  #send(asked: readonly Asked[]): void {
    const { link, clock, epochName, timeoutMs, troubleOf } = this.#options
    const calls = asked.flatMap(({ call }) => (call === null ? [] : [call]))
    const underWay: UnderWay = {
      asked,
      calls: calls.length,
      sentMs: clock.monotonic(),
      cancelDeadline: this.#after(timeoutMs, () =>
        this.#ended(underWay, { trouble: 'slow', error: `no answer in ${timeoutMs} ms` }),
      ),
    }
    this.#underWay = underWay
    const names = calls.map(({ name }) => name)
    const texts = calls.map(({ text }) => text)
    link.run([epochName, ...names], ['', ...texts]).then(
      (answer) => this.#answered(underWay, answer),
      (error: unknown) => this.#ended(underWay, troubleOf(error)),
    )
  }

  #answered(underWay: UnderWay, answer: unknown): void {
    if (this.#underWay !== underWay) return // too late: all in it were answered `unknown`
    if (!isAnswer(answer, underWay.calls)) {
      return this.#ended(underWay, { trouble: 'refused', error: 'an answer that makes no sense' })
    }
    const [epoch, ...numbers] = answer
    let at = 0
    for (const one of underWay.asked) {
      if (one.call === null) continue
      const [code = 0, leftMs = 0] = [numbers[at], numbers[at + 1]]
      at += 2
      if (!one.isOpen) continue
      one.isOpen = false
      one.call.answered(code, leftMs)
    }
    this.#options.listener.onEpoch(epoch)
    this.#ended(underWay, null)
  }

  #ended(underWay: UnderWay, trouble: Trouble | null): void {
    if (this.#underWay !== underWay) return
    this.#underWay = null
    underWay.cancelDeadline()
    this.#giveUp(underWay.asked)
    if (underWay.calls > 0) {
      const tookMs = this.#options.clock.monotonic() - underWay.sentMs
      this.#options.listener.onRoundTrip(tookMs, underWay.calls)
    }
    const isProof = trouble !== null || underWay.calls === 0 || !this.#isRefused
    if (isProof) this.#judge(trouble)
    else this.#probeLater() // what only reads is answered by a server that is full, too
    this.#pump()
  }

  #judge(trouble: Trouble | null): void {
    this.#failures = trouble !== null && isCutOff(trouble) ? this.#failures + 1 : 0
    if (this.#isBroken) {
      this.#giveUp(this.#queue)
      this.#queue = []
    }
    this.#trouble = trouble
    if (trouble === null) this.#probeNoMore()
    else this.#probeLater()
    this.#options.listener.onTrouble(trouble)
  }

  #probeLater(): void {
    // Not put off by those who go on asking: it also connects anew.
    if (this.#cancelProbe !== null) return
    const { clock, link } = this.#options
    this.#cancelProbe = clock.schedule(probeMs * (1 + clock.random()), () => {
      this.#cancelProbe = null
      const kind = this.#trouble?.trouble
      // The primary may be elsewhere by now, we may be somebody else, or the database may be there.
      const isOfConnection = kind === 'read-only' || kind === 'denied' || kind === 'refused'
      if (isOfConnection || kind === 'failing-over') link.renew()
      this.probe()
    })
  }

  #probeNoMore(): void {
    this.#cancelProbe?.()
    this.#cancelProbe = null
  }

  #giveUp(asked: readonly Asked[]): void {
    for (const one of asked) {
      if (!one.isOpen) continue
      one.isOpen = false
      if (one.call === null) this.#isProbing = false
      one.call?.unanswered()
    }
  }

  #watchExpiry(): void {
    if (this.#cancelExpiry !== null) return
    const first = this.#underWay?.asked.find(({ isOpen }) => isOpen) ?? this.#queue[0]
    if (first === undefined) return
    const { clock } = this.#options
    this.#cancelExpiry = this.#after(first.untilMs - clock.monotonic(), () => {
      this.#cancelExpiry = null
      if (this.#isClosed) return
      this.#expire()
      this.#watchExpiry()
    })
  }

  /**
   * Where the loop was held for longer than that, an answer may be there that nobody has read: it is
   * read before `callback` runs.
   */
  #after(ms: number, callback: () => void): () => void {
    return this.#options.clock.schedule(ms, () => void setImmediate(callback))
  }

  #expire(): void {
    const { link, clock, timeoutMs, troubleOf } = this.#options
    const nowMs = clock.monotonic()
    this.#giveUp(this.#underWay?.asked.filter(({ untilMs }) => untilMs <= nowMs) ?? [])
    const kept = this.#queue.findIndex(({ untilMs }) => untilMs > nowMs)
    const over = this.#queue.splice(0, kept === -1 ? this.#queue.length : kept)
    if (over.length === 0) return
    this.#giveUp(over)
    // With a script under way that one tells how it goes. Else they waited for a connection.
    if (this.#underWay !== null) return
    const { lastError } = link
    const nothing = { trouble: 'unreachable', error: `no connection in ${timeoutMs} ms` } as const
    this.#judge(lastError === null ? nothing : troubleOf(lastError))
  }
}

function isCutOff({ trouble }: Trouble): boolean {
  return trouble === 'slow' || trouble === 'unreachable'
}

function isAnswer(answer: unknown, calls: number): answer is [string, ...number[]] {
  if (!Array.isArray(answer) || answer.length !== 1 + 2 * calls) return false
  const [epoch, ...numbers] = answer as unknown[] // as: `isArray` gives any[]
  return typeof epoch === 'string' && numbers.every((number) => typeof number === 'number')
}
