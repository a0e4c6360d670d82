import { expect } from 'chai'
import { FakeClock } from '../../support/fake-clock.ts'

describe('the fake clock', () => {
  it('stands still until it is advanced, and then moves wall and monotonic time alike', async () => {
    const clock = new FakeClock(1_000)
    expect([clock.now(), clock.monotonic()]).to.deep.equal([1_000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.monotonic()]).to.deep.equal([1_250, 250])
  })

  it('fires timers when they fall due, in order, at their own moment', async () => {
    const clock = new FakeClock(0)
    const seen: string[] = []
    clock.schedule(30, () => seen.push(`c at ${clock.now()}`))
    clock.schedule(10, () => seen.push(`a at ${clock.now()}`))
    clock.schedule(10, () => seen.push(`b at ${clock.now()}`))
    await clock.advance(29)
    expect(seen).to.deep.equal(['a at 10', 'b at 10'])
    await clock.advance(1)
    expect(seen).to.deep.equal(['a at 10', 'b at 10', 'c at 30'])
  })

  it('lets woken code sleep again and wakes it within the same advance', async () => {
    const clock = new FakeClock(0)
    const seen: number[] = []
    const loop = (async () => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(10)
        seen.push(clock.now())
      }
    })()
    await clock.advance(100)
    await loop
    expect(seen).to.deep.equal([10, 20, 30])
    expect(clock.now()).to.equal(100)
  })

  it('does not fire what was cancelled, and forgets it', async () => {
    const clock = new FakeClock()
    let fired = false
    clock.schedule(10, () => (fired = true))()
    await clock.advance(20)
    expect([fired, clock.pending]).to.deep.equal([false, 0])
  })

  it('rejects a sleep with the reason of its signal, also one given before', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    const reason = new Error('stopping')
    const before = clock.sleep(10, controller.signal)
    controller.abort(reason)
    const after = clock.sleep(10, controller.signal)
    const outcomes = await Promise.allSettled([before, after])
    expect(outcomes).to.deep.equal([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    expect(clock.pending).to.equal(0)
  })

  it('gives the samples in turn and the last one for ever', () => {
    const clock = new FakeClock()
    clock.samples = [0.1, 0.9]
    expect([clock.random(), clock.random(), clock.random()]).to.deep.equal([0.1, 0.9, 0.9])
  })

  it('keeps timers where they are when the wall time is set', async () => {
    const clock = new FakeClock(1_000)
    let fired = false
    clock.schedule(10, () => (fired = true))
    clock.setWall(5)
    await clock.advance(10)
    expect([fired, clock.now(), clock.monotonic()]).to.deep.equal([true, 15, 10])
  })
})
