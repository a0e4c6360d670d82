import { expect } from 'chai'
import fc from 'fast-check'
import { RunningCalls, type Running } from '../../../../src/drivers/undici/running-calls.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

interface Probe extends Running {
  readonly ends: string[]
}

function aCall(
  running: RunningCalls,
  clock: FakeClock,
  dueMs: number,
  signal = new AbortController().signal,
): Probe {
  const end = (how: string) => {
    probe.ends.push(`${how} at ${clock.monotonic()}`)
    running.delete(probe)
  }
  const probe: Probe = {
    dueMs,
    signal,
    place: -1,
    ends: [],
    onDeadline: () => end('deadline'),
    onAbort: () => end('abort'),
  }
  running.add(probe)
  return probe
}

describe('calls under way', () => {
  let clock: FakeClock
  let running: RunningCalls
  beforeEach(() => {
    clock = new FakeClock()
    running = new RunningCalls(clock)
  })

  it('meet their deadline at most a tick late and never early', async () => {
    const call = aCall(running, clock, 15)
    await clock.advance(14)
    expect(call.ends).to.deep.equal([])
    await clock.advance(11)
    expect(call.ends).to.deep.equal(['deadline at 20'])
  })

  it('need no timer when there are none', async () => {
    const call = aCall(running, clock, 1_000)
    running.delete(call)
    await clock.advance(20)
    expect(clock.pending).to.equal(0)
    const next = aCall(running, clock, 30)
    await clock.advance(20)
    expect(next.ends).to.deep.equal(['deadline at 30'])
  })

  it('end with their signal, all of one and none of another, with one listener', async () => {
    const [one, two] = [new AbortController(), new AbortController()]
    let listeners = 0
    const { signal } = one
    const add = signal.addEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    const calls = [1, 2, 3].map(() => aCall(running, clock, 1_000, one.signal))
    const other = aCall(running, clock, 1_000, two.signal)
    one.abort()
    expect(calls.map((call) => call.ends)).to.deep.equal(calls.map(() => ['abort at 0']))
    expect([other.ends, listeners]).to.deep.equal([[], 1])
    running.delete(other)
    await clock.advance(20)
  })

  it('are all ended at close, and the timer with them', async () => {
    const calls = [1, 2, 3].map(() => aCall(running, clock, 5))
    running.close()
    await clock.advance(100)
    expect(calls.map((call) => call.ends)).to.deep.equal(calls.map(() => ['abort at 0']))
    expect([running.size, clock.pending]).to.deep.equal([0, 0])
  })

  it('end exactly once each, whatever comes and goes meanwhile', async () => {
    const step = fc.record({ dueIn: fc.nat(60), passMs: fc.nat(30), leaves: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new FakeClock()
        const running = new RunningCalls(clock)
        const calls: (readonly [Probe, boolean])[] = []
        for (const { dueIn, passMs, leaves } of steps) {
          const call = aCall(running, clock, clock.monotonic() + dueIn)
          if (leaves) running.delete(call)
          calls.push([call, leaves])
          await clock.advance(passMs)
        }
        await clock.advance(100)
        expect(running.size).to.equal(0)
        for (const [call, left] of calls) expect(call.ends).to.have.length(left ? 0 : 1)
      }),
      { numRuns: 50 },
    )
  })
})
