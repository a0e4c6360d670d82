import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import type { ClientEntry } from '../../../../src/drivers/embedded/liveness.ts'
import {
  Heartbeats,
  isDead,
  ownEntry,
  sessionMs,
} from '../../../../src/drivers/embedded/liveness.ts'

describe('A client', () => {
  it('is not dead while its process runs', () => {
    expect(isDead(ownEntry())).to.equal(false)
  })

  it('is dead at once when its process was killed, also before anyone asked how it ended', async () => {
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const entry = { ...ownEntry(), pid: child.pid ?? 0, startedAt: null }
    expect(isDead(entry)).to.equal(false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isDead(entry)).to.equal(true)
  })

  it('is dead when its pid belongs to a process that started at another time', () => {
    expect(isDead({ ...ownEntry(), startedAt: '1' })).to.equal(true)
  })

  const realms = [
    { name: 'another kernel has started since', realm: 'b pid:[1]', own: 'a pid:[1]', dead: true },
    {
      name: 'it lives in another pid namespace',
      realm: 'a pid:[2]',
      own: 'a pid:[1]',
      dead: false,
    },
    { name: 'its realm is unknown', realm: null, own: 'a pid:[1]', dead: false },
    { name: 'our realm is unknown', realm: 'a pid:[1]', own: null, dead: false },
  ]
  for (const { name, realm, own, dead } of realms) {
    it(`is ${dead ? '' : 'not '}certainly dead when ${name}`, () => {
      const nobody = { pid: 2 ** 22 + 1, startedAt: '1', beat: 0, realm }
      expect(isDead(nobody, own)).to.equal(dead)
    })
  }
})

describe('Heartbeats', () => {
  const entryWith = (beat: number): ClientEntry => ({ pid: 1, startedAt: null, realm: null, beat })
  const clientsWith = (beat: number) => new Map([['a', entryWith(beat)]])

  /** Looks every 500 ms from `fromMs` on, for `ms`. */
  function watch(
    heartbeats: Heartbeats,
    beatAt: (ms: number) => number,
    fromMs: number,
    ms: number,
  ) {
    for (let now = fromMs; now <= fromMs + ms; now += 500) {
      heartbeats.observe(clientsWith(beatAt(now)), now)
    }
  }

  it('make a client silent when none came for a session', () => {
    const heartbeats = new Heartbeats()
    watch(heartbeats, () => 7, 0, sessionMs)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(false)
    watch(heartbeats, () => 7, sessionMs + 500, 0)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(true)
  })

  it('keep a client that beats, be its count large, small or going back', () => {
    const heartbeats = new Heartbeats()
    watch(heartbeats, (ms) => -Math.floor(ms / 1_000), 0, 10 * sessionMs)
    expect(heartbeats.isSilent('a', entryWith(-(10 * sessionMs) / 1_000))).to.equal(false)
  })

  it('take the word of an entry that has beaten since the last look', () => {
    const heartbeats = new Heartbeats()
    watch(heartbeats, () => 7, 0, sessionMs + 500)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(true)
    expect(heartbeats.isSilent('a', entryWith(8))).to.equal(false)
  })

  it('judge nobody by what was seen before we ourselves stood still', () => {
    const heartbeats = new Heartbeats()
    watch(heartbeats, () => 7, 0, 2_000)
    heartbeats.observe(clientsWith(7), 60_000)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(false)
    watch(heartbeats, () => 7, 60_500, sessionMs)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(true)
  })

  it('say nothing of a client that nobody has seen, or that has gone from the list', () => {
    const heartbeats = new Heartbeats()
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(false)
    watch(heartbeats, () => 7, 0, 2 * sessionMs)
    heartbeats.observe(new Map(), 2 * sessionMs + 500)
    expect(heartbeats.isSilent('a', entryWith(7))).to.equal(false)
  })
})
