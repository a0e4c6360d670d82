import { expect } from 'chai'
import fc from 'fast-check'
import { murmur2, partitionOfKey } from '../../../../src/drivers/embedded/partitioner.ts'

describe('The partitioner', () => {
  // Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2
  const vectors = [
    { key: '21', hash: -973932308 },
    { key: 'foobar', hash: -790332482 },
    { key: 'a-little-bit-long-string', hash: -985981536 },
    { key: 'a-little-bit-longer-string', hash: -1486304829 },
    { key: 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', hash: -58897971 },
    { key: 'abc', hash: 479470107 },
  ]
  for (const { key, hash } of vectors) {
    it(`hashes ${key} as Kafka does`, () => {
      expect(murmur2(Buffer.from(key))).to.equal(hash)
    })
  }

  it('gives a partition that is there, the same each time', () => {
    const keys = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 1_024 }), (key, partitions) => {
        const partition = partitionOfKey(key, partitions)
        expect(partition).to.be.within(0, partitions - 1)
        expect(partitionOfKey(key, partitions)).to.equal(partition)
      }),
    )
  })

  it('spreads keys evenly, near enough', () => {
    const counts = new Array<number>(8).fill(0)
    for (let i = 0; i < 8_000; i++) {
      const partition = partitionOfKey(Buffer.from(`page:${i}`), 8)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    for (const count of counts) expect(count).to.be.within(850, 1_150)
  })
})
