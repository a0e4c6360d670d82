import { expect } from 'chai'
import { faultKinds, factsOf } from './kinds.ts'
import type { ScheduleOptions } from './schedule.ts'
import { describeFault, scheduleOf } from './schedule.ts'

const options: ScheduleOptions = { seed: 7, lastsMs: 60_000, bus: 'embedded', daemons: 3 }

describe('a schedule of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(scheduleOf(options)).to.deep.equal(scheduleOf(options))
    expect(scheduleOf({ ...options, seed: 8 })).not.to.deep.equal(scheduleOf(options))
  })

  it('begins with what a longer one of its seed begins with', () => {
    const short = scheduleOf(options)
    const long = scheduleOf({ ...options, lastsMs: 600_000 })
    expect(long.slice(0, short.length)).to.deep.equal(short)
  })

  it('has each kind that its bus knows once before one comes again', () => {
    const kinds = scheduleOf({ ...options, lastsMs: 600_000 }).map(({ kind }) => kind)
    const possible = faultKinds.filter((kind) => (factsOf(kind).bus ?? 'embedded') === 'embedded')
    expect([...kinds.slice(0, possible.length)].sort()).to.deep.equal([...possible].sort())
  })

  it('has none of another bus, and none that this machine cannot have', () => {
    const without = ['redis-killed', 'disk-full'] as const
    const kinds = scheduleOf({ ...options, lastsMs: 600_000, without }).map(({ kind }) => kind)
    expect(kinds).not.to.include.members(['broker-killed'])
    expect(kinds).not.to.include.members(['redis-killed'])
    expect(kinds).not.to.include.members(['disk-full'])
  })

  it('has those alone that were asked for', () => {
    const kinds = scheduleOf({ ...options, only: ['kill', 'huge'] }).map(({ kind }) => kind)
    expect(new Set(kinds)).to.deep.equal(new Set(['kill', 'huge']))
  })

  it('names a daemon that there is, or a target, where a kind befalls one', () => {
    for (const fault of scheduleOf({ ...options, lastsMs: 600_000 })) {
      const { subject, lastsMs } = factsOf(fault.kind)
      expect(fault.daemon !== null, fault.kind).to.equal(subject === 'daemon')
      expect(fault.target !== null, fault.kind).to.equal(subject === 'target')
      expect(fault.forMs).to.be.within(lastsMs[0], lastsMs[1])
      if (fault.daemon !== null) expect(fault.daemon).to.be.within(0, 2)
    }
  })

  it('is told in a line for each', () => {
    const fault = { atMs: 4_620, kind: 'kill', forMs: 400, daemon: 1, target: null } as const
    expect(describeFault(fault)).to.match(/^ +4\.6 s {2}kill +daemon 1 {2}for 0\.4 s$/)
  })
})
