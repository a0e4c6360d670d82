import { readFile } from 'node:fs/promises'
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Cluster, ISocketFactoryArgs, KafkaConfig, LogEntry, SASLOptions } from 'kafkajs'
import kafkajs from 'kafkajs'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { WireBroker, WireCluster } from './innards.ts'
import { quietRequestQueues, mendBrokers } from './innards.ts'
import type { KafkaBusOptions, KafkaSasl, KafkaTiming, KafkaTls } from './options.ts'
import { defaultTiming } from './options.ts'
import { kafkaErrorType, toPortError, withDeadline } from './errors.ts'
import { summarised } from './summarised.ts'

/** A host that does not take a connection in this time is as good as down. */
const connectMsMax = 3_000
const keepAliveMs = 30_000
const groupCoordinator = 0
const coordinatorMs = 100
/** Every broker of the list gets its turn before a call fails; the callers have loops of their own. */
const retry = { initialRetryTime: 100, maxRetryTime: 500 }

/**
 * The connections of one user of the brokers: a consumer, the producer, or all the rest. Each has
 * its own, because a request that waits at the broker (a join, a fetch) holds back those behind it.
 *
 * Every call has a deadline of ours. When it passes, the connections to that broker are cut, as
 * kafkajs would keep dead ones for ever, and the next call makes new ones.
 */
export class Connection {
  readonly timing: KafkaTiming
  readonly clock: Clock
  readonly #cluster: WireCluster
  /** With the address that each leads to. */
  readonly #sockets = new Map<Socket, string>()
  #isClosed = false
  #connecting: Promise<void> | null = null

  constructor(options: KafkaBusOptions) {
    quietRequestQueues()
    this.timing = { ...defaultTiming, ...options.timing }
    this.clock = options.clock
    this.#cluster = this.#open(options)
    mendBrokers(this.#cluster, (broker) =>
      this.clock.schedule(connectMsMax, () => this.#cutTo(broker)),
    )
  }

  /** The broker with this id, connected. */
  broker(nodeId: number): Promise<WireBroker> {
    return this.#call(
      `connect to broker ${nodeId}`,
      () => this.#cluster.findBroker({ nodeId }),
      () => this.#cutTo(this.#cluster.brokerPool.brokers[nodeId]),
    )
  }

  anyBroker(): Promise<WireBroker> {
    return this.#call('connect to a broker', () => this.#cluster.brokerPool.findConnectedBroker())
  }

  controller(): Promise<WireBroker> {
    return this.#call('find the controller', async () => {
      await this.#cluster.refreshMetadata() // the controller moves
      return this.#cluster.findControllerBroker()
    })
  }

  /**
   * The broker that keeps a group. Asked of a broker that we are connected to: kafkajs asks them in
   * any order and gives up at the first that is down.
   */
  async coordinator(groupId: string): Promise<WireBroker> {
    const doing = `find the coordinator of group ${groupId}`
    const untilMs = this.clock.monotonic() + this.timing.request
    for (;;) {
      const asked = await this.anyBroker()
      try {
        const found = await this.request(asked, doing, () =>
          asked.findGroupCoordinator({ groupId, coordinatorType: groupCoordinator }),
        )
        return await this.broker(found.coordinator.nodeId)
      } catch (error) {
        // So it is for a while on a new cluster, and after the broker that was it has died.
        const isComing = kafkaErrorType(error) === 'GROUP_COORDINATOR_NOT_AVAILABLE'
        if (!isComing || this.clock.monotonic() > untilMs) throw error
        await this.clock.sleep(coordinatorMs)
      }
    }
  }

  /** One request: its errors become those of the port, `waitMs` is what it may wait at the broker. */
  request<T>(broker: WireBroker, doing: string, send: () => Promise<T>, waitMs = 0): Promise<T> {
    return this.#bounded(doing, send, this.timing.request + waitMs, () => this.#cutTo(broker))
  }

  /** Ends all connections; requests on them fail. Later ones make new connections. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy(new Error('cut by Sluice'))
  }

  /** Ends the connections to one broker: the others answer, and go on. */
  #cutTo(broker: WireBroker | undefined): void {
    if (broker === undefined) return this.cut()
    const address = addressOf(broker.connectionPool)
    for (const [socket, its] of this.#sockets) {
      if (its === address) socket.destroy(new Error('cut by Sluice'))
    }
  }

  /** Ends all connections for good. */
  close(): void {
    this.#isClosed = true
    this.cut()
  }

  async #call<T>(doing: string, call: () => Promise<T>, onLate = () => this.cut()): Promise<T> {
    return this.#bounded(
      doing,
      async () => {
        await this.#connected()
        return call()
      },
      this.timing.request,
      onLate,
    )
  }

  async #bounded<T>(
    doing: string,
    call: () => Promise<T>,
    ms: number,
    onLate: () => void,
  ): Promise<T> {
    try {
      return await withDeadline(this.clock, ms, doing, call(), onLate)
    } catch (error) {
      throw toPortError(error, doing)
    }
  }

  /** Once: afterwards kafkajs finds its way itself, through the brokers that it has been told of. */
  #connected(): Promise<void> {
    this.#connecting ??= (async () => {
      try {
        await this.#cluster.connect()
        // kafkajs asks about all topics of the cluster when it has none of its own. This one is on
        // every cluster, or else the answer says that it is not, which is as good.
        await this.#cluster.addTargetTopic('__consumer_offsets')
      } catch (error) {
        this.#connecting = null
        throw error
      }
    })()
    return this.#connecting
  }

  #open(options: KafkaBusOptions): WireCluster {
    const client = new kafkajs.Kafka({
      ...clientConfig(options, this.timing),
      socketFactory: (args) => this.#openSocket(args),
    })
    let cluster: Cluster | null = null
    // An assigner is made with the consumer and given its cluster; no group is ever joined with it.
    client.consumer({
      groupId: 'none',
      metadataMaxAge: this.timing.lookAgain,
      allowAutoTopicCreation: false,
      partitionAssigners: [
        (given) => {
          cluster = given.cluster
          return kafkajs.PartitionAssigners.roundRobin(given)
        },
      ],
    })
    // as: see innards.ts for what kafkajs' own types leave out
    return cluster as unknown as WireCluster
  }

  #openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
    const servername = isIP(host) === 0 ? { servername: host } : {}
    const socket =
      typeof ssl === 'object' && ssl !== null // null when there is none, whatever the types say
        ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
        : connectTcp({ host, port }, onConnect)
    socket.setKeepAlive(true, keepAliveMs)
    socket.setNoDelay(true) // each write is a whole request
    this.#sockets.set(socket, addressOf({ host, port }))
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#isClosed) socket.destroy(new Error('closed by Sluice'))
    return socket
  }
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`
}

function clientConfig(options: KafkaBusOptions, timing: KafkaTiming): KafkaConfig {
  return {
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: connectMsMax,
    authenticationTimeout: timing.request,
    // Every call is within a deadline of ours that cuts the connection. kafkajs' own would look at
    // each connection ten times a second, and leave a dead one open.
    enforceRequestTimeout: false,
    retry: { ...retry, retries: Math.max(1, options.brokers.length - 1) },
    logLevel: options.logger.isDebug ? kafkajs.logLevel.INFO : kafkajs.logLevel.WARN,
    logCreator: () => logInto(options.logger, options.clock),
    ...(options.tls === null ? {} : { ssl: tlsOptions(options.tls) }),
    ...(options.sasl === null ? {} : { sasl: saslOptions(options.sasl) }),
  }
}

function tlsOptions(tls: KafkaTls) {
  return {
    rejectUnauthorized: true,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.servername === null ? {} : { servername: tls.servername }),
  }
}

function saslOptions(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl }
  return {
    mechanism: 'oauthbearer',
    oauthBearerProvider: async () => ({
      value: (await readFile(sasl.tokenFile, 'utf8')).trim(),
    }),
  }
}

/**
 * kafkajs logs each failed connection as an error and tells its caller too. What matters is told by
 * us as a change of state, so here it is a warning at most, and one sentence once in ten seconds.
 */
function logInto(logger: Logger, clock: Clock): (entry: LogEntry) => void {
  const warn = summarised(logger.warn, clock)
  return ({ level, namespace, log }) => {
    const { message } = log
    const rest = Object.entries(log).filter(([name]) => !leftOut.has(name))
    const fields = {
      ...Object.fromEntries(rest),
      client: 'kafkajs',
      part: namespace,
      said: message,
    }
    if (level <= kafkajs.logLevel.WARN) warn(`${namespace}: ${message}`, fields, 'kafka client')
    else logger.debug(fields, 'kafka client')
  }
}

/** Ours say the same, or it is long and of no use to who reads it. */
const leftOut: ReadonlySet<string> = new Set(['message', 'timestamp', 'logger', 'stack'])
