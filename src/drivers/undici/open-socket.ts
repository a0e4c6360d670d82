import { isIP, connect as connectTcp, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import type { EgressGuard } from './egress-guard.ts'

/** As Node's `dns.lookup` with `all: true`. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true; readonly family?: number; readonly hints?: number },
  callback: (
    error: NodeJS.ErrnoException | null,
    addresses: readonly { readonly address: string; readonly family: number }[],
  ) => void,
) => void

/** Where a connection goes, and how it is secured; `null`: in the clear. */
export interface Target {
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  readonly tls: null | {
    /** What the certificate must be for: the URL's host, wherever the connection goes. */
    readonly name: string
    readonly context: SecureContext
    /** The last session with this target, to save a round trip. */
    session: Buffer | undefined
  }
}

export interface OpenSocketTools {
  readonly guard: EgressGuard
  readonly lookup: Lookup
}

/** TCP keep-alive starts after this much silence: what undici does, below most NAT tables' patience. */
const keepAliveAfterMs = 60_000

/**
 * Opens a connection to an address that the guard lets through, and calls back once. Destroying
 * what is returned ends the attempt in whatever state it is; there is no callback then.
 *
 * The addresses that the guard has judged are the ones that Node connects to, because they come
 * out of the `lookup` of the very same connect: no second look-up can give another answer. Literals
 * are never looked up, so they are judged beforehand. The address at the other end is judged once
 * more before the first byte, in case Node's way from answer to address ever changes.
 */
export function openSocket(
  target: Target,
  tools: OpenSocketTools,
  done: (error: Error | null, socket: Socket | null) => void,
): Socket {
  const { host, port } = target
  const refusal = isIP(host) === 0 ? null : tools.guard.check(host, host)
  const socket = connectTcp({
    host,
    port,
    lookup: guardedLookup(tools),
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfterMs,
  })
  const fail = (error: Error) => done(error, null)
  socket.once('error', fail)
  if (refusal !== null) return socket.destroy(refusal)
  socket.once('connect', () => {
    const late = tools.guard.check(host, socket.remoteAddress ?? '')
    if (late !== null) return void socket.destroy(late)
    socket.off('error', fail)
    if (target.tls === null) return done(null, socket)
    // From here on trouble shows on the TLS socket; without a listener it would end the process too.
    socket.on('error', () => {})
    secure(socket, target.tls, done)
  })
  return socket
}

function secure(
  socket: Socket,
  options: NonNullable<Target['tls']>,
  done: (error: Error | null, socket: Socket | null) => void,
): void {
  const secured = connectTls({
    socket,
    secureContext: options.context,
    // SNI carries names only; an address is compared with the certificate's through `host`.
    ...(isIP(options.name) === 0 ? { servername: options.name } : { host: options.name }),
    ...(options.session === undefined ? {} : { session: options.session }),
    ALPNProtocols: ['http/1.1'],
    // Said, not left to the default: NODE_TLS_REJECT_UNAUTHORIZED=0 turns the default off.
    rejectUnauthorized: true,
  })
  const fail = (error: Error) => {
    options.session = undefined
    done(error, null)
  }
  secured.on('session', (session: Buffer) => (options.session = session))
  secured.once('error', fail)
  secured.once('secureConnect', () => {
    secured.off('error', fail)
    done(null, secured)
  })
  // When the attempt is given up, only the inner socket is known to be destroyed.
  socket.once('close', () => secured.destroy())
}

/** Leaves only addresses that the guard lets through; none left is an error of the guard. */
function guardedLookup({ guard, lookup }: OpenSocketTools): LookupFunction {
  return (hostname, options, callback) => {
    const wanted = {
      all: true as const,
      ...(typeof options.family === 'number' ? { family: options.family } : {}),
      ...(options.hints === undefined ? {} : { hints: options.hints }),
    }
    lookup(hostname, wanted, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const allowed = addresses.filter(({ address }) => guard.refusal(address) === null)
      const [first] = allowed
      if (first === undefined) return callback(noneAllowed(guard, hostname, addresses), [])
      if (options.all === true) callback(null, [...allowed])
      else callback(null, first.address, first.family)
    })
  }
}

function noneAllowed(
  guard: EgressGuard,
  hostname: string,
  addresses: readonly { readonly address: string }[],
): Error {
  const [first] = addresses
  const refusal = first === undefined ? null : guard.check(hostname, first.address)
  return refusal ?? Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
}

/**
 * Lets look-ups of one name share one answer while they run. The system's resolver blocks one of
 * Node's few worker threads per look-up, and a dead one does so for many seconds: a name can hold
 * one thread, not all. Nothing is kept once it is answered.
 */
export function sharedLookup(lookup: Lookup): Lookup {
  const running = new Map<string, Parameters<Lookup>[2][]>()
  return (hostname, options, callback) => {
    const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0}`
    const waiting = running.get(key)
    if (waiting !== undefined) {
      waiting.push(callback)
      return
    }
    const callbacks = [callback]
    running.set(key, callbacks)
    lookup(hostname, options, (error, addresses) => {
      running.delete(key)
      for (const one of callbacks) one(error, addresses)
    })
  }
}
