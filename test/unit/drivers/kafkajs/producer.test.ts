import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Connection } from '../../../../src/drivers/kafkajs/connection.ts'
import type { KafkaTiming } from '../../../../src/drivers/kafkajs/options.ts'
import { Producer } from '../../../../src/drivers/kafkajs/producer.ts'
import type { NewRecord } from '../../../../src/model/record.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { kafkaOptions } from '../../../contract/kafkajs-client.ts'
import { metadataAnswer, produceAnswer, scriptedBroker } from './scripted-broker.ts'

const topic = 't'
const notLeader = 6

function aRecord(value: Buffer, partition = 0): NewRecord {
  return { topic, partition, key: null, value, headers: [] }
}

function producing(port: number, timing: Partial<KafkaTiming> = {}) {
  const connection = new Connection(kafkaOptions([`127.0.0.1:${port}`], { timing }))
  const producer = new Producer(connection, 'none')
  const stop = () => {
    producer.close()
    connection.close()
  }
  return { producer, stop }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'done'
  } catch (error) {
    return error instanceof PortError ? error.code : String(error)
  }
}

describe('A produce', function () {
  this.timeout(10_000) // each wait has its own deadline

  it('that waits for room is refused when its time is over, not sent late', async () => {
    let requests = 0
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, topic, [1, 1, 1])),
      produce: () => void requests++, // and no word of it
    })
    const { producer, stop } = producing(server.port, { request: 1_000, produce: 1_000 })
    try {
      // Of 64 MiB in all.
      const calls = [30, 30, 5].map((size, partition) =>
        producer.produce([aRecord(Buffer.alloc(size * 2 ** 20), partition)]),
      )
      const [, , third] = await Promise.allSettled(calls)
      await sleep(100) // longer than one on its way would take
      expect(requests, 'the third had no room').to.be.at.most(2)
      expect(third).to.have.nested.property('reason.code', 'unreachable')
      expect(third).to.have.nested.property('reason.message').that.contains('too much else waits')
    } finally {
      stop()
      await server.close()
    }
  })

  it('keeps the order of its partition while the leader says that it is none', async () => {
    const kept: string[] = []
    let requests = 0
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, topic, [1])),
      produce({ body, answer }) {
        const isRefused = ++requests % 2 === 1
        if (!isRefused) kept.push(...(body.toString('latin1').match(/<\d+>/g) ?? []))
        answer(produceAnswer(topic, 0, isRefused ? notLeader : 0, 0n))
      },
    })
    const { producer, stop } = producing(server.port, { linger: 0 })
    try {
      const texts = Array.from({ length: 5 }, (_, i) => `<${i}>`)
      const calls: Promise<unknown>[] = []
      for (const text of texts) {
        calls.push(producer.produce([aRecord(Buffer.from(text))]))
        await sleep(5) // so that some are behind a request
      }
      await Promise.all(calls)
      expect(kept).to.deep.equal(texts)
    } finally {
      stop()
      await server.close()
    }
  })

  it('to a partition that was added is refused once at most', async () => {
    let leaders = [1]
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, topic, leaders)),
      produce: ({ answer }) => answer(produceAnswer(topic, leaders.length - 1, 0, 0n)),
    })
    const { producer, stop } = producing(server.port)
    try {
      await producer.produce([aRecord(Buffer.from('v'))])
      leaders = [1, 1]
      expect(await codeOf(producer.produce([aRecord(Buffer.from('v'), 1)]))).to.equal('invalid')
      expect(await codeOf(producer.produce([aRecord(Buffer.from('v'), 1)]))).to.equal('done')
    } finally {
      stop()
      await server.close()
    }
  })
})
