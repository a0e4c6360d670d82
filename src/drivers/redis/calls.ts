import type { Stamp } from '../../model/stamp.ts'
import type {
  ClaimAnswer,
  ClaimRequest,
  CompleteRequest,
  LeaseRequest,
  ReleaseRequest,
  StoreDone,
  StoreKey,
  WaitingRequest,
} from '../../model/store-calls.ts'
import { sourceDigestOf, taskDigestOf } from './keys.ts'

/** One call of the port, as the script takes it, and how to read the two numbers of its answer. */
export interface ScriptCall<Answer> {
  readonly on: StoreKey
  /** The name of the call and what it is asked, as script.ts takes it apart. */
  readonly text: string
  readonly read: (code: number, leftMs: number) => Answer
  readonly unknown: Answer
}

export function claimCall(request: ClaimRequest): ScriptCall<ClaimAnswer> {
  const { token, leaseMs, against } = request
  return {
    on: request,
    text: `claim ${durationOf(leaseMs)} ${against} ${eventOf(request)} ${token}`,
    read: claimAnswer,
    unknown: { kind: 'unknown' },
  }
}

export function renewCall(request: LeaseRequest): ScriptCall<'held' | 'lost' | 'unknown'> {
  return {
    on: request,
    text: `renew ${durationOf(request.leaseMs)} ${request.token}`,
    read: (code) => (code === codes.busy ? 'lost' : 'held'),
    unknown: 'unknown',
  }
}

export function completeCall(request: CompleteRequest): ScriptCall<StoreDone> {
  const { token, windowMs, keepMs } = request
  const durations = `${durationOf(windowMs)} ${durationOf(keepMs)}`
  return doneCall(request, `complete ${durations} ${eventOf(request)} ${token}`)
}

export function releaseCall(request: ReleaseRequest): ScriptCall<StoreDone> {
  return doneCall(request, `release ${durationOf(request.keepMs)} ${request.token}`)
}

export function noteWaitingCall(request: WaitingRequest): ScriptCall<StoreDone> {
  return doneCall(request, `noteWaiting ${durationOf(request.keepMs)} ${eventOf(request)}`)
}

function doneCall(on: StoreKey, text: string): ScriptCall<StoreDone> {
  return { on, text, read: isDone, unknown: 'unknown' }
}

const isDone = () => 'done' as const

/** As the script has them. */
const codes = { new: 0, busy: 1, done: 2, covered: 3, superseded: 4 } as const

function claimAnswer(code: number, leftMs: number): ClaimAnswer {
  switch (code) {
    case codes.new:
      return { kind: 'new' }
    case codes.busy:
      return { kind: 'busy', leftMs }
    case codes.done:
    case codes.covered:
      return { kind: 'done', leftMs, isCovered: code === codes.covered }
    case codes.superseded:
      return { kind: 'superseded' }
    default:
      return { kind: 'unknown' }
  }
}

/** Words without spaces: digests, and digits without zeros in front. */
function eventOf({ task, stamp }: { readonly task: string; readonly stamp: Stamp }): string {
  const { version, source, offset, timeMs } = stamp
  return `${taskDigestOf(task)} ${version ?? ''} ${sourceDigestOf(source)} ${offset} ${timeMs}`
}

/** Whole milliseconds, for Redis knows no others; upwards, so that a short lease is one. */
function durationOf(ms: number): string {
  return String(Math.ceil(ms))
}
