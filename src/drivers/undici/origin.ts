import { Client } from 'undici'
import type { Call, Connection } from './call.ts'
import { openSocket, type OpenSocketTools, type Target } from './open-socket.ts'

/**
 * How long an unused connection is kept when the target does not say: undici's default, below the
 * 5 s after which Node servers close theirs, so that few calls meet a connection being closed.
 */
const idleMsMax = 4_000

/**
 * The connections of one origin and the calls that wait for one.
 *
 * Not undici's Pool: that one keeps a call in its queue, and a connect going, after the call has been
 * given up, so that a target that swallows connects would pile both up for as long as rules retry.
 * Here a call that ends takes its place in the queue, or its socket, with it. What is open or being
 * opened never exceeds `connectionsMax`; what waits is bounded by the callers' own concurrency.
 */
export class Origin {
  readonly name: string
  /** For every call, so that undici does not reconnect when `host` headers differ: see `openSocket`. */
  readonly servername: string
  readonly #target: Target
  readonly #tools: OpenSocketTools
  readonly #connectionsMax: number
  readonly #connections = new Set<Connection>()
  /** The one used last is used next, so that those not needed run into their idle time. */
  readonly #idle: Connection[] = []
  readonly #waiting = new Set<Call>()
  #busy = 0
  /** The call that is just being handed to undici. */
  #starting: Call | null = null
  #isClosed = false

  constructor(options: {
    readonly name: string
    readonly servername: string
    readonly target: Target
    readonly tools: OpenSocketTools
    readonly connectionsMax: number
  }) {
    this.name = options.name
    this.servername = options.servername
    this.#target = options.target
    this.#tools = options.tools
    this.#connectionsMax = options.connectionsMax
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#busy === 0
  }

  /** Calls that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size
  }

  get connected(): number {
    let connected = 0
    for (const { client } of this.#connections) if (client.stats.connected) connected++
    return connected
  }

  start(call: Call): void {
    const connection = this.#waiting.size > 0 ? null : this.#freeConnection()
    if (connection === null) this.#waiting.add(call)
    else this.#startOn(connection, call)
  }

  /** Must be told of the end of every call that was started. */
  ended(call: Call, isReusable: boolean): void {
    const { connection } = call
    if (connection === null) {
      this.#waiting.delete(call)
      return
    }
    call.connection = null
    connection.call = null
    this.#busy--
    // undici refuses what is no request from within dispatch: that connection has seen none of it.
    const isUntouched = call === this.#starting && connection.socket !== null
    if (this.#isClosed || !(isReusable || isUntouched)) {
      this.#drop(connection)
      // Calls end in crowds, by a signal or in one sweep. Those that wait may be among them, and are
      // started only when the crowd is gone.
      queueMicrotask(() => this.#startWaiting())
      return
    }
    this.#idle.push(connection)
    if (this.#starting === null) this.#startWaiting()
  }

  /** Ends all connections. The calls on them are the owner's to end, beforehand. */
  async close(): Promise<void> {
    this.#isClosed = true
    const connections = [...this.#connections]
    for (const connection of connections) this.#drop(connection)
    await Promise.all(connections.map(({ client }) => client.destroy()))
  }

  #startWaiting(): void {
    if (this.#isClosed) return
    for (const call of this.#waiting) {
      const connection = this.#freeConnection()
      if (connection === null) break
      this.#waiting.delete(call)
      this.#startOn(connection, call)
    }
  }

  #startOn(connection: Connection, call: Call): void {
    connection.call = call
    call.connection = connection
    this.#busy++
    this.#starting = call
    connection.client.dispatch(call.dispatch, call)
    this.#starting = null
  }

  #freeConnection(): Connection | null {
    return this.#idle.pop() ?? this.#newConnection()
  }

  #newConnection(): Connection | null {
    if (this.#connections.size >= this.#connectionsMax) return null
    const connection: Connection = {
      client: new Client(this.name, {
        pipelining: 1,
        allowH2: false,
        keepAliveTimeout: idleMsMax,
        // Deadlines are ours: undici's would start anew with every phase and every chunk.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: (_options, callback) => {
          connection.socket = openSocket(this.#target, this.#tools, (error, socket) => {
            if (error !== null) callback(error, null)
            else if (socket !== null) callback(null, socket)
          })
        },
      }),
      socket: null,
      call: null,
    }
    connection.client.on('disconnect', () => {
      if (connection.call === null) this.#drop(connection)
    })
    this.#connections.add(connection)
    return connection
  }

  #drop(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    // undici knows sockets that are open; one that is being opened is known to us only.
    connection.socket?.destroy()
    connection.client.destroy().catch(() => {}) // never rejects: undici gives its callback no error
  }
}
