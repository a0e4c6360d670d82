import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'

/*
 * A broker that says what a test tells it to, over a real connection: for what a real one does only
 * when it happens to be slow, to be cut or to hand over at the wrong moment.
 */

/** By name: the key, and the newest version that the broker claims to know. */
const known = {
  produce: [0, 7],
  fetch: [1, 11],
  listOffsets: [2, 3],
  metadata: [3, 6],
  offsetCommit: [8, 5],
  offsetFetch: [9, 4],
  findCoordinator: [10, 2],
  joinGroup: [11, 5],
  heartbeat: [12, 3],
  leaveGroup: [13, 3],
  syncGroup: [14, 3],
  apiVersions: [18, 2],
} as const

type Api = keyof typeof known

export interface Asked {
  readonly body: Buffer
  readonly socket: Socket
  /** Sends an answer; only its first `bytesMax` bytes, if that is given. */
  readonly answer: (payload: Buffer, bytesMax?: number) => void
}

export interface ScriptedBroker {
  readonly port: number
  close(): Promise<void>
}

/** Answers to `apiVersions` itself; all others are the script's, and without one there is none. */
export async function scriptedBroker(
  script: Partial<Readonly<Record<Api, (asked: Asked) => void>>>,
): Promise<ScriptedBroker> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined) // the client cuts; that is what is tested
    let chunks: Buffer[] = []
    let bytes = 0
    let wanted = 4
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes < wanted) return
      let waiting = Buffer.concat(chunks)
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
        const request = waiting.subarray(4, 4 + waiting.readInt32BE(0))
        waiting = waiting.subarray(4 + request.length)
        const clientBytes = request.readInt16BE(8)
        const asked: Asked = {
          body: request.subarray(10 + clientBytes),
          socket,
          answer(payload, bytesMax) {
            const whole = Buffer.concat([
              int32(4 + payload.length),
              request.subarray(4, 8),
              payload,
            ])
            socket.write(whole.subarray(0, bytesMax))
          },
        }
        const key = request.readInt16BE(0)
        if (key === known.apiVersions[0]) asked.answer(versions)
        for (const [name, [its]] of Object.entries(known)) {
          if (its === key) script[name as Api]?.(asked) // as: a key of `known`
        }
      }
      chunks = [waiting]
      bytes = waiting.length
      wanted = waiting.length < 4 ? 4 : 4 + waiting.readInt32BE(0)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // as: it listens on TCP
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const array = (items: readonly Buffer[]) => Buffer.concat([int32(items.length), ...items])
const string = (text: string) => Buffer.concat([int16(text.length), Buffer.from(text)])

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(value)
  return buffer
}

const versions = Buffer.concat([
  int16(0),
  array(
    Object.values(known).map(([key, newest]) =>
      Buffer.concat([int16(key), int16(0), int16(newest)]),
    ),
  ),
  int32(0),
])

/** Version 6: brokers by id and port, and one topic with its leaders. */
export function metadataAnswer(
  ports: Readonly<Record<number, number>>,
  topic: string,
  leaders: readonly number[],
): Buffer {
  const brokers = Object.entries(ports).map(([id, port]) =>
    Buffer.concat([int32(Number(id)), string('127.0.0.1'), int32(port), int16(-1)]),
  )
  const partitions = leaders.map((leader, partition) =>
    Buffer.concat([int16(0), int32(partition), int32(leader), array([]), array([]), array([])]),
  )
  const topics = [Buffer.concat([int16(0), string(topic), Buffer.from([0]), array(partitions)])]
  return Buffer.concat([int32(0), array(brokers), string('cluster'), int32(1), array(topics)])
}

export const heartbeatAnswer = Buffer.concat([int32(0), int16(0)])
export const leaveGroupAnswer = Buffer.concat([int32(0), int16(0), array([])])

export function coordinatorAnswer(port: number): Buffer {
  return Buffer.concat([
    ...[int32(0), int16(0), int16(-1)],
    ...[int32(1), string('127.0.0.1'), int32(port)],
  ])
}

/** With `members`, by their subscriptions: to the one that leads the group. */
export function joinAnswer(
  memberId: string,
  members: Readonly<Record<string, Buffer>> = {},
): Buffer {
  const told = Object.entries(members).map(([id, subscription]) =>
    Buffer.concat([string(id), int16(-1), int32(subscription.length), subscription]),
  )
  const leader = told.length === 0 ? 'another' : memberId
  return Buffer.concat([
    ...[int32(0), int16(0), int32(1), string('protocol'), string(leader), string(memberId)],
    array(told),
  ])
}

export function syncAnswer(assignment: Buffer): Buffer {
  return Buffer.concat([int32(0), int16(0), int32(assignment.length), assignment])
}

/** -1: nothing is committed. */
export function committedAnswer(topic: string, offsets: readonly bigint[]): Buffer {
  const told = offsets.map((offset, partition) =>
    Buffer.concat([int32(partition), int64(offset), string(''), int16(0)]),
  )
  const topics = [Buffer.concat([string(topic), array(told)])]
  return Buffer.concat([int32(0), array(topics), int16(0)])
}

export function commitAnswer(topic: string, partitions: readonly number[]): Buffer {
  const told = partitions.map((partition) => Buffer.concat([int32(partition), int16(0)]))
  return Buffer.concat([int32(0), array([Buffer.concat([string(topic), array(told)])])])
}

export function offsetsAnswer(topic: string, offsets: Readonly<Record<number, bigint>>): Buffer {
  const told = Object.entries(offsets).map(([partition, offset]) =>
    Buffer.concat([int32(Number(partition)), int16(0), int64(-1n), int64(offset)]),
  )
  return Buffer.concat([int32(0), array([Buffer.concat([string(topic), array(told)])])])
}

/** Version 11, of one topic. */
export function fetchAnswer(
  topic: string,
  partitions: readonly { partition: number; stableOffset: bigint; bytes: Buffer }[],
): Buffer {
  const told = partitions.map(({ partition, stableOffset, bytes }) =>
    Buffer.concat([
      ...[int32(partition), int16(0), int64(stableOffset), int64(stableOffset), int64(0n)],
      ...[array([]), int32(-1), int32(bytes.length), bytes],
    ]),
  )
  const topics = [Buffer.concat([string(topic), array(told)])]
  return Buffer.concat([int32(0), int16(0), int32(0), array(topics)])
}

/** Version 7, of one partition. */
export function produceAnswer(
  topic: string,
  partition: number,
  errorCode: number,
  baseOffset: bigint,
): Buffer {
  const told = Buffer.concat([
    ...[int32(partition), int16(errorCode), int64(baseOffset), int64(-1n), int64(0n)],
  ])
  return Buffer.concat([array([Buffer.concat([string(topic), array([told])])]), int32(0)])
}
