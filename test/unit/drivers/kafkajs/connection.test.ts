import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Connection } from '../../../../src/drivers/kafkajs/connection.ts'
import { kafkaOptions } from '../../../contract/kafkajs-client.ts'
import type { Asked } from './scripted-broker.ts'
import { heartbeatAnswer, metadataAnswer, scriptedBroker } from './scripted-broker.ts'

describe('A connection to Kafka', () => {
  it('that is cut in the middle of an answer starts the next one clean', async () => {
    const heartbeats: Asked[] = []
    const server = await scriptedBroker({
      metadata: ({ answer }) => answer(metadataAnswer({ 1: server.port }, 't', [1])),
      heartbeat: (asked) => void heartbeats.push(asked),
    })
    const connection = new Connection(
      kafkaOptions([`127.0.0.1:${server.port}`], { timing: { request: 1_000 } }),
    )
    const beat = async () => {
      const broker = await connection.broker(1)
      const request = { groupId: 'g', groupGenerationId: 1, memberId: 'm' }
      return connection.request(broker, 'beat', () => broker.heartbeat(request))
    }
    const untilAsked = async (count: number) => {
      while (heartbeats.length < count) await sleep(5)
    }
    try {
      const first = beat().then(
        () => 'answered',
        () => 'failed',
      )
      await untilAsked(1)
      heartbeats[0]?.answer(heartbeatAnswer, 7)
      await sleep(50) // the seven bytes are on their way
      heartbeats[0]?.socket.destroy()
      expect(await first).to.equal('failed')
      const second = beat()
      await untilAsked(2)
      heartbeats[1]?.answer(heartbeatAnswer)
      await second
    } finally {
      connection.close()
      await server.close()
    }
  })
})
