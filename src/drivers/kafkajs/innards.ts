import { createRequire } from 'node:module'
import type { Broker, Cluster } from 'kafkajs'

/*
 * The one place that reaches below kafkajs' public types.
 *
 * We use kafkajs for what it does well: connections, TLS and SASL, the versions of the protocol and
 * the encoding of requests. Its consumer and producer lose things that we promise (see
 * docs/decisions/kafkajs-below-its-consumer.md), so ours stand on its `Cluster` and `Broker`,
 * which it hands to every partition assigner. The version is pinned; the contract suite tells when
 * another one differs.
 */

const require = createRequire(import.meta.url)

export interface WireEncoder {
  writeBuffer(buffer: Buffer): WireEncoder
}

interface Exchange<Answer> {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<WireEncoder>
  }
  readonly response: {
    readonly decode: (payload: Buffer) => Promise<Answer>
    readonly parse: (answer: Answer) => Promise<Answer>
  }
  /** Milliseconds; the client's own bound is used when it is longer. */
  readonly requestTimeout?: number
}

interface Definition {
  protocol(version: { readonly version: number }): (options: object) => Exchange<unknown>
}

export interface JoinedGroup {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  readonly members: { memberId: string; memberMetadata: Buffer }[]
}

interface JoinRequest {
  readonly groupId: string
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  /** `''` for who has none yet. */
  readonly memberId: string
  readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

interface TopicMetadata {
  readonly topicErrorCode: number
  readonly topic: string
  readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
}

interface WireConnection {
  connect: () => Promise<unknown>
  disconnect: () => Promise<unknown>
  isConnected(): boolean
  socket: { readonly destroyed: boolean } | null
  /** What has come of an answer that is not whole yet. */
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
}

/** A broker with the calls that kafkajs makes itself but leaves out of its types. */
export interface WireBroker extends Omit<Broker, 'metadata' | 'offsetFetch' | 'offsetCommit'> {
  readonly connectionPool: {
    readonly host: string
    readonly port: number
    send<Answer>(exchange: Exchange<Answer>): Promise<Answer>
  }
  lookupRequest(apiKey: number, definition: Definition): (options: object) => Exchange<unknown>
  metadata(topics: readonly string[]): Promise<{ readonly topicMetadata: readonly TopicMetadata[] }>
  findGroupCoordinator(request: {
    groupId: string
    coordinatorType: number
  }): Promise<{ coordinator: { nodeId: number } }>
  syncGroup(request: {
    groupId: string
    generationId: number
    memberId: string
    groupAssignment: { memberId: string; memberAssignment: Buffer }[]
  }): Promise<{ memberAssignment: Buffer }>
  heartbeat(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
  }): Promise<unknown>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
  offsetCommit(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
    topics: {
      topic: string
      partitions: { partition: number; offset: string; metadata: string }[]
    }[]
  }): Promise<unknown>
  offsetFetch(request: {
    groupId: string
    topics: { topic: string; partitions: { partition: number }[] }[]
  }): Promise<{
    responses: {
      topic: string
      partitions: { partition: number; offset: string; metadata: string | null }[]
    }[]
  }>
  listOffsets(request: {
    replicaId: number
    isolationLevel: number
    topics: {
      topic: string
      partitions: { partition: number; timestamp: string }[]
    }[]
  }): Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string }[] }[]
  }>
  createTopics(request: {
    topics: {
      topic: string
      numPartitions: number
      replicationFactor: number
      configEntries: { name: string; value: string }[]
    }[]
    timeout: number
  }): Promise<unknown>
  deleteTopics(request: { topics: string[]; timeout: number }): Promise<unknown>
  describeConfigs(request: {
    resources: { type: number; name: string; configNames: string[] }[]
  }): Promise<{
    resources: {
      resourceName: string
      configEntries: { configName: string; configValue: string | null; isDefault: boolean }[]
    }[]
  }>
}

export interface WireCluster extends Pick<
  Cluster,
  'connect' | 'disconnect' | 'addTargetTopic' | 'refreshMetadata'
> {
  findBroker(node: { nodeId: number }): Promise<WireBroker>
  findControllerBroker(): Promise<WireBroker>
  readonly brokerPool: {
    createBroker: (options: object) => WireBroker
    readonly connectionPoolBuilder: {
      build: (to?: object) => Promise<{ readonly pool: readonly WireConnection[] }>
    }
    /** By node id; those that the cluster has told of. */
    readonly brokers: Readonly<Record<number, WireBroker>>
    findConnectedBroker(): Promise<WireBroker>
  }
}

// as (all below): plain JavaScript without types; the shapes are those of kafkajs 2.2.4
const { requests } = require('kafkajs/src/protocol/requests') as {
  requests: Readonly<Record<'Fetch' | 'JoinGroup' | 'Metadata', Definition>>
}
const Encoder = require('kafkajs/src/protocol/encoder') as new (size: number) => WireEncoder
const RequestQueue = require('kafkajs/src/network/requestQueue') as {
  prototype: { pending: unknown[]; scheduleCheckPendingRequests: () => void }
}

/** Checksum of a record batch: CRC-32C, which Node's zlib does not have. */
export const crc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (
  bytes: Buffer,
) => number

/** kafkajs' error of a code of the protocol: `type` is its name, `retriable` Kafka's own view. */
export const errorOfCode = (
  require('kafkajs/src/protocol/error') as {
    createErrorFromCode: (code: number) => Error & { type: string; retriable: boolean }
  }
).createErrorFromCode

const apiKeys = { metadata: 3, joinGroup: 11 } as const

/** Bytes that are already those of a request's body. */
export function encoded(bytes: Buffer): WireEncoder {
  return new Encoder(bytes.length).writeBuffer(bytes)
}

/**
 * Mends five habits of kafkajs in the brokers of one cluster. It refuses all metadata when one
 * topic in it has an error: one that was deleted, one without a leader for the moment, and the
 * client finds nothing. Requests that find a connection closed each open one, all but the last of
 * which stay open and unused. Each attempt to reach a broker that is down adds listeners to the
 * last socket that was open, for as long as the outage lasts. The part of an answer that a
 * connection had brought when it was cut is put before what comes on the next one, on which no
 * answer is understood any more. And it waits without end for the first answer of a broker that is
 * frozen: `guard` starts a timer that cuts the connection, and gives the function that stops it.
 */
export function mendBrokers(cluster: WireCluster, guard: (broker: WireBroker) => () => void): void {
  const pool = cluster.brokerPool
  const builder = pool.connectionPoolBuilder
  const build = builder.build
  builder.build = async (to) => {
    const built = await build(to)
    for (const connection of built.pool) mendConnection(connection)
    return built
  }
  const createBroker = pool.createBroker
  pool.createBroker = (options) => {
    const broker = createBroker(options)
    const connect = broker.connect.bind(broker)
    broker.connect = async () => {
      const stop = guard(broker)
      try {
        await connect()
      } finally {
        stop()
      }
    }
    broker.metadata = (topics) => {
      const build = broker.lookupRequest(apiKeys.metadata, requests.Metadata)
      const exchange = build({ topics, allowAutoTopicCreation: false })
      const response = { ...exchange.response, parse: (answer: unknown) => Promise.resolve(answer) }
      // as: what kafkajs' own decoder of this answer gives
      return broker.connectionPool.send({ ...exchange, response }) as ReturnType<
        WireBroker['metadata']
      >
    }
    return broker
  }
}

function mendConnection(connection: WireConnection): void {
  const connect = connection.connect.bind(connection)
  let connecting: Promise<unknown> | null = null
  connection.connect = () => {
    if (connecting !== null) return connecting
    forgetPartOfAnswer(connection)
    connecting = connect().finally(() => (connecting = null))
    return connecting
  }
  const disconnect = connection.disconnect.bind(connection)
  connection.disconnect = () => {
    if (connection.socket?.destroyed === true) connection.socket = null
    return disconnect()
  }
}

/** Where an answer begins: behind its length, four bytes. */
const lengthBytes = 4

function forgetPartOfAnswer(connection: WireConnection): void {
  if (connection.isConnected()) return
  connection.chunks = []
  connection.bytesBuffered = 0
  connection.bytesNeeded = lengthBytes
}

/** The oldest version of Fetch that knows racks, and the newest of kafkajs: Kafka 2.3 to 4. */
const fetchVersion = 11

/** A fetch whose answer goes to `decode` as it came: kafkajs' own decoder is slow and lossy. */
export function fetchRaw<Answer>(
  broker: WireBroker,
  options: object,
  decode: (payload: Buffer) => Answer,
): Promise<Answer> {
  const exchange = requests.Fetch.protocol({ version: fetchVersion })(options)
  return broker.connectionPool.send({
    ...exchange,
    response: {
      decode: (payload) => Promise.resolve(decode(payload)),
      parse: (answer) => Promise.resolve(answer),
    },
  })
}

/**
 * Joins a group. A broker first gives a newcomer its id, then lets it wait for the others: kafkajs
 * keeps that id to itself until the wait is over, so that who stops waiting could not leave.
 */
export async function joinGroup(
  broker: WireBroker,
  request: JoinRequest,
  onMemberId: (memberId: string) => void,
): Promise<JoinedGroup> {
  const build = broker.lookupRequest(apiKeys.joinGroup, requests.JoinGroup)
  const join = (memberId: string) =>
    // as: what kafkajs' own decoder of this answer gives
    broker.connectionPool.send(
      build({ ...request, memberId, protocolType: 'consumer' }),
    ) as Promise<JoinedGroup>
  try {
    return await join(request.memberId)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'KafkaJSMemberIdRequired')) throw error
    const { memberId } = error as Error & { memberId: string } // as: kafkajs has no types for it
    onMemberId(memberId)
    return join(memberId)
  }
}

/**
 * Stops a timer that kafkajs sets anew each millisecond, per connection and for ever, once it has
 * had its first answer: an idle daemon would never sleep. The timer is
 * needed only while requests wait for room or for the end of a throttle, and `push` sets it then.
 */
export function quietRequestQueues(): void {
  const { prototype } = RequestQueue
  if (isQuiet) return
  isQuiet = true

  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: { pending: unknown[] }) {
    if (this.pending.length > 0) schedule.call(this)
  }
}
let isQuiet = false
