import { execFileSync } from 'node:child_process'
import { platform } from 'node:os'
import { expect } from 'chai'
import { machineTime } from '../../../../src/drivers/embedded/machine-time.ts'
import { systemClock } from '../../../../src/drivers/system-clock.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

describe('The time of the machine', () => {
  it('is in whole milliseconds and never goes back', () => {
    const time = machineTime(systemClock)
    let before = time.nowMs()
    for (let i = 0; i < 1_000; i++) {
      const now = time.nowMs()
      expect(Number.isSafeInteger(now)).to.equal(true)
      expect(now).to.be.at.least(before)
      before = now
    }
  })

  it('has an era that is fit to be the name of a folder', () => {
    expect(machineTime(systemClock).era).to.match(/^(any|[0-9a-f-]{36})$/)
    expect(machineTime(systemClock).era).to.equal(machineTime(new FakeClock()).era)
  })

  it('is the same in another process, whatever the wall clocks say', function () {
    const time = machineTime(new FakeClock(0))
    if (platform() !== 'linux') expect(time.era).to.equal('any')
    if (time.era === 'any') return
    const script = `
      import { machineTime } from './src/drivers/embedded/machine-time.ts'
      import { systemClock } from './src/drivers/system-clock.ts'
      const time = machineTime(systemClock)
      process.stdout.write(JSON.stringify([time.era, time.nowMs()]))
    `
    const before = time.nowMs()
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const [era, nowMs] = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as [
      string,
      number,
    ] // as: printed by the script
    expect(era).to.equal(time.era)
    expect(nowMs).to.be.within(before, time.nowMs())
  })
})
