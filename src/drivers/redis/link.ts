import { Cluster } from 'ioredis'
import { openClient, passwordsOf } from './client.ts'
import type { RedisStoreOptions } from './options.ts'
import { script, scriptSha } from './script.ts'
import { troubleOf } from './trouble.ts'

/** What a lane needs of the connections. */
export interface Link {
  /** Whether a script would be sent now. */
  readonly isReady: boolean
  /** Why the last attempt to connect failed; `null`: none has since we were connected. */
  readonly lastError: unknown
  /** Runs the script once. Rejects with whatever ioredis has to say. */
  run(keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Connects anew: who is written to has changed, or who we are, or what is there. */
  renew(): void
}

export interface LinkListener {
  /** A connection is there, perhaps to another server than before. */
  onReady(): void
  /** A connection has ended. */
  onLost(): void
}

const connectionEnded =
  /^(Connection is closed|Reached the max retries|Command aborted|Stream isn't writeable)/

export class RedisLink implements Link {
  lastError: unknown = null
  readonly #client: ReturnType<typeof openClient>
  readonly #options: RedisStoreOptions
  #isReady = false
  /** Why the database was refused on this connection. ioredis would go on with database 0. */
  #noDatabase: Error | null = null
  #closing: Promise<void> | null = null

  constructor(options: RedisStoreOptions, listener: LinkListener) {
    this.#options = options
    this.#client = openClient(options)
    const passwords = passwordsOf(options)
    const failed = (error: unknown) => {
      this.lastError = error
      if (isOfSelect(error)) this.#noDatabase = error
      const said = troubleOf(error, passwords).error
      options.logger.debug({ client: 'ioredis', said }, 'redis client')
    }
    const ready = () => {
      this.#isReady = true
      this.lastError = null
      listener.onReady()
    }
    const lost = () => {
      this.#isReady = false
      this.#noDatabase = null
      listener.onLost()
    }
    this.#client.on('error', failed)
    this.#client.on('ready', ready)
    this.#client.on('close', lost)
    if (this.#client instanceof Cluster) {
      this.#client.on('node error', failed)
      this.#client.on('+node', () => listener.onLost())
      this.#client.on('-node', () => listener.onLost())
    }
  }

  get isReady(): boolean {
    return this.#isReady && this.#client.status === 'ready'
  }

  async run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (this.#noDatabase !== null) throw this.#noDatabase
    try {
      const answer = await this.#runOnce(keys, args)
      this.lastError = null
      return answer
    } catch (error) {
      throw this.#reasonOf(error)
    }
  }

  async #runOnce(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(scriptSha, keys.length, ...keys, ...args)
    } catch (error) {
      // A new server, or one whose scripts were flushed. Whoever gets the text keeps it.
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error
    }
    return this.#client.eval(script, keys.length, ...keys, ...args)
  }

  /** ioredis tells a command that its connection ended, and why it did to the listeners. */
  #reasonOf(error: unknown): unknown {
    if (!connectionEnded.test(messageOf(error))) return error
    return this.lastError ?? new Error('the connection was closed', { cause: error })
  }

  renew(): void {
    if (this.#client instanceof Cluster) {
      this.#client.refreshSlotsCache()
    } else if (this.isReady) {
      this.#isReady = false // from now on, although ioredis says so only once the socket is closed
      this.#client.disconnect(true)
    }
  }

  /** Ends all connections, within the time-box. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    const client = this.#client
    const { clock, timeoutMs } = this.#options
    // Between two attempts there is nothing that could end, and ioredis tells of nothing.
    const isIdle = client.status === 'reconnecting' || client.status === 'end'
    const waiting = new AbortController()
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
    client.disconnect()
    if (!isIdle) await Promise.race([ended, clock.sleep(timeoutMs, waiting.signal).catch(() => {})])
    waiting.abort()
  }
}

/** ioredis writes the command beside what Redis said to it. */
function isOfSelect(error: unknown): error is Error {
  if (!(error instanceof Error) || !('command' in error)) return false
  const { command } = error
  return typeof command === 'object' && command !== null && 'name' in command
    ? command.name === 'select'
    : false
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
