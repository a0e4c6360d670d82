import { expect } from 'chai'
import { Signal } from '../../../../src/drivers/embedded/signal.ts'

describe('A signal', () => {
  it('wakes who waits', async () => {
    const signal = new Signal()
    const waiting = signal.wait()
    signal.notify()
    await waiting
  })

  it('keeps a call that came while nobody waited, and several as one', async () => {
    const signal = new Signal()
    signal.notify()
    signal.notify()
    await signal.wait()
    let isAwake = false
    const waiting = signal.wait().then(() => (isAwake = true))
    await new Promise(setImmediate)
    expect(isAwake).to.equal(false)
    signal.notify()
    await waiting
  })

  it('keeps a call that comes between waking and waiting again', async () => {
    const signal = new Signal()
    const waiting = signal.wait()
    signal.notify()
    await waiting
    signal.notify()
    await signal.wait()
  })
})
