import type { Failure } from '../../model/failure.ts'
import type { Clock } from '../../ports/clock.ts'
import { failureOf } from './failure-of.ts'
import { openSocket } from './open-socket.ts'
import { Targets, type TargetOptions } from './targets.ts'

export interface OriginProberOptions extends TargetOptions {
  readonly clock: Clock
}

/** Whether an origin can be reached: `null`, or what a call to it would fail with. Never rejects. */
export type ProbeOrigin = (origin: string, timeoutMs: number) => Promise<Failure | null>

/**
 * Connects as a call would, with the guard, the authorities and the detours that calls have, and hangs
 * up before a request is sent. Throws when a CIDR, a certificate or an entry of `connectTo` is none.
 */
export function originProber({ clock, ...options }: OriginProberOptions): ProbeOrigin {
  const targets = new Targets(options)
  return (origin, timeoutMs) =>
    new Promise((resolve) => {
      const startedMs = clock.monotonic()
      const cancel = clock.schedule(timeoutMs, () => {
        socket.destroy()
        resolve({ kind: 'timeout', afterMs: Math.round(clock.monotonic() - startedMs) })
      })
      const socket = openSocket(targets.of(new URL(origin)), targets.tools, (error, opened) => {
        cancel()
        opened?.destroy()
        socket.destroy()
        resolve(error === null ? null : failureOf(error, clock.monotonic() - startedMs))
      })
    })
}
