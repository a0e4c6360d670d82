import { expect } from 'chai'
import fc from 'fast-check'
import type { Part } from '../../../src/app/lifecycle.ts'
import { Lifecycle, StartError } from '../../../src/app/lifecycle.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { silentLogger } from '../../support/silent-logger.ts'

type Behaviour = 'well' | 'fails-to-start' | 'fails-to-stop' | 'hangs-on-stop' | 'slow-to-start'

class Stage {
  readonly clock = new FakeClock()
  readonly said: string[] = []
  readonly running = new Set<string>()
  readonly lifecycle = new Lifecycle(this.clock, silentLogger)

  part(name: string, behaviour: Behaviour = 'well'): Part {
    return {
      name,
      start: async () => {
        if (behaviour === 'slow-to-start') await this.clock.sleep(1_000)
        if (behaviour === 'fails-to-start') throw new Error('the port is in use')
        this.running.add(name)
        this.said.push(`start ${name}`)
      },
      stop: async () => {
        this.said.push(`stop ${name}`)
        if (behaviour === 'hangs-on-stop') await new Promise(() => {})
        this.running.delete(name)
        if (behaviour === 'fails-to-stop') throw new Error('no answer')
        await Promise.resolve()
      },
    }
  }
}

describe('a lifecycle', () => {
  it('starts in order and stops in reverse', async () => {
    const stage = new Stage()
    await stage.lifecycle.start([stage.part('a'), stage.part('b')], 1_000)
    expect(await stage.lifecycle.stop(1_000)).to.equal('clean')
    expect(stage.said).to.deep.equal(['start a', 'start b', 'stop b', 'stop a'])
  })

  it('stops what was started when a part fails, and names the part and why', async () => {
    const stage = new Stage()
    const parts = [stage.part('a'), stage.part('admin', 'fails-to-start'), stage.part('c')]
    const error: unknown = await stage.lifecycle.start(parts, 1_000).catch((why: unknown) => why)
    expect(error).to.be.instanceOf(StartError)
    expect(String(error)).to.include('could not start admin: the port is in use')
    expect(stage.said).to.deep.equal(['start a', 'stop a'])
  })

  it('passes a part that hangs by, and still stops the others in time', async () => {
    const stage = new Stage()
    await stage.lifecycle.start([stage.part('a'), stage.part('b', 'hangs-on-stop')], 1_000)
    const stopped = stage.lifecycle.stop(5_000)
    await stage.clock.advance(5_000)
    expect(await stopped).to.equal('unclean')
    expect(stage.said).to.include('stop a')
  })

  it('is unclean when a part fails to stop, and stops the others', async () => {
    const stage = new Stage()
    await stage.lifecycle.start([stage.part('a'), stage.part('b', 'fails-to-stop')], 1_000)
    expect(await stage.lifecycle.stop(1_000)).to.equal('unclean')
    expect([...stage.running]).to.deep.equal([])
  })

  it('may be stopped before it is started, and then nothing starts', async () => {
    const stage = new Stage()
    expect(await stage.lifecycle.stop(1_000)).to.equal('clean')
    await stage.lifecycle.start([stage.part('a')], 1_000)
    expect(stage.said).to.deep.equal([])
  })

  it('leaves no timer behind', async () => {
    const stage = new Stage()
    await stage.lifecycle.start([stage.part('a'), stage.part('b')], 1_000)
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
    const calls = fc.array(fc.constantFrom('start', 'stop', 'wait'), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.array(behaviour, { maxLength: 5 }), calls, async (behaviours, todo) => {
        const stage = new Stage()
        const parts = behaviours.map((one, at) => stage.part(String(at), one))
        const pending: Promise<unknown>[] = []
        for (const call of todo) {
          if (call === 'start') pending.push(stage.lifecycle.start(parts, 1_000).catch(() => {}))
          if (call === 'stop') pending.push(stage.lifecycle.stop(10_000))
          if (call === 'wait') await stage.clock.advance(700)
        }
        pending.push(stage.lifecycle.stop(10_000))
        await stage.clock.advance(30_000)
        await Promise.all(pending)
        expect([...stage.running]).to.deep.equal([])
      }),
    )
  })
})
