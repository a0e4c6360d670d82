import { expect } from 'chai'
import { encodeAssignment, encodeSubscription } from '../../../../src/drivers/kafkajs/assign.ts'
import { Connection } from '../../../../src/drivers/kafkajs/connection.ts'
import { KafkaConsumer } from '../../../../src/drivers/kafkajs/consumer.ts'
import type { ConsumerState } from '../../../../src/ports/bus.ts'
import { kafkaOptions } from '../../../contract/kafkajs-client.ts'
import { RecordingSink } from '../../../contract/recording-sink.ts'
import type { ScriptedBroker } from './scripted-broker.ts'
import {
  commitAnswer,
  committedAnswer,
  coordinatorAnswer,
  fetchAnswer,
  heartbeatAnswer,
  joinAnswer,
  leaveGroupAnswer,
  metadataAnswer,
  offsetsAnswer,
  scriptedBroker,
  syncAnswer,
} from './scripted-broker.ts'

const topic = 't'

describe('A member of a group', function () {
  this.timeout(10_000) // each wait has its own deadline

  let server: ScriptedBroker
  let leaders: number[]
  let joins: number
  /** What the next answers to questions for topics say instead of `leaders`. */
  let stale: number[][]
  let isLeader: boolean
  let whenJoining: () => void
  /** What is committed of each partition; -1: nothing. */
  let committed: bigint[]

  before(async () => {
    server = await scriptedBroker({
      metadata({ body, answer }) {
        const isOurs = body.includes(`\0\u0001${topic}`) // not the one of the connection itself
        const told = (isOurs ? stale.shift() : undefined) ?? leaders
        answer(metadataAnswer({ 1: server.port }, topic, told))
      },
      findCoordinator: ({ answer }) => answer(coordinatorAnswer(server.port)),
      joinGroup({ answer }) {
        joins++
        whenJoining()
        answer(joinAnswer('m', isLeader ? { m: encodeSubscription([topic], []) } : {}))
      },
      syncGroup({ answer }) {
        const ours = leaders.map((_leader, partition) => ({ topic, partition }))
        answer(syncAnswer(encodeAssignment(ours)))
      },
      offsetFetch: ({ answer }) => answer(committedAnswer(topic, committed)),
      listOffsets({ answer }) {
        const ends = leaders.flatMap((leader, partition) => (leader < 0 ? [] : [[partition, 7n]]))
        answer(offsetsAnswer(topic, Object.fromEntries(ends) as Record<number, bigint>)) // as: pairs
      },
      offsetCommit: ({ answer }) => answer(commitAnswer(topic, [0])),
      heartbeat: ({ answer }) => answer(heartbeatAnswer),
      leaveGroup: ({ answer }) => answer(leaveGroupAnswer),
      fetch({ answer }) {
        const none = { partition: 0, stableOffset: 7n, bytes: Buffer.alloc(0) }
        setTimeout(() => answer(fetchAnswer(topic, [none])), 20)
      },
    })
  })
  after(() => server.close())
  beforeEach(() => {
    stale = []
    isLeader = false
    whenJoining = () => undefined
  })

  function join(lookAgain = 100) {
    joins = 0
    const options = kafkaOptions([`127.0.0.1:${server.port}`], { timing: { lookAgain } })
    const sink = new RecordingSink()
    const consumer = new KafkaConsumer(
      new Connection(options),
      options,
      { group: 'g', topics: [topic], startAt: 'latest', stateDir: null, revokeGraceMs: 100 },
      sink,
    )
    return { sink, consumer }
  }

  it('reads the others while a partition that was never read has no leader, and it too afterwards', async () => {
    leaders = [1, -1]
    committed = [-1n, -1n]
    const { sink, consumer } = join()
    try {
      await sink.until('the other', () => sink.owned.has(`${topic}/0`), 3_000)
      await sink.until('word of it', () => sink.states.at(-1)?.kind === 'unreachable', 3_000)
      expect([...sink.owned.keys()]).to.deep.equal([`${topic}/0`])
      expect(joins, 'no storm of joins meanwhile').to.equal(1)
      leaders = [1, 1]
      await sink.until('both', () => sink.owned.size === 2, 3_000)
      await sink.until('readiness', () => sink.states.at(-1)?.kind === 'ready', 3_000)
    } finally {
      await consumer.close(100)
    }
  })

  it('tells of a partition of its own that has no leader for as long as that lasts', async () => {
    leaders = [1, -1]
    committed = [7n, 7n]
    const { sink, consumer } = join()
    try {
      await sink.until('both', () => sink.owned.size === 2, 3_000)
      await sink.until('word of it', () => sink.states.at(-1)?.kind === 'unreachable', 3_000)
      leaders = [1, 1]
      await sink.until('readiness', () => sink.states.at(-1)?.kind === 'ready', 3_000)
      expect(joins, 'nothing else has changed').to.equal(1)
    } finally {
      await consumer.close(100)
    }
  })

  it('that leads and dealt by the word of a broker that was behind deals again', async () => {
    leaders = [1, 1]
    committed = [7n, 7n]
    isLeader = true
    stale = [[1, 1], [1]] // when it looks, then when it deals
    const { sink, consumer } = join()
    try {
      await sink.until('both', () => sink.owned.size === 2, 3_000)
      await sink.until('another generation', () => sink.assignments.length === 4, 3_000)
      expect(joins).to.equal(2)
    } finally {
      await consumer.close(100)
    }
  })

  it('whose topics change while it joins joins with the new ones at once', async () => {
    leaders = [1]
    committed = [7n]
    const { sink, consumer } = join(30_000)
    whenJoining = () => void consumer.setTopics([topic, 'missing'])
    try {
      await sink.until('word of it', () => sink.states.some(isMissing), 1_500)
      await sink.until('another generation', () => sink.assignments.length === 2, 1_500)
      expect(sink.states.filter(isMissing)).to.have.length(1)
    } finally {
      await consumer.close(100)
    }
  })
})

function isMissing({ kind }: ConsumerState): boolean {
  return kind === 'topic-missing'
}
