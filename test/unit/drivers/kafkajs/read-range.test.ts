import { expect } from 'chai'
import { Connection } from '../../../../src/drivers/kafkajs/connection.ts'
import { readRange } from '../../../../src/drivers/kafkajs/read-range.ts'
import { kafkaOptions } from '../../../contract/kafkajs-client.ts'
import { fetchAnswer, metadataAnswer, offsetsAnswer, scriptedBroker } from './scripted-broker.ts'

const topic = 't'

describe('A range of a log', () => {
  it('that is truncated or made anew while it is read ends, and does not spin', async () => {
    let end = 9n
    let fetches = 0
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, topic, [1])),
      listOffsets: ({ body, answer }) =>
        answer(offsetsAnswer(topic, { 0: isOfEnd(body) ? end : 0n })),
      fetch({ answer }) {
        fetches++
        end = 0n
        answer(fetchAnswer(topic, [{ partition: 0, stableOffset: end, bytes: Buffer.alloc(0) }]))
      },
    })
    const connection = new Connection(kafkaOptions([`127.0.0.1:${server.port}`]))
    const signal = AbortSignal.timeout(1_000)
    try {
      const range = { topic, partition: 0, from: 0n, to: 100n, signal }
      for await (const records of readRange(connection, range)) expect(records).to.deep.equal([])
      expect(fetches).to.equal(1)
    } finally {
      connection.close()
      await server.close()
    }
  })
})

/** Whether a request of ListOffsets, version 3, asks for the end: -1 in its last eight bytes. */
function isOfEnd(body: Buffer): boolean {
  return body.readBigInt64BE(body.length - 8) === -1n
}
