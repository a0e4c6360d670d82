import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { Decoder as ZstdDecoder, Encoder as ZstdEncoder } from '@toondepauw/node-zstd'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappy'

/*
 * The four codecs of Kafka, each in the framing that Java clients write and read. All of them work
 * on Node's thread pool. See docs/decisions/kafka-codecs.md.
 */

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

interface Codec {
  readonly compress: (bytes: Buffer) => Promise<Buffer>
  readonly decompress: (bytes: Buffer) => Promise<Buffer>
}

/** The bits of a batch's attributes that say how it is compressed. */
export const codecNumbers: Readonly<Record<Compression, number>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  lz4: 3,
  zstd: 4,
}

/** Far above any batch that a broker takes: what unpacks to more was made to hurt us. */
const unpackedBytesMax = 2 ** 30

const zip = promisify(gzip)
const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)

/** zstd's own default, and that of the Java client. */
const zstdLevel = 3

const codecs: Readonly<Record<number, Codec>> = {
  1: {
    compress: (bytes) => zip(bytes),
    decompress: (bytes) => unzip(bytes, { maxOutputLength: unpackedBytesMax }),
  },
  2: { compress: compressXerial, decompress: decompressXerial },
  3: { compress: (bytes) => compressFrame(bytes), decompress: decompressFrame },
  4: {
    compress: (bytes) => new ZstdEncoder(zstdLevel).encode(bytes),
    decompress: (bytes) => new ZstdDecoder().decode(bytes),
  },
}

/** The codec of a number, or `null` for 0: not compressed. Throws for a number of the future. */
export function codecOf(number: number): Codec | null {
  if (number === 0) return null
  const codec = codecs[number]
  if (codec === undefined) throw new Error(`a batch is compressed with codec ${number}, not known`)
  return codec
}

/*
 * Java's snappy is not bare: blocks of it, each behind its length, behind a header of 16 bytes.
 * Source: xerial/snappy-java, SnappyCodec and SnappyInputStream. Other clients write bare snappy.
 */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const xerialHeaderBytes = 16

async function compressXerial(bytes: Buffer): Promise<Buffer> {
  const block = await snappyCompress(bytes)
  const head = Buffer.alloc(xerialHeaderBytes + 4)
  xerialMagic.copy(head)
  head.writeInt32BE(1, 8) // version
  head.writeInt32BE(1, 12) // the oldest version that can read it
  head.writeInt32BE(block.length, xerialHeaderBytes)
  return Buffer.concat([head, block])
}

async function decompressXerial(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return unsnap(bytes)
  const blocks: Buffer[] = []
  for (let at = xerialHeaderBytes; at + 4 <= bytes.length;) {
    const length = bytes.readInt32BE(at)
    blocks.push(await unsnap(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

async function unsnap(bytes: Buffer): Promise<Buffer> {
  const plain = await snappyUncompress(bytes, { asBuffer: true })
  return typeof plain === 'string' ? Buffer.from(plain) : plain
}
