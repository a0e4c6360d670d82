import { rmSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { open } from 'lmdb'
import type { Entries } from '../../../../src/drivers/embedded/store-entries.ts'
import {
  changeEntry,
  decodeEntry,
  encodeEntry,
  keyOf,
  sweepEntries,
  writeProbe,
} from '../../../../src/drivers/embedded/store-entries.ts'
import type { StoreEntry } from '../../../../src/model/store-entry.ts'
import { temporaryFolder } from '../../../contract/embedded-fixture.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ maxLength: 400 }),
  // Halves of surrogate pairs among the rest.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
)

describe('The key of an entry', () => {
  const same = fc.oneof(anyText, fc.constantFrom('', 'a', '1', ':', '1:'))

  it('is that of no other rule and key', () => {
    fc.assert(
      fc.property(same, same, same, same, (rule, key, otherRule, otherKey) => {
        const isSame = rule === otherRule && key === otherKey
        const keys = [keyOf({ rule, key }), keyOf({ rule: otherRule, key: otherKey })]
        expect(
          Buffer.compare(keys[0] ?? Buffer.alloc(0), keys[1] ?? Buffer.alloc(0)) === 0,
        ).to.equal(isSame)
      }),
      { numRuns: 2_000 },
    )
  })

  it('moves no letter from the key to the rule', () => {
    const keys = [
      { rule: 'a', key: 'bc' },
      { rule: 'ab', key: 'c' },
      { rule: 'abc', key: '' },
      { rule: '', key: 'abc' },
    ].map((one) => keyOf(one).toString('hex'))
    expect(new Set(keys).size).to.equal(4)
  })

  it('fits into LMDB, however long the text is', () => {
    for (const length of [0, 1, 125, 126, 127, 1_000, 1_000_000]) {
      expect(keyOf({ rule: 'r', key: 'x'.repeat(length) }).length).to.be.within(1, 256)
    }
  })
})

const time = fc.integer({ min: 0, max: 2 ** 53 - 1 })
const told = fc.record({
  task: fc.string({ unit: 'binary' }),
  untilMs: time,
  stamp: fc.record({
    version: fc.option(fc.string()),
    source: fc.string({ unit: 'binary' }),
    offset: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    timeMs: fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  }),
})
const anEntry: fc.Arbitrary<StoreEntry> = fc.record({
  lease: fc.option(fc.record({ token: anyText, untilMs: time })),
  newest: fc.option(
    fc.tuple(told, time).map(([one, windowUntilMs]) => ({ ...one, windowUntilMs })),
  ),
  waiting: fc.option(told),
  keepUntilMs: time,
})

describe('An entry', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(anEntry, (entry) => {
        const back = decodeEntry(encodeEntry(entry))
        expect(withoutMinusZero(back)).to.deep.equal(withoutMinusZero(entry))
      }),
      { numRuns: 1_000 },
    )
  })

  const broken: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['too little', Buffer.alloc(5)],
    ['an end alone', Buffer.alloc(8)],
    ['half of a text', encodeEntry(entryUntil(5)).subarray(0, 20)],
    ['something else', Buffer.from('12345678{"a":1}')],
    ['a list of too few', Buffer.from('12345678[]')],
    ['an offset that is no number', Buffer.from('12345678[null,null,["t",1,null,"s","x",1],0]')],
  ]
  for (const [what, bytes] of broken) {
    it(`is unknown where there is ${what}`, () => expect(decodeEntry(bytes)).to.equal(null))
  }
})

describe('The entries in LMDB', () => {
  let path: string
  let entries: ReturnType<typeof openEntries>

  function openEntries() {
    return open<Buffer, Buffer>({
      path,
      encoding: 'binary',
      keyEncoding: 'binary',
      noSubdir: false,
    })
  }

  beforeEach(() => {
    path = temporaryFolder()
    entries = openEntries()
  })
  afterEach(async () => {
    await entries.close()
    rmSync(path, { recursive: true })
  })

  const inside = <T>(work: (into: Entries) => T): T => entries.transactionSync(() => work(entries))

  const put = (name: string, untilMs: number | null) =>
    inside((into) =>
      changeEntry(into, Buffer.from(name), () => ({
        entry: untilMs === null ? null : entryUntil(untilMs),
        answer: name,
      })),
    )

  const names = () => [...entries.getKeys()].map(String)

  it('tell what a call answers, and whether it made a new one', () => {
    expect(put('a', 5)).to.deep.equal({ answer: 'a', isMade: true })
    expect(put('a', 9)).to.deep.equal({ answer: 'a', isMade: false })
    expect(put('a', null)).to.deep.equal({ answer: 'a', isMade: false })
    expect(put('a', null)).to.deep.equal({ answer: 'a', isMade: false })
    expect(names()).to.deep.equal([])
  })

  it('are swept bit by bit, from where the last bit ended, and then from the first on', () => {
    const ends = { a: 5, b: 50, c: 5, d: 50, e: 5 }
    for (const [name, untilMs] of Object.entries(ends)) put(name, untilMs)
    const sweep = (from: Buffer | null) => inside((into) => sweepEntries(into, from, 2, 5))
    const first = sweep(null)
    expect([names().join(''), String(first)]).to.deep.equal(['bcde', 'b'])
    const second = sweep(first)
    expect([names().join(''), String(second)]).to.deep.equal(['bde', 'd'])
    const third = sweep(second)
    expect([names().join(''), third]).to.deep.equal(['bd', null])
  })

  it('are swept on from a place whose entry has gone meanwhile', () => {
    for (const name of ['a', 'b', 'c']) put(name, 5)
    inside((into) => sweepEntries(into, Buffer.from('aa'), 1, 5))
    expect(names()).to.deep.equal(['a', 'c'])
  })

  it('are kept until the millisecond at which they have run out', () => {
    put('a', 5)
    inside((into) => sweepEntries(into, null, 9, 4))
    expect(names()).to.deep.equal(['a'])
    inside((into) => sweepEntries(into, null, 9, 5))
    expect(names()).to.deep.equal([])
  })

  it('lose a probe, and what is no entry, to the next sweep', () => {
    inside(writeProbe)
    inside((into) => into.putSync(Buffer.from('b'), Buffer.from('x')))
    inside((into) => sweepEntries(into, null, 9, 1))
    expect(names()).to.deep.equal([])
  })
})

function entryUntil(untilMs: number): StoreEntry {
  return { lease: { token: 't', untilMs }, newest: null, waiting: null, keepUntilMs: 0 }
}

/** JSON has no -0; a time of -0 is one of 0. */
function withoutMinusZero(entry: StoreEntry | null): unknown {
  return JSON.parse(
    JSON.stringify(entry, (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    ),
  )
}
