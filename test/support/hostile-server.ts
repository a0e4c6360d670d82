import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** A request as it came in. */
interface SeenRequest {
  readonly method: string
  /** As it stood in the request line. */
  readonly path: string
  readonly headers: Readonly<IncomingMessage['headers']>
  readonly body: string
  /** Which connection it came on, counted from 1. */
  readonly connection: number
}

export interface HostileServer {
  /** `http://127.0.0.1:port`, or `https://localhost:port`. */
  readonly origin: string
  readonly port: number
  /** In the order of arrival, those that are never answered included. */
  readonly requests: readonly SeenRequest[]
  /** Connections accepted so far. */
  readonly accepted: number
  /** Connections open now. */
  readonly open: number
  /** Resolves once `count` requests have come in. */
  seen(count: number): Promise<void>
  /** Closes connections that wait for a next request, as a server does that restarts. */
  closeIdle(): void
  close(): Promise<void>
}

export type Certificate = 'good' | 'expired' | 'other-name' | 'self-signed'

/** The CA that signed `good`. */
export const testCa = certificateFile('ca.pem')

function certificateFile(name: string): string {
  return readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8')
}

/**
 * Writes what HTTP servers should not: bytes straight to the connection. Not for whole answers on a
 * connection that is kept: Node would hold back the next one for ever, as one out of turn.
 */
type Raw = (text: string) => void

/**
 * A real server on loopback that does to a request what its path says (see `behaviours`), and
 * remembers it. Other paths are answered with 200 and `{"ok":true}`.
 */
export async function hostileServer(
  options: {
    readonly tls?: Certificate
    /** How long answers take, in milliseconds; asked for each. */
    readonly delayMs?: () => number
    /** 0: a free one. */
    readonly port?: number
    /** Whether request bodies are kept: not in long runs. */
    readonly keepRequests?: boolean
  } = {},
): Promise<HostileServer> {
  const requests: SeenRequest[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const numberBySocket = new Map<Socket, number>()
  let accepted = 0

  const listener: RequestListener = (request, response) => {
    void (async () => {
      const body = await textOf(request)
      if (body === null) return
      const path = request.url ?? '/'
      const connection = numberBySocket.get(request.socket) ?? 0
      const { method = 'GET', headers } = request
      if (options.keepRequests ?? true) requests.push({ method, path, headers, body, connection })
      for (const one of waiting) if (requests.length >= one.count) one.resolve()
      const delayMs = options.delayMs?.() ?? 0
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      const url = new URL(path, 'http://hostile')
      const behave = behaviours[url.pathname.split('/')[1] ?? '']
      if (behave === undefined) {
        response.setHeader('content-type', 'application/json')
        response.end('{"ok":true}')
      } else {
        behave({ url, request, response, socket: request.socket, raw: rawOf(request.socket) })
      }
    })()
  }
  const server: Server =
    options.tls === undefined
      ? createServer({ keepAliveTimeout: 0 }, listener)
      : createTlsServer(
          {
            cert: certificateFile(`${options.tls}.pem`),
            key: certificateFile(`${options.tls}.key`),
            keepAliveTimeout: 0,
          },
          listener,
        )
  const sockets = new Set<Socket>()
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    numberBySocket.set(socket, ++accepted)
    sockets.add(socket)
    socket.on('error', () => {}) // the other side goes away in most of these tests
    socket.on('close', () => {
      sockets.delete(socket)
      numberBySocket.delete(socket)
    })
  })
  server.on('tlsClientError', () => {}) // a client that refuses our certificate is what is tested
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  return {
    origin: options.tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    requests,
    get accepted() {
      return accepted
    },
    get open() {
      return sockets.size
    },
    seen(count) {
      if (requests.length >= count) return Promise.resolve()
      return new Promise((resolve) => waiting.push({ count, resolve }))
    },
    closeIdle: () => server.closeIdleConnections(),
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await closed
    },
  }
}

interface Visit {
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: Parameters<RequestListener>[1]
  readonly socket: Socket
  readonly raw: Raw
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n'

/** By the first part of the path. */
const behaviours: Readonly<Record<string, (visit: Visit) => void>> = {
  /** `/status/503?retry-after=7`: that status, the query as headers. */
  status({ url, response }) {
    const status = Number(url.pathname.split('/')[2])
    response.writeHead(status, Object.fromEntries(url.searchParams))
    response.end(status === 204 || status === 304 ? undefined : `status ${status}`)
  },
  redirect({ response }) {
    response.writeHead(302, { location: '/elsewhere' }).end()
  },
  'stall-before-headers'() {},
  'stall-in-headers'({ raw }) {
    raw(head)
  },
  'stall-in-body'({ raw }) {
    raw(`${head}content-length: 10\r\n\r\nhalf.`)
  },
  /** `/trickle?bytes=20&every=5`: a byte at a time. */
  trickle({ url, response, socket }) {
    const bytes = Number(url.searchParams.get('bytes') ?? 20)
    const everyMs = Number(url.searchParams.get('every') ?? 5)
    response.writeHead(200, { 'content-length': bytes })
    let left = bytes
    const timer = setInterval(() => {
      if (left-- > 0 && !socket.destroyed) return response.write('x')
      clearInterval(timer)
      return response.end()
    }, everyMs)
  },
  'reset-before-headers'({ socket }) {
    reset(socket)
  },
  'reset-in-headers'({ raw, socket }) {
    raw(head)
    setImmediate(() => reset(socket))
  },
  'reset-in-body'({ raw, socket }) {
    raw(`${head}content-length: 10\r\n\r\nhalf.`)
    setImmediate(() => reset(socket))
  },
  'end-before-headers'({ socket }) {
    socket.end()
  },
  /** Says ten bytes, sends five, and says goodbye. */
  'end-in-body'({ raw, socket }) {
    raw(`${head}content-length: 10\r\n\r\nhalf.`)
    socket.end()
  },
  /** `/informational/103`: that status first, then the answer. */
  informational({ url, raw, response }) {
    const status = Number(url.pathname.split('/')[2])
    raw(`HTTP/1.1 ${status} For Your Information\r\nx-early: 1\r\n\r\n`)
    response.end('final')
  },
  /** `/body/70000`: that many bytes, chunked. */
  body({ url, response }) {
    const bytes = Number(url.pathname.split('/')[2])
    const chunk = Buffer.alloc(16_384, 'b')
    let left = bytes
    const more = () => {
      while (left > 0) {
        const next = chunk.subarray(0, Math.min(left, chunk.length))
        left -= next.length
        if (!response.write(next)) return response.once('drain', more)
      }
      return response.end()
    }
    more()
  },
  /** `/headers/20000`: a header of that many bytes. */
  headers({ url, response }) {
    response.setHeader('x-long', 'h'.repeat(Number(url.pathname.split('/')[2])))
    response.end('ok')
  },
  'repeated-header'({ response }) {
    response.writeHead(200, ['X-Twice', 'first', 'x-twice', 'last', '__proto__', 'odd'])
    response.end('ok')
  },
  'not-http'({ raw, socket }) {
    raw('220 mail.example ESMTP ready\r\n')
    socket.end()
  },
  /** Promises to keep the connection, and resets it right behind the answer. */
  'close-behind'({ raw, socket }) {
    raw(`${head}connection: keep-alive\r\ncontent-length: 2\r\n\r\nok`)
    socket.end()
  },
  /** `connection: close`, honestly. */
  'close-said'({ response }) {
    response.setHeader('connection', 'close')
    response.end('ok')
  },
}

/** With an RST where that can be had: a TLS socket only closes. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

function rawOf(socket: Socket): Raw {
  return (text) => {
    if (!socket.destroyed) socket.write(text, 'latin1')
  }
}

/** The body, or `null` when the other side went away in the middle of it. */
async function textOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer) // as: no encoding was set
  } catch {
    return null
  }
  return Buffer.concat(chunks).toString('utf8')
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** A port on loopback on which nobody listens. */
export async function refusingPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

export interface TcpServer {
  readonly port: number
  /** Connections open now. */
  readonly open: number
  close(): Promise<void>
}

/** Accepts connections and says nothing: a TLS handshake with it never ends. */
export async function silentServer(): Promise<TcpServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket.resume().on('error', () => {}))
    socket.on('close', () => sockets.delete(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    get open() {
      return sockets.size
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * A port that neither accepts nor refuses: a listener whose process is stopped and whose queue of
 * connections is full, so that the kernel drops what comes (Linux). Connects to it hang.
 */
export async function swallowingPort(): Promise<{ port: number; close(): Promise<void> }> {
  const program = `const s = require('node:net').createServer()
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer] // as: no encoding was set
  const port = Number(line.toString())
  child.kill('SIGSTOP')
  // A backlog of 1 holds two; a few more make sure that it is full whatever the kernel's rounding.
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.race(fillers.map((socket) => once(socket, 'connect')))
  return {
    port,
    async close() {
      for (const socket of fillers) socket.destroy()
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
