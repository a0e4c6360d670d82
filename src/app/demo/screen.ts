import { relative } from 'node:path'
import { styleText } from 'node:util'
import { systemClock } from '../../drivers/system-clock.ts'
import type { DemoDocument } from '../../model/status.ts'
import type { DemoRequest } from './target.ts'

/** What the demo shows a person on stdout; nothing when a program asked for JSON. */
export class Screen {
  readonly #isSilent: boolean
  readonly #startedMs = systemClock.monotonic()
  #requests = 0

  constructor(isSilent: boolean) {
    this.#isSilent = isSilent
  }

  /** Requests that the target has answered. */
  get requests(): number {
    return this.#requests
  }

  opening(place: {
    edits: number
    perSecond: number
    rules: string
    target: string
    admin: string
  }) {
    const { edits, perSecond, rules, target, admin } = place
    this.#line(
      `${edits} edits of English Wikipedia, recorded on 2023-07-29, ${perSecond} a second.`,
    )
    this.#line('')
    this.#line(`  rules    ${relative('', rules)}/   open them, change them, run this again`)
    this.#line(`  target   ${target}   stands in for the services that the rules call`)
    this.#line(`  status   ${admin}/api/v1/status`)
    this.#line('')
  }

  request({ method, url, status, remark }: DemoRequest): void {
    this.#requests += 1
    const seconds = ((systemClock.monotonic() - this.#startedMs) / 1_000).toFixed(1)
    const answer = paint(status < 300 ? 'green' : 'yellow', String(status))
    const note = remark === '' ? '' : `   ${paint('dim', remark)}`
    this.#line(`${seconds.padStart(6)} s  ${method.padEnd(5)}  ${answer}  ${url}${note}`)
  }

  closing(document: DemoDocument, table: string, admin: string, isOver: boolean): void {
    const { events, requests, derived, elapsed_s: elapsed } = document
    this.#line('')
    this.#line(
      `${events} events became ${requests} requests and ${derived} derived events in ${elapsed} s.`,
    )
    this.#line('')
    this.#line(table.trimEnd())
    if (isOver) return
    this.#line(`
It stays up until Ctrl-C. In another terminal:
  curl ${admin}/api/v1/status        what became of each event, rule by rule
  curl ${admin}/metrics              the same for Prometheus
  npx sluice status --admin ${admin}
  npx sluice check                   after a change in rules/: what is wrong, where, and what their tests say`)
  }

  #line(text: string): void {
    if (!this.#isSilent) process.stdout.write(`${text}\n`)
  }
}

function paint(style: 'green' | 'yellow' | 'dim', text: string): string {
  const isPlain = !process.stdout.isTTY || process.env['NO_COLOR'] !== undefined
  return isPlain ? text : styleText(style, text)
}
