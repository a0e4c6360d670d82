import { expect } from 'chai'
import fc from 'fast-check'
import { Lifecycle, StartError, StoppedWhileStarting } from '../../../src/app/lifecycle.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { silentLogger } from '../../support/silent-logger.ts'

type Behaviour = 'well' | 'fails-to-start' | 'fails-to-stop' | 'hangs-on-stop' | 'slow-to-start'

class Stage {
  readonly clock = new FakeClock()
  readonly said: string[] = []
  readonly running = new Set<string>()
  readonly lifecycle = new Lifecycle(this.clock, silentLogger)

  /** Starts a part that behaves so. */
  open(name: string, behaviour: Behaviour = 'well'): Promise<void> {
    const start = async (): Promise<void> => {
      if (behaviour === 'slow-to-start') await this.clock.sleep(1_000)
      if (behaviour === 'fails-to-start') throw new Error('the port is in use')
      this.running.add(name)
      this.said.push(`start ${name}`)
    }
    const stop = async (): Promise<void> => {
      this.said.push(`stop ${name}`)
      if (behaviour === 'hangs-on-stop') await new Promise(() => {})
      this.running.delete(name)
      if (behaviour === 'fails-to-stop') throw new Error('no answer')
    }
    return this.lifecycle.open(name, start, stop)
  }
}

describe('a lifecycle', () => {
  it('starts in order and stops in reverse', async () => {
    const stage = new Stage()
    await stage.open('a')
    await stage.open('b')
    expect(await stage.lifecycle.stop(1_000)).to.equal('clean')
    expect(stage.said).to.deep.equal(['start a', 'start b', 'stop b', 'stop a'])
  })

  it('stops what was started when a part fails, and names the part and why', async () => {
    const stage = new Stage()
    await stage.open('a')
    const error: unknown = await stage.open('admin', 'fails-to-start').catch((why: unknown) => why)
    await stage.lifecycle.stop(1_000)
    expect(error).to.be.instanceOf(StartError)
    expect(String(error)).to.include('could not start admin: the port is in use')
    expect(stage.said).to.deep.equal(['start a', 'stop a'])
  })

  it('passes a part that hangs by, and still stops the others in time', async () => {
    const stage = new Stage()
    await stage.open('a')
    await stage.open('b', 'hangs-on-stop')
    const stopped = stage.lifecycle.stop(5_000)
    await stage.clock.advance(5_000)
    expect(await stopped).to.equal('unclean')
    expect(stage.said).to.include('stop a')
  })

  it('is unclean when a part fails to stop, and stops the others', async () => {
    const stage = new Stage()
    await stage.open('a')
    await stage.open('b', 'fails-to-stop')
    expect(await stage.lifecycle.stop(1_000)).to.equal('unclean')
    expect([...stage.running]).to.deep.equal([])
  })

  it('may be stopped before it is started, and then nothing starts', async () => {
    const stage = new Stage()
    expect(await stage.lifecycle.stop(1_000)).to.equal('clean')
    const error: unknown = await stage.open('a').catch((why: unknown) => why)
    expect(error).to.be.instanceOf(StoppedWhileStarting)
    expect(stage.said).to.deep.equal([])
  })

  it('leaves no timer behind', async () => {
    const stage = new Stage()
    await stage.open('a')
    await stage.open('b')
    await stage.lifecycle.stop(1_000)
    expect(stage.clock.pending).to.equal(0)
  })

  it('never leaves a part running that can stop, whatever the order of calls', async () => {
    const behaviour = fc.constantFrom<Behaviour>(
      'well',
      'fails-to-start',
      'fails-to-stop',
      'slow-to-start',
    )
    const step = fc.oneof(
      fc.record({ call: fc.constant<'open'>('open'), behaviour }),
      fc.record({ call: fc.constantFrom<'stop' | 'wait'>('stop', 'wait') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const stage = new Stage()
        const pending: Promise<unknown>[] = []
        for (const [at, one] of steps.entries()) {
          if (one.call === 'open') {
            pending.push(stage.open(String(at), one.behaviour).catch(() => {}))
          } else if (one.call === 'stop') pending.push(stage.lifecycle.stop(20_000))
          else await stage.clock.advance(700)
        }
        pending.push(stage.lifecycle.stop(20_000))
        await stage.clock.advance(60_000)
        await Promise.all(pending)
        expect([...stage.running]).to.deep.equal([])
      }),
    )
  })
})
