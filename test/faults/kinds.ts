import type { TargetName } from './rules.ts'

export type BusName = 'embedded' | 'kafka'

/** What befalls one daemon, one target, or something that all share. */
type Subject = 'daemon' | 'target' | 'shared'

interface KindFacts {
  readonly subject: Subject
  /** How long it lasts, in milliseconds; [0, 0]: it is a moment. */
  readonly lastsMs: readonly [min: number, max: number]
  /** Where it can happen; left out: on each. */
  readonly bus?: BusName
}

const moment = [0, 0] as const
/** Longer than a call may take, so that tasks fail, and shorter than a run of the harness. */
const aWhile = [1_000, 5_000] as const

const facts = {
  /** `kill -9`, and a start after the time said. */
  kill: { subject: 'daemon', lastsMs: [0, 2_000] },
  /** SIGSTOP. Above 10 s its leases and its place in the group are lost. */
  freeze: { subject: 'daemon', lastsMs: [1_000, 12_000] },
  /** SIGTERM, and a start after the time said. */
  stop: { subject: 'daemon', lastsMs: [0, 2_000] },
  /** All daemons stop, one after the other, and start with other rules. */
  'rules-changed': { subject: 'shared', lastsMs: moment },
  'broker-killed': { subject: 'shared', lastsMs: aWhile, bus: 'kafka' },
  'redis-killed': { subject: 'shared', lastsMs: aWhile },
  'redis-frozen': { subject: 'shared', lastsMs: aWhile },
  'redis-wiped': { subject: 'shared', lastsMs: moment },
  'target-stalls': { subject: 'target', lastsMs: aWhile },
  'target-resets': { subject: 'target', lastsMs: aWhile },
  'target-trickles': { subject: 'target', lastsMs: aWhile },
  'target-500': { subject: 'target', lastsMs: aWhile },
  'target-429': { subject: 'target', lastsMs: aWhile },
  'target-301': { subject: 'target', lastsMs: [200, 1_000] },
  'target-half': { subject: 'target', lastsMs: aWhile },
  'certificate-expired': { subject: 'shared', lastsMs: aWhile },
  'partitions-added': { subject: 'shared', lastsMs: moment, bus: 'kafka' },
  'topic-deleted': { subject: 'shared', lastsMs: moment },
  'disk-full': { subject: 'shared', lastsMs: aWhile, bus: 'embedded' },
  undecodable: { subject: 'shared', lastsMs: moment },
  huge: { subject: 'shared', lastsMs: moment },
} as const satisfies Readonly<Record<string, KindFacts>>

export type FaultKind = keyof typeof facts

export const faultKinds = Object.keys(facts) as readonly FaultKind[] // as: see its type

export function factsOf(kind: FaultKind): KindFacts {
  return facts[kind]
}

export function isFaultKind(text: string): text is FaultKind {
  return Object.hasOwn(facts, text)
}

/** Kinds that the issue asks for and that cannot be had, with the reason. */
export const impossibleKinds = {
  'clock-stepped':
    'the clock of a machine cannot be stepped for some of its processes: test/model does it',
} as const

/** One thing that goes wrong. */
export interface Fault {
  /** From the start of the run, in milliseconds. */
  readonly atMs: number
  readonly kind: FaultKind
  readonly forMs: number
  /** Which daemon, counted from 0; `null`: none in particular. */
  readonly daemon: number | null
  readonly target: TargetName | null
}
