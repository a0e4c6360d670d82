import { expect } from 'chai'
import { compress } from 'snappy'
import { codecNumbers, codecOf } from '../../../../src/drivers/kafkajs/codecs.ts'

const text = Buffer.from('a text that repeats itself, '.repeat(5_000))

describe('A codec', () => {
  for (const [name, number] of Object.entries(codecNumbers)) {
    if (name === 'none') continue
    it(`${name} gives back what it took, and makes it smaller`, async () => {
      const codec = codecOf(number)
      const packed = (await codec?.compress(text)) ?? text
      expect(packed.length).to.be.below(text.length / 4)
      expect((await codec?.decompress(packed))?.equals(text)).to.equal(true)
    })
  }

  it('none is none at all', () => {
    expect(codecOf(codecNumbers.none)).to.equal(null)
  })

  it('of the future is refused, not passed over', () => {
    expect(() => codecOf(5)).to.throw('codec 5')
  })
})

describe('Snappy', () => {
  it('is framed as Java frames it', async () => {
    const packed = await codecOf(codecNumbers.snappy)?.compress(text)
    expect(packed?.subarray(0, 16).toString('hex')).to.equal('82534e41505059000000000100000001')
  })

  it('is read in several blocks, as Java writes it', async () => {
    const frame = await codecOf(codecNumbers.snappy)?.compress(text.subarray(0, 40))
    const more = await compress(text.subarray(40))
    const length = Buffer.alloc(4)
    length.writeInt32BE(more.length)
    const both = Buffer.concat([frame ?? Buffer.alloc(0), length, more])
    expect((await codecOf(codecNumbers.snappy)?.decompress(both))?.equals(text)).to.equal(true)
  })

  it('is read bare, as other clients write it', async () => {
    const bare = await compress(text)
    expect((await codecOf(codecNumbers.snappy)?.decompress(bare))?.equals(text)).to.equal(true)
  })
})
