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
  /** The name of the call, and what it is asked. */
  readonly args: readonly string[]
  readonly read: (code: number, leftMs: number) => Answer
  readonly unknown: Answer
}

export function claimCall(request: ClaimRequest): ScriptCall<ClaimAnswer> {
  const { token, leaseMs, against } = request
  return {
    on: request,
    args: ['claim', token, durationOf(leaseMs), against, ...eventOf(request)],
    read: claimAnswer,
    unknown: { kind: 'unknown' },
  }
}

export function renewCall(request: LeaseRequest): ScriptCall<'held' | 'lost' | 'unknown'> {
  return {
    on: request,
    args: ['renew', request.token, durationOf(request.leaseMs)],
    read: (code) => (code === codes.busy ? 'lost' : 'held'),
    unknown: 'unknown',
  }
}

export function completeCall(request: CompleteRequest): ScriptCall<StoreDone> {
  const { token, windowMs, keepMs } = request
  const durations = [durationOf(windowMs), durationOf(keepMs)]
  return doneCall(request, ['complete', token, ...eventOf(request), ...durations])
}

export function releaseCall(request: ReleaseRequest): ScriptCall<StoreDone> {
  return doneCall(request, ['release', request.token, durationOf(request.keepMs)])
}

export function noteWaitingCall(request: WaitingRequest): ScriptCall<StoreDone> {
  return doneCall(request, ['noteWaiting', ...eventOf(request), durationOf(request.keepMs)])
}

function doneCall(on: StoreKey, args: readonly string[]): ScriptCall<StoreDone> {
  return { on, args, read: () => 'done', unknown: 'unknown' }
}

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

function eventOf({ task, stamp }: { readonly task: string; readonly stamp: Stamp }): string[] {
  const { version, source, offset, timeMs } = stamp
  const digits = String(offset) // without zeros in front, as the script needs it
  return [taskDigestOf(task), version ?? '', sourceDigestOf(source), digits, String(timeMs)]
}

/** Whole milliseconds, for Redis knows no others; upwards, so that a short lease is one. */
function durationOf(ms: number): string {
  return String(Math.ceil(ms))
}
