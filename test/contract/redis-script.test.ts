import { expect } from 'chai'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import type { ScriptCall } from '../../src/drivers/redis/calls.ts'
import {
  claimCall,
  completeCall,
  noteWaitingCall,
  releaseCall,
  renewCall,
} from '../../src/drivers/redis/calls.ts'
import { epochNameOf, nameOf } from '../../src/drivers/redis/keys.ts'
import { script } from '../../src/drivers/redis/script.ts'
import type { Stamp } from '../../src/model/stamp.ts'
import { versionOf } from '../../src/model/stamp.ts'
import type { StoreEntry } from '../../src/model/store-entry.ts'
import {
  claimOn,
  completeOn,
  entryEndsMs,
  noteWaitingOn,
  releaseOn,
  renewOn,
} from '../../src/model/store-entry.ts'
import { isServiceHere } from '../services/availability.ts'
import { sharedRedis } from '../services/redis.ts'

/** More than enough sequences to meet each pair of calls at each of the moments that matter. */
const sequences = 500
/** Nothing else on a shared server has it. */
const prefix = `sluice-script-${process.pid}`
const rule = 'r'
/** Bytes of Redis for a held mark, beside the name of its key: issue 6. */
const markBytesMax = 200

/** Times are so coarse that what passes of real time, by which Redis forgets, makes no difference. */
const tickMs = 600_000
const ticks = (count: number) => count * tickMs
/** What PTTL says of a key that is not there. */
const absent = -2

const plainStamp: Stamp = { version: null, source: 'a/0', offset: 1n, timeMs: 1 }

/** One call: what the script is sent, and what the pure function makes of an entry. */
interface Step {
  readonly key: string
  /** Since the call before. 0: within one script, as far as those go. */
  readonly passedMs: number
  readonly call: ScriptCall<unknown>
  readonly on: (entry: StoreEntry | null, nowMs: number) => [StoreEntry | null, unknown]
}

const aStamp = fc.record<Stamp>({
  version: fc.constantFrom(null, null, versionOf('1'), versionOf('2'), versionOf('-3')),
  source: fc.constantFrom('a/0', 'a/0', 'b/0'),
  offset: fc.constantFrom(0n, 9n, 10n, 2n ** 53n, 2n ** 53n + 1n),
  timeMs: fc.integer({ min: -1, max: 2 }),
})

const aStep: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom('claim', 'claim', 'claim', 'renew', 'complete', 'release', 'noteWaiting'),
    key: fc.constantFrom('k', 'k', 'l'),
    passedMs: fc.constantFrom(0, 0, 0, 1, 2, 5).map(ticks),
    token: fc.constantFrom('run 0', 'run 1', 'run 2'),
    task: fc.constantFrom('task 0', 'task 1', 'task 2'),
    against: fc.constantFrom('lease', 'window', 'order'),
    stamp: aStamp,
    leaseMs: fc.integer({ min: 1, max: 8 }).map(ticks),
    windowMs: fc.integer({ min: 0, max: 8 }).map(ticks),
    keepMs: fc.integer({ min: 0, max: 8 }).map(ticks),
  })
  .map(({ kind, passedMs, ...rest }) => {
    const request = { rule, ...rest } as const
    const own = { key: rest.key, passedMs }
    switch (kind) {
      case 'claim':
        return { ...own, call: claimCall(request), on: (e, now) => pair(claimOn(e, request, now)) }
      case 'renew':
        return { ...own, call: renewCall(request), on: (e, now) => pair(renewOn(e, request, now)) }
      case 'complete':
        return {
          ...own,
          call: completeCall(request),
          on: (e, now) => [completeOn(e, request, now), 'done'],
        }
      case 'release':
        return {
          ...own,
          call: releaseCall(request),
          on: (e, now) => [releaseOn(e, request, now), 'done'],
        }
      case 'noteWaiting':
        return {
          ...own,
          call: noteWaitingCall(request),
          on: (e, now) => [noteWaitingOn(e, request, now), 'done'],
        }
    }
  })

function pair<T>({
  entry,
  answer,
}: {
  entry: StoreEntry | null
  answer: T
}): [StoreEntry | null, T] {
  return [entry, answer]
}

/** The calls in scripts: those between which no time passes share one. */
function scriptsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const scripts: Step[][] = []
  for (const step of steps) {
    const last = scripts.at(-1)
    if (last === undefined || step.passedMs > 0) scripts.push([step])
    else last.push(step)
  }
  return scripts
}

function scriptOfRedis(): void {
  let server: Awaited<ReturnType<typeof sharedRedis>>
  let redis: Redis
  before(async () => {
    server = await sharedRedis()
    redis = new Redis(server.url)
  })
  after(async () => {
    const names = await redis.keys(`${prefix}*`)
    if (names.length > 0) await redis.del(names)
    redis.disconnect()
    await server.close()
  })

  /** Runs calls at that time of the server. */
  async function run(
    nowMs: number | null,
    calls: readonly { readonly key: string; readonly call: ScriptCall<unknown> }[],
  ): Promise<readonly unknown[]> {
    const keys = [
      epochNameOf(prefix, 0),
      ...calls.map(({ key }) => nameOf(prefix, 0, { rule, key })),
    ]
    const args = [nowMs === null ? '' : String(nowMs), ...calls.map(({ call }) => call.text)]
    const [, ...numbers] = (await redis.eval(script, keys.length, ...keys, ...args)) as number[] // as: so it answers
    return calls.map(({ call }, at) => call.read(numbers[2 * at] ?? -1, numbers[2 * at + 1] ?? -1))
  }

  it(`answers ${sequences} sequences of calls as the functions of store-entry.ts do, and keeps as long`, async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 30 }), async (steps) => {
        round++
        const named = steps.map((step) => ({ ...step, key: `${round}/${step.key}` }))
        const entries = new Map<string, StoreEntry | null>()
        let nowMs = Date.UTC(2026, 0, 1)
        for (const calls of scriptsOf(named)) {
          nowMs += calls[0]?.passedMs ?? 0
          const wanted = calls.map(({ key, on }) => {
            const [entry, answer] = on(entries.get(key) ?? null, nowMs)
            entries.set(key, entry)
            return answer
          })
          expect(await run(nowMs, calls)).to.deep.equal(wanted)
        }
        for (const [key, entry] of entries) await expectKept(key, entry, nowMs)
      }),
      { numRuns: sequences },
    )
  })

  /** Redis forgets the entry when `entryEndsMs` says so. */
  async function expectKept(key: string, before: StoreEntry | null, nowMs: number): Promise<void> {
    // Does nothing but to write down what is left.
    const nobody = { rule, key, token: 'nobody', keepMs: 0 }
    const entry = releaseOn(before, nobody, nowMs)
    await run(nowMs, [{ key, call: releaseCall(nobody) }])
    const leftMs = await redis.pttl(nameOf(prefix, 0, { rule, key }))
    if (entry === null) expect(leftMs, `what is left of ${key}`).to.equal(absent)
    else
      expect(leftMs).to.be.within(
        entryEndsMs(entry) - nowMs - tickMs / 2,
        entryEndsMs(entry) - nowMs,
      )
  }

  it('goes by the time of the server', async () => {
    const claimed = { rule, key: 'now', token: 't', task: 'x', stamp: plainStamp, leaseMs: 60_000 }
    const ask = (token: string) => claimCall({ ...claimed, token, against: 'lease' })
    const before = await serverMs()
    await run(null, [{ key: 'now', call: ask('t') }])
    const after = await serverMs()
    const [answer] = await run(before, [{ key: 'now', call: ask('another') }])
    expect(answer)
      .to.have.property('leftMs')
      .that.is.within(60_000, 60_000 + after - before)
  })

  async function serverMs(): Promise<number> {
    const [seconds, micros] = await redis.time()
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
  }

  for (const [what, value] of [
    ['a text', 'hello'],
    ['nothing', ''],
    ['another list', '\x91\x01'],
    ['a broken one', '\xdc\xff'],
  ] as const) {
    it(`takes ${what} in place of an entry for none`, async () => {
      await redis.set(nameOf(prefix, 0, { rule, key: 'foreign' }), Buffer.from(value, 'latin1'))
      const request = { rule, key: 'foreign', token: 't', task: 'x', stamp: plainStamp, leaseMs: 1 }
      const call = claimCall({ ...request, against: 'order' })
      expect(await run(null, [{ key: 'foreign', call }])).to.deep.equal([{ kind: 'new' }])
    })
  }

  it(`keeps a held mark in ${markBytesMax} bytes beside the name of its key`, async () => {
    const source = 'a-topic-with-a-name-of-some-length/127'
    const version = versionOf('2026-01-01T00:00:00.123456789Z')
    const stamp = { version, source, offset: 2n ** 40n, timeMs: Date.UTC(2026, 0, 1) }
    const keys = Array.from({ length: 1_000 }, (_, at) => `mark ${at}`)
    const calls = keys.map((key) => {
      const task = `${rule}/${source}/${key}`
      const request = { rule, key, token: 't', task, stamp, windowMs: 3_600_000, keepMs: 7_200_000 }
      return { key, call: completeCall(request) }
    })
    await run(null, calls)
    const used = await Promise.all(
      keys.map(async (key) => {
        const name = nameOf(prefix, 0, { rule, key })
        return (await memoryOf(name)) - name.length
      }),
    )
    const most = Math.max(...used)
    console.log(`      at most ${most} bytes a mark beside the name of its key`)
    expect(most).to.be.at.most(markBytesMax)
  })

  async function memoryOf(name: string): Promise<number> {
    const bytes = await redis.call('MEMORY', 'USAGE', name)
    if (typeof bytes !== 'number') throw new Error(`${name} is not there`)
    return bytes
  }
}

if (isServiceHere('redis')) describe('The script of the Redis store', scriptOfRedis)
