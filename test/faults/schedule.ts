import { seeded } from '../support/seed.ts'
import type { BusName, Fault, FaultKind } from './kinds.ts'
import { factsOf, faultKinds } from './kinds.ts'
import { plainTargets } from './rules.ts'

export interface ScheduleOptions {
  readonly seed: number
  /** No fault begins later. */
  readonly lastsMs: number
  readonly bus: BusName
  readonly daemons: number
  /** Left out: all that there are. */
  readonly only?: readonly FaultKind[]
  /** Those that cannot be had on this machine. */
  readonly without?: readonly FaultKind[]
}

/** Daemons must have begun before anything is worth breaking. */
const firstMs = 3_000
/** Between the beginnings of two faults. Shorter than most last: they overlap. */
const gapMs = [800, 3_600] as const

/**
 * What goes wrong and when: a function of the options alone. Each kind comes once before one comes
 * again, so that a short run has most of them.
 */
export function scheduleOf(options: ScheduleOptions): readonly Fault[] {
  const { lastsMs, daemons } = options
  const random = seeded(options.seed)
  const between = ([min, max]: readonly [number, number]) =>
    Math.round(min + random() * (max - min))
  const kinds = kindsFor(options)
  const faults: Fault[] = []
  let deck: FaultKind[] = []
  for (let atMs = firstMs; atMs < lastsMs && kinds.length > 0; atMs += between(gapMs)) {
    if (deck.length === 0) deck = shuffled(kinds, random)
    const kind = deck.pop()
    if (kind === undefined) break
    const { subject, lastsMs: duration } = factsOf(kind)
    faults.push({
      atMs,
      kind,
      forMs: between(duration),
      daemon: subject === 'daemon' ? Math.floor(random() * daemons) : null,
      target:
        subject === 'target'
          ? (plainTargets[Math.floor(random() * plainTargets.length)] ?? null)
          : null,
    })
  }
  return faults
}

function kindsFor({ bus, only, without = [] }: ScheduleOptions): readonly FaultKind[] {
  return faultKinds.filter((kind) => {
    const needed = factsOf(kind).bus
    if (needed !== undefined && needed !== bus) return false
    return (only?.includes(kind) ?? true) && !without.includes(kind)
  })
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const deck = [...items]
  for (let i = deck.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [deck[i], deck[j]]
    if (a !== undefined && b !== undefined) [deck[i], deck[j]] = [b, a]
  }
  return deck
}

/** One line, for people who want to see what a seed holds. */
export function describeFault({ atMs, kind, forMs, daemon, target }: Fault): string {
  const who = daemon === null ? (target ?? '') : `daemon ${daemon}`
  const duration = forMs === 0 ? '' : `for ${(forMs / 1_000).toFixed(1)} s`
  return [`${(atMs / 1_000).toFixed(1).padStart(7)} s`, kind.padEnd(20), who, duration]
    .filter((part) => part !== '')
    .join('  ')
}
