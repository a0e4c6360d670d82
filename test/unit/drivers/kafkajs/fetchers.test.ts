import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Connection } from '../../../../src/drivers/kafkajs/connection.ts'
import { Fetchers } from '../../../../src/drivers/kafkajs/fetchers.ts'
import { Generation } from '../../../../src/drivers/kafkajs/generation.ts'
import { OwnedPartition } from '../../../../src/drivers/kafkajs/owned-partition.ts'
import { encodeBatch } from '../../../../src/drivers/kafkajs/record-batch.ts'
import { kafkaOptions, recordingLogger } from '../../../contract/kafkajs-client.ts'
import type { Asked } from './scripted-broker.ts'
import { fetchAnswer, metadataAnswer, scriptedBroker } from './scripted-broker.ts'

const topic = 't'

async function batchAt(offset: bigint, count: number): Promise<Buffer> {
  const one = { key: null, value: Buffer.from('v'), headers: [], timestampMs: 1 }
  const batch = await encodeBatch(Array<typeof one>(count).fill(one), 'none')
  batch.writeBigInt64BE(offset, 0)
  return batch
}

async function until(claim: () => boolean): Promise<void> {
  for (const untilMs = Date.now() + 5_000; !claim();) {
    if (Date.now() > untilMs) throw new Error(`waited in vain for ${String(claim)}`)
    await sleep(5)
  }
}

/** Reads `count` partitions of the topic until the test ends; tells what came and what was logged. */
function reading(ports: readonly number[], count: number) {
  const connection = new Connection(kafkaOptions(ports.map((port) => `127.0.0.1:${port}`)))
  const generation = new Generation(1, 'm')
  const owned = new Map<string, OwnedPartition>()
  for (let partition = 0; partition < count; partition++) {
    const one = { topic, partition, epoch: partition, position: 0n, metadata: '' }
    owned.set(`${topic}/${partition}`, new OwnedPartition(one))
  }
  const offsets: bigint[] = []
  const logger = recordingLogger()
  const fetchers = new Fetchers(connection, {
    owned,
    rack: null,
    logger,
    onRecords: (_partition, records) => void offsets.push(...records.map((one) => one.offset)),
    onSkipped: () => undefined,
    onTrouble: () => undefined,
    onWorks: () => undefined,
    onChanged: () => undefined,
  })
  fetchers.learn(topic, Array<number>(count).fill(1))
  void fetchers.run(generation)
  const stop = () => {
    generation.end({ kind: 'closing' })
    connection.close()
  }
  return { owned, offsets, logger, fetchers, stop }
}

describe('Fetches', function () {
  this.timeout(10_000) // each wait has its own deadline

  it('of the old and the new leader that overlap bring each record once, in order', async () => {
    const asked: { readonly 1: Asked[]; readonly 2: Asked[] } = { 1: [], 2: [] }
    const server = (id: 1 | 2) =>
      scriptedBroker({
        metadata: ({ answer }) => answer(metadataAnswer({ 1: old.port, 2: next.port }, topic, [1])),
        fetch: (one) => void asked[id].push(one),
      })
    const [old, next] = [await server(1), await server(2)]
    const { offsets, owned, fetchers, stop } = reading([old.port], 1)
    try {
      await until(() => asked[1].length === 1)
      fetchers.learn(topic, [2])
      await until(() => asked[2].length === 1)
      const answerOf = async (count: number) => {
        const bytes = await batchAt(0n, count)
        return fetchAnswer(topic, [{ partition: 0, stableOffset: 5n, bytes }])
      }
      asked[2][0]?.answer(await answerOf(5))
      await until(() => offsets.length === 5)
      asked[1][0]?.answer(await answerOf(3))
      await sleep(100) // the late answer has arrived by now
      expect(offsets).to.deep.equal([0n, 1n, 2n, 3n, 4n])
      expect(owned.get(`${topic}/0`)?.position).to.equal(5n)
    } finally {
      stop()
      await Promise.all([old.close(), next.close()])
    }
  })

  it('that have no room for a partition do not count as in vain for it', async () => {
    const partitions = 30
    let fetches = 0
    let bytesMax = 0
    const batch = await batchAt(0n, 1)
    const server = await scriptedBroker({
      metadata: ({ answer }) =>
        answer(metadataAnswer({ 1: server.port }, topic, Array<number>(partitions).fill(1))),
      fetch({ body, answer }) {
        fetches++
        const wish = firstWishOf(body)
        bytesMax = Math.max(bytesMax, wish.bytesMax)
        batch.writeBigInt64BE(wish.offset, 0)
        const told = Array.from({ length: partitions }, (_, partition) => {
          const bytes = partition === wish.partition ? batch : Buffer.alloc(0)
          return { partition, stableOffset: 1_000n, bytes }
        })
        answer(fetchAnswer(topic, told))
      },
    })
    const { logger, stop } = reading([server.port], partitions)
    try {
      await until(() => fetches > 5 * partitions)
      expect(bytesMax, 'what one fetch may bring of one partition').to.equal(2 ** 20)
      expect(logger.lines).to.deep.equal([])
    } finally {
      stop()
      await server.close()
    }
  })

  it('that bring nothing of the partition named first, though there is more, ask for more', async () => {
    let bytesMax = 0
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, topic, [1])),
      fetch({ body, answer }) {
        bytesMax = Math.max(bytesMax, firstWishOf(body).bytesMax)
        answer(fetchAnswer(topic, [{ partition: 0, stableOffset: 9n, bytes: Buffer.alloc(0) }]))
      },
    })
    const { logger, stop } = reading([server.port], 1)
    try {
      await until(() => bytesMax >= 2 * 2 ** 20)
      expect(logger.lines[0]?.level).to.equal('warn')
    } finally {
      stop()
      await server.close()
    }
  })
})

/** Source: FetchRequest.json of Kafka, version 11; each wish is a topic of its own. */
function firstWishOf(body: Buffer) {
  const at = 25 + 4 + 2 + topic.length + 4
  return {
    partition: body.readInt32BE(at),
    offset: body.readBigInt64BE(at + 8),
    bytesMax: body.readInt32BE(at + 24),
  }
}
