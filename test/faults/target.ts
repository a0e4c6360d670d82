import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Call } from './ledger.ts'
import { callMsMax } from './rules.ts'

export type Mood = 'good' | 'stalls' | 'resets' | 'trickles' | '500' | '429' | '301' | 'half'

/** How long an answer takes when all is well. */
const answerMsMax = 20
/** A byte now and then, for longer than a call may take. */
const trickleMs = callMsMax / 10
const trickleBytes = 40

/** A target that answers as its mood is, and keeps a ledger of what it saw. */
export class FaultyTarget {
  mood: Mood = 'good'
  readonly #server: Server | TlsServer
  readonly #calls: Call[]
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  readonly #isTls: boolean
  #openCalls = 0

  private constructor(calls: Call[], random: () => number, isTls: boolean) {
    this.#calls = calls
    this.#random = random
    this.#isTls = isTls
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response)
    this.#server = isTls
      ? createTlsServer(certificate('good'), listener)
      : createServer({ keepAliveTimeout: 0 }, listener)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}) // callers are killed in the middle of their requests
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('tlsClientError', () => {}) // a caller that refuses our certificate is right
  }

  /** @param calls - the ledger, to which it adds */
  static async open(
    calls: Call[],
    random: () => number,
    { isTls = false }: { isTls?: boolean } = {},
  ): Promise<FaultyTarget> {
    const target = new FaultyTarget(calls, random, isTls)
    target.#server.listen(0, '127.0.0.1')
    await once(target.#server, 'listening')
    return target
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo // as: it listens on a TCP port
    return this.#isTls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`
  }

  /** Calls that are not answered yet. */
  get openCalls(): number {
    return this.#openCalls
  }

  /** Shows another certificate from now on; connections that are open end, or nobody would see it. */
  show(name: 'good' | 'expired'): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(certificate(name))
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const startMs = Date.now()
    let text = ''
    request.on('error', () => {}) // the caller was killed in the middle of its request
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { origin, n } = JSON.parse(text) as { origin: string; n: number } // as: what the rules send
      const call: Call = {
        rule: (request.url ?? '/').slice(1),
        id: `${origin}#${n}`,
        life: request.headers['user-agent'] ?? null,
        startMs,
        endMs: null,
        isDone: false,
      }
      this.#calls.push(call)
      this.#openCalls += 1
      response.once('finish', () => (call.isDone = response.statusCode === 200))
      response.once('close', () => {
        call.endMs = Date.now()
        this.#openCalls -= 1
      })
      setTimeout(() => this.#answer(request.socket, response), this.#random() * answerMsMax)
    })
  }

  #answer(socket: Socket, response: ServerResponse): void {
    if (response.destroyed) return
    switch (this.mood) {
      case 'good':
        return void response.end('ok')
      case 'stalls':
        return
      case 'resets':
        return void socket.resetAndDestroy()
      case 'half':
        response.writeHead(200, { 'content-length': 10 })
        response.write('half.', () => socket.destroy())
        return
      case 'trickles':
        return trickle(response)
      case '429':
        return void response.writeHead(429, { 'retry-after': '1' }).end('slow down')
      case '301':
        return void response.writeHead(301, { location: '/elsewhere' }).end()
      case '500':
        return void response.writeHead(500).end('broken')
    }
  }
}

function trickle(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': trickleBytes })
  let left = trickleBytes
  const timer = setInterval(() => {
    if (response.destroyed || left === 0) return clearInterval(timer)
    left -= 1
    response.write('x')
    if (left === 0) response.end()
  }, trickleMs)
}

function certificate(name: 'good' | 'expired'): { cert: string; key: string } {
  const read = (file: string) =>
    readFileSync(new URL(`../support/certificates/${file}`, import.meta.url), 'utf8')
  return { cert: read(`${name}.pem`), key: read(`${name}.key`) }
}
