import { expect } from 'chai'
import { Changes } from '../../../../src/drivers/embedded/changes.ts'
import { openEnvironment } from '../../../../src/drivers/embedded/environment.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import type { OpenLog } from './open-log.ts'
import { openLog } from './open-log.ts'

describe('Changes', () => {
  let log: OpenLog
  let clock: FakeClock
  let changes: Changes
  let heard: string[]

  beforeEach(async () => {
    log = openLog()
    clock = new FakeClock()
    changes = new Changes(log.environment, clock)
    heard = []
    await log.makeTopic()
  })
  afterEach(() => log.close())

  it('tell of our own commits at once', () => {
    const stop = changes.listen((by) => heard.push(by))
    changes.tellOwn()
    expect(heard).to.deep.equal(['own'])
    stop()
  })

  it('tell of a commit by someone else within 40 ms, once, and of nothing more', async () => {
    const stop = changes.listen((by) => heard.push(by))
    await clock.advance(40)
    expect(heard, 'the first look finds what was there before').to.deep.equal(['anyone'])
    const other = openEnvironment(log.environment.path)
    await other.meta.put('someone', 1)
    await clock.advance(40)
    expect(heard).to.deep.equal(['anyone', 'anyone'])
    expect(log.environment.meta.get('someone')).to.equal(1)
    await clock.advance(4_000)
    expect(heard).to.have.length(2)
    stop()
    await other.root.close()
  })

  it('tell of it also after a long time without any, when looks are rarer', async () => {
    const stop = changes.listen((by) => heard.push(by))
    await clock.advance(60_000)
    const before = heard.length
    await log.environment.meta.put('someone', 1)
    await clock.advance(500)
    expect(heard.length).to.be.above(before)
    stop()
  })

  it('leave no timer once nobody listens, and start again for the next', async () => {
    const stops = [changes.listen(() => undefined), changes.listen((by) => heard.push(by))]
    for (const stop of stops) stop()
    expect(clock.pending).to.equal(0)
    const stop = changes.listen((by) => heard.push(by))
    await clock.advance(40)
    expect(heard).to.deep.equal(['anyone'])
    stop()
    expect(clock.pending).to.equal(0)
  })
})
