import { expect } from 'chai'
import { TrialClock } from '../../../../src/engine/trial/trial-clock.ts'

describe('the clock of a trial', () => {
  it('goes straight to what falls due next, those of one moment in the order of planning', () => {
    const clock = new TrialClock(1_000)
    const done: string[] = []
    const plan = (name: string, ms: number) =>
      clock.schedule(ms, () => done.push(`${name} ${clock.monotonic()} ${clock.now()}`))
    plan('day', 86_400_000)
    plan('first', 5)
    plan('now', 0)
    plan('second', 5)
    while (clock.playNext());
    expect(done).to.deep.equal([
      'now 0 1000',
      'first 5 1005',
      'second 5 1005',
      'day 86400000 86401000',
    ])
  })

  it('plays what is planned while it plays, from that moment on', () => {
    const clock = new TrialClock(0)
    const done: number[] = []
    clock.schedule(5, () => clock.schedule(2, () => done.push(clock.monotonic())))
    clock.schedule(6, () => done.push(clock.monotonic()))
    while (clock.playNext());
    expect(done).to.deep.equal([6, 7])
  })

  it('leaves out what was called off', () => {
    const clock = new TrialClock(0)
    const callOff = clock.schedule(5, () => expect.fail('it was called off'))
    callOff()
    callOff()
    expect(clock.playNext()).to.equal(false)
  })

  it('never comes to what is due never', () => {
    const clock = new TrialClock(0)
    clock.schedule(Infinity, () => expect.fail('it is due never'))
    expect(clock.playNext()).to.equal(false)
    expect(clock.monotonic()).to.equal(0)
  })

  it('wakes a sleeper when its time has come', async () => {
    const clock = new TrialClock(0)
    const woken = clock.sleep(5).then(() => clock.monotonic())
    expect(clock.playNext()).to.equal(true)
    expect(await woken).to.equal(5)
  })
})
