import { expect } from 'chai'
import type { LaneCall } from '../../../../src/drivers/redis/lane.ts'
import { Lane } from '../../../../src/drivers/redis/lane.ts'
import type { Link } from '../../../../src/drivers/redis/link.ts'
import type { Trouble } from '../../../../src/drivers/redis/trouble.ts'
import { troubleOf } from '../../../../src/drivers/redis/trouble.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const timeoutMs = 200

/** A connection whose answers the test gives: what is asserted here is when, and by the clock. */
class HeldLink implements Link {
  isReady = true
  lastError: unknown = null
  renewals = 0
  /** Scripts that were sent and not answered yet. */
  readonly sent: Sent[] = []
  /** How many calls each script had that was ever sent. */
  readonly sizes: number[] = []

  run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    this.sizes.push(keys.length - 1)
    return new Promise((resolve, reject) => {
      this.sent.push({
        keys,
        args,
        answer: (epoch = 'e') => resolve([epoch, ...keys.slice(1).flatMap((_, at) => [at, 7])]),
        say: (answer) => resolve(answer),
        fail: (message, name = 'Error') => reject(Object.assign(new Error(message), { name })),
      })
    })
  }

  renew(): void {
    this.renewals++
  }
}

interface Sent {
  readonly keys: readonly string[]
  readonly args: readonly string[]
  answer(epoch?: string): void
  say(answer: unknown): void
  fail(message: string, name?: string): void
}

describe('a lane', () => {
  let clock: FakeClock
  let link: HeldLink
  let lane: Lane
  let troubles: (Trouble | null)[]
  let epochs: string[]
  let trips: [number, number][]
  /** What each call was answered, and when: `k: 0 left 7 at 100`. */
  let answers: string[]

  beforeEach(() => {
    clock = new FakeClock()
    link = new HeldLink()
    ;[troubles, epochs, trips, answers] = [[], [], [], []]
    lane = new Lane({
      link,
      clock,
      epochName: 'epoch',
      timeoutMs,
      troubleOf: (error) => troubleOf(error, []),
      listener: {
        onTrouble: (trouble) => void troubles.push(trouble),
        onEpoch: (epoch) => void epochs.push(epoch),
        onRoundTrip: (tookMs, calls) => void trips.push([tookMs, calls]),
      },
    })
  })

  afterEach(() => {
    lane.close()
    expect(clock.pending, 'timers left behind').to.equal(0)
  })

  function callOf(name: string): LaneCall {
    return {
      name,
      text: `claim ${name}`,
      answered: (code, leftMs) =>
        void answers.push(`${name}: ${code} left ${leftMs} at ${nowMs()}`),
      unanswered: () => void answers.push(`${name}: unknown at ${nowMs()}`),
    }
  }

  const nowMs = () => clock.monotonic()
  const ask = (...names: string[]) => names.forEach((name) => lane.ask(callOf(name)))
  const kindOf = () => lane.trouble?.trouble ?? 'none'
  /** Lets what is ready happen, and no time pass. */
  const turn = () => clock.advance(0)

  async function fail(message: string, name?: string): Promise<void> {
    link.sent.shift()?.fail(message, name)
    await turn()
  }

  async function answer(epoch?: string): Promise<void> {
    link.sent.shift()?.answer(epoch)
    await turn()
  }

  /** Three scripts in a row that break. */
  async function breakIt(): Promise<void> {
    for (const name of ['x', 'y', 'z']) {
      ask(name)
      await turn()
      await fail('read ECONNRESET')
    }
    answers = []
  }

  describe('gathers', () => {
    it('the calls of one turn of the loop in one script, in their order', async () => {
      ask('a', 'b')
      expect(link.sent).to.deep.equal([])
      await turn()
      expect(link.sent[0]?.keys).to.deep.equal(['epoch', 'a', 'b'])
      expect(link.sent[0]?.args).to.deep.equal(['', 'claim a', 'claim b'])
      await answer()
      expect(answers).to.deep.equal(['a: 0 left 7 at 0', 'b: 1 left 7 at 0'])
    })

    it('what comes while a script is under way in the next one', async () => {
      ask('a')
      await turn()
      ask('b')
      await clock.advance(10)
      ask('c')
      await turn()
      expect(link.sizes).to.deep.equal([1])
      await answer()
      expect(link.sent[0]?.keys).to.deep.equal(['epoch', 'b', 'c'])
    })

    it('not more than 250 in one script', async () => {
      ask(...Array.from({ length: 600 }, (_, at) => `${at}`))
      await turn()
      for (let i = 0; i < 3; i++) await answer()
      expect(link.sizes).to.deep.equal([250, 250, 100])
      expect(answers).to.have.length(600)
    })

    it('and tells how long each round trip took, and for how many', async () => {
      ask('a', 'b')
      await clock.advance(30)
      await answer()
      expect(trips).to.deep.equal([[30, 2]])
    })
  })

  describe('keeps the time-box', () => {
    it('of a call whose script is not answered', async () => {
      ask('a')
      await clock.advance(timeoutMs - 1)
      expect(answers).to.deep.equal([])
      await clock.advance(1)
      expect(answers).to.deep.equal([`a: unknown at ${timeoutMs}`])
      expect(trips).to.deep.equal([[timeoutMs, 1]])
      expect(lane.trouble).to.deep.equal({ trouble: 'slow', error: 'no answer in 200 ms' })
    })

    it('of a call that waits for the script before it, from when it was asked', async () => {
      ask('a')
      await clock.advance(150)
      ask('b')
      await clock.advance(199)
      expect(answers).to.deep.equal(['a: unknown at 200'])
      await clock.advance(1)
      expect(answers).to.deep.equal(['a: unknown at 200', 'b: unknown at 350'])
    })

    it('of a call that waits for a connection, and never sends it afterwards', async () => {
      link.isReady = false
      ask('a')
      await clock.advance(100)
      ask('b')
      await clock.advance(100)
      expect(answers).to.deep.equal(['a: unknown at 200'])
      expect(lane.trouble).to.include({ trouble: 'unreachable', error: 'no connection in 200 ms' })
      link.isReady = true
      lane.onReady()
      expect(link.sent[0]?.keys).to.deep.equal(['epoch', 'b'])
    })

    it('and says why there is no connection, where that is known', async () => {
      link.isReady = false
      link.lastError = new Error('connect ECONNREFUSED')
      ask('a')
      await clock.advance(timeoutMs)
      expect(lane.trouble).to.deep.equal({ trouble: 'unreachable', error: 'connect ECONNREFUSED' })
    })

    it('and takes an answer that comes later for none', async () => {
      ask('a')
      await clock.advance(timeoutMs)
      const late = link.sent.shift()
      ask('b')
      await turn()
      late?.answer('late')
      await turn()
      expect(answers).to.deep.equal(['a: unknown at 200'])
      expect(epochs).to.deep.equal([])
      await answer()
      expect(answers.at(-1)).to.equal('b: 0 left 7 at 200')
    })

    it('but reads what is there after the loop was held for longer', async () => {
      const schedule = clock.schedule.bind(clock)
      // Node runs timers that are due before it reads from sockets.
      clock.schedule = (ms, fire) =>
        schedule(ms, () => {
          fire()
          link.sent.shift()?.answer()
        })
      ask('a')
      await clock.advance(timeoutMs)
      expect(answers).to.deep.equal(['a: 0 left 7 at 200'])
    })
  })

  describe('behind its breaker', () => {
    for (const [what, failing] of [
      ['broken', () => fail('read ECONNRESET')],
      ['late', () => clock.advance(timeoutMs)],
    ] as const) {
      it(`answers unknown at once after three ${what} round trips in a row`, async () => {
        for (const name of ['a', 'b', 'c']) {
          ask(name)
          await turn()
          await failing()
        }
        answers = []
        const atMs = nowMs()
        ask('d', 'e')
        expect(answers).to.deep.equal([`d: unknown at ${atMs}`, `e: unknown at ${atMs}`])
      })
    }

    it('is not after three that were not in a row', async () => {
      for (const name of ['a', 'b', 'c', 'd']) {
        ask(name)
        await turn()
        if (name === 'b') await answer()
        else await fail('read ECONNRESET')
      }
      answers = []
      ask('e')
      expect(answers).to.deep.equal([])
    })

    it('is not after errors that Redis answered with: those are quick', async () => {
      for (let i = 0; i < 5; i++) {
        ask('a')
        await turn()
        await fail('OOM command not allowed', 'ReplyError')
      }
      answers = []
      ask('b')
      expect(answers).to.deep.equal([])
    })

    it('turns away what waits when it opens', async () => {
      ask('a')
      await turn()
      await fail('read ECONNRESET')
      ask('b')
      await turn()
      await fail('read ECONNRESET')
      ask('c')
      await turn()
      ask('d')
      await fail('read ECONNRESET')
      expect(answers.slice(2)).to.deep.equal(['c: unknown at 0', 'd: unknown at 0'])
    })

    it('probes every 500 ms and as much again by chance, and not more than once at a time', async () => {
      clock.samples = [0.5]
      await breakIt()
      const before = link.sizes.length
      await clock.advance(749)
      expect(link.sizes).to.have.length(before)
      await clock.advance(1)
      expect(link.sizes.slice(before)).to.deep.equal([0])
      await clock.advance(timeoutMs + 750) // that one is late too
      expect(link.sizes.slice(before)).to.deep.equal([0, 0])
      lane.probe()
      lane.probe()
      await answer()
      await answer()
      expect(link.sizes.slice(before)).to.deep.equal([0, 0])
    })

    it('lets calls through again once a probe is answered in time', async () => {
      await breakIt()
      await clock.advance(750)
      await answer()
      expect(kindOf()).to.equal('none')
      ask('a')
      await turn()
      await answer()
      expect(answers).to.deep.equal(['a: 0 left 7 at 750'])
      await clock.advance(10_000)
      expect(link.sent, 'probes of a lane that is well').to.deep.equal([])
    })

    it('lets calls through again as soon as there is a connection that answers', async () => {
      await breakIt()
      lane.onReady()
      expect(link.sent).to.have.length(1)
      await answer()
      expect(kindOf()).to.equal('none')
      await clock.advance(10_000)
      expect(link.sent, 'probes of a lane that is well').to.deep.equal([])
    })

    it('tells of no round trip for a probe', async () => {
      await breakIt()
      trips = []
      await clock.advance(750)
      await answer()
      expect(trips).to.deep.equal([])
    })
  })

  describe('after an error that Redis answered with', () => {
    const cases = [
      { said: 'READONLY You cannot write', trouble: 'read-only', renewals: 1 },
      { said: 'NOAUTH Authentication required.', trouble: 'denied', renewals: 1 },
      { said: 'CLUSTERDOWN Hash slot not served', trouble: 'failing-over', renewals: 1 },
      { said: 'OOM command not allowed', trouble: 'full', renewals: 0 },
      { said: 'ERR DB index is out of range', trouble: 'refused', renewals: 1 },
    ] as const
    for (const { said, trouble, renewals } of cases) {
      it(`probes by itself${renewals ? ' on a new connection' : ''}: ${said}`, async () => {
        ask('a')
        await turn()
        await fail(said, 'ReplyError')
        expect(answers).to.deep.equal(['a: unknown at 0'])
        expect(lane.trouble).to.deep.equal({ trouble, error: said })
        await clock.advance(750)
        expect(link.renewals).to.equal(renewals)
        await answer()
        expect(kindOf()).to.equal('none')
      })
    }
  })

  it('connects anew on a replica although calls go on and on', async () => {
    for (let i = 0; i < 20; i++) {
      ask('a')
      await clock.advance(50)
      while (link.sent.length > 0) await fail('READONLY You cannot write', 'ReplyError')
    }
    expect(link.renewals).to.equal(1)
  })

  for (const nonsense of [
    null,
    'OK',
    [],
    ['e'],
    ['e', 0],
    ['e', 0, '7'],
    [1, 0, 7],
    ['e', 0, 7, 0],
  ]) {
    it(`takes ${JSON.stringify(nonsense)} for no answer`, async () => {
      ask('a')
      await turn()
      link.sent.shift()?.say(nonsense)
      await turn()
      expect(answers).to.deep.equal(['a: unknown at 0'])
      expect(kindOf()).to.equal('refused')
    })
  }

  it('tells the epoch of each answer', async () => {
    for (const epoch of ['1', '1', '2']) {
      ask('a')
      await turn()
      await answer(epoch)
    }
    expect(epochs).to.deep.equal(['1', '1', '2'])
  })

  it('answers everything with unknown when it is closed, and afterwards', async () => {
    ask('a')
    await turn()
    ask('b')
    lane.close()
    ask('c')
    lane.probe()
    link.sent.shift()?.answer()
    await clock.advance(1_000)
    expect(answers).to.deep.equal(['a: unknown at 0', 'b: unknown at 0', 'c: unknown at 0'])
    expect(link.sizes).to.deep.equal([1])
    expect(epochs).to.deep.equal([])
  })
})
