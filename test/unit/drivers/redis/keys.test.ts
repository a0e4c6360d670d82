import { expect } from 'chai'
import {
  epochNameOf,
  nameOf,
  sourceDigestOf,
  tagOf,
  tags,
  taskDigestOf,
} from '../../../../src/drivers/redis/keys.ts'

const digest = /^[\w-]{22}$/

/** CRC16 as Redis Cluster has it, bit by bit: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
function slotOf(text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc % 16_384
}

describe('the names of keys', () => {
  const plain = [
    ['r', 'k', 'p:{10}:r:k'],
    ['purge/page.v2_x', 'Main Page', 'p:{10}:purge/page.v2_x:Main Page'],
    ['r', '', 'p:{10}:r:'],
    ['r', 'a:b{c}', 'p:{10}:r:a:b{c}'],
    ['r', 'é😀', 'p:{10}:r:é😀'],
    ['r', 'x'.repeat(128), `p:{10}:r:${'x'.repeat(128)}`],
    ['r', 'é'.repeat(64), `p:{10}:r:${'é'.repeat(64)}`],
  ] as const
  for (const [rule, key, name] of plain) {
    it(`can be read: ${rule}, ${key.slice(0, 20)}`, () => {
      expect(nameOf('p', 0, { rule, key })).to.equal(name)
    })
  }

  const digested = [
    ['of a key above 128 bytes', 'r', 'x'.repeat(129), 'p:{10}:r#'],
    ['of a key above 128 bytes in UTF-8', 'r', 'é'.repeat(65), 'p:{10}:r#'],
    ['of a key with half of a character', 'r', '\ud83d', 'p:{10}:r#'],
    ['of a rule that has a colon', 'r:', 'k', 'p:{10}:#'],
    ['of a rule that has a hash', 'r#', 'k', 'p:{10}:#'],
    ['of a rule of any length', 'r'.repeat(201), 'k', 'p:{10}:#'],
  ] as const
  for (const [what, rule, key, head] of digested) {
    it(`are a digest ${what}`, () => {
      const name = nameOf('p', 0, { rule, key })
      expect(name.slice(0, head.length)).to.equal(head)
      expect(name.slice(head.length)).to.match(digest)
    })
  }

  it('differ where rule or key do', () => {
    const texts = [
      '',
      'k',
      ':',
      ':k',
      '#',
      'epoch',
      '\ud83d',
      '\ude00',
      '\ufffd',
      'x'.repeat(129),
      `${'x'.repeat(128)}y`,
    ]
    const names = texts.flatMap((rule) => texts.map((key) => nameOf('p', 3, { rule, key })))
    expect(new Set([...names, epochNameOf('p', 3)]).size).to.equal(texts.length ** 2 + 1)
  })
})

describe('the tags', () => {
  it('lie in another sixteenth of the slots each, in their order', () => {
    expect(tags.map((tag) => Math.floor(slotOf(tag) / 1_024))).to.deep.equal(
      tags.map((_, at) => at),
    )
  })

  it('have about as many keys each', () => {
    const counts = tags.map(() => 0)
    for (let at = 0; at < 16_000; at++) {
      const tag = tagOf({ rule: 'purge', key: `page ${at}` })
      counts[tag] = (counts[tag] ?? 0) + 1
    }
    expect(Math.min(...counts)).to.be.above(850)
    expect(Math.max(...counts)).to.be.below(1_150)
  })

  // Data outlives the program: what another version wrote must be found.
  it('of a key are the same in every version', () => {
    const told = ['Main Page', '', '😀'].map((key) => tagOf({ rule: 'purge', key }))
    expect(told).to.deep.equal([8, 4, 1])
  })
})

describe('what is kept of names', () => {
  it('is of one length, and the same each time', () => {
    for (const text of ['', 'a', 'é', 'x'.repeat(1_000)]) {
      expect(taskDigestOf(text))
        .to.match(/^[\w-]{16}$/)
        .and.equal(taskDigestOf(text))
      expect(sourceDigestOf(text))
        .to.match(/^[\w-]{8}$/)
        .and.equal(sourceDigestOf(text))
    }
  })

  it('stays the same for more sources than are remembered', () => {
    const first = sourceDigestOf('a/0')
    for (let at = 0; at < 10_001; at++) sourceDigestOf(`b/${at}`)
    expect(sourceDigestOf('a/0')).to.equal(first)
  })
})
