import type { Failure } from '../../model/failure.ts'
import { GuardError } from './egress-guard.ts'

type Kind = Exclude<Failure['kind'], 'status' | 'guard'>

/**
 * What an error of undici, of Node's sockets, resolver or TLS says about a call. `refused`, `dns` and
 * a refusal of our guard mean that no connection came about, so the target has seen nothing. `reset` is the answer
 * for all that happens to a connection and for what is unknown: the target may have acted.
 */
const kindByCode: Readonly<Record<string, Kind>> = {
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',

  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  ENETUNREACH: 'refused',
  ENETDOWN: 'refused',
  EADDRNOTAVAIL: 'refused', // every local port is taken
  EADDRINUSE: 'refused',
  EACCES: 'refused', // a local firewall says no
  EPERM: 'refused',
  EMFILE: 'refused', // no file descriptor left for a socket
  ENFILE: 'refused',
  EAFNOSUPPORT: 'refused', // this machine has no such address family
  EINVAL: 'refused',

  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',

  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  ESERVFAIL: 'dns',
  EFORMERR: 'dns',
  ENOTIMP: 'dns',
  EREFUSED: 'dns',
  EBADNAME: 'dns',
  EBADRESP: 'dns',

  EPROTO: 'tls', // the other side does not speak TLS, or not ours
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  CERT_REVOKED: 'tls',
  CERT_REJECTED: 'tls',
  CERT_UNTRUSTED: 'tls',
  CERT_SIGNATURE_FAILURE: 'tls',
  CERT_CHAIN_TOO_LONG: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  PATH_LENGTH_EXCEEDED: 'tls',

  UND_ERR_HEADERS_OVERFLOW: 'too-large',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too-large',
  HPE_HEADER_OVERFLOW: 'too-large',

  // The request itself is none: a method, a path or a header that HTTP does not have.
  UND_ERR_INVALID_ARG: 'template',
  UND_ERR_NOT_SUPPORTED: 'template',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'template',
}

const kindByPrefix: readonly (readonly [string, Kind])[] = [
  ['EAI_', 'dns'], // getaddrinfo
  ['ERR_TLS_', 'tls'],
  ['ERR_SSL_', 'tls'],
  ['HPE_', 'reset'], // what came back is not HTTP
]

/** The failure for `error`; never throws, whatever was thrown. `afterMs`: how long the call took. */
export function failureOf(error: unknown, afterMs: number): Failure {
  if (error instanceof GuardError) {
    return { kind: 'guard', reason: error.reason, message: error.message }
  }
  const code = codeOf(error)
  const kind = code === null ? 'reset' : kindOf(code)
  if (kind === 'timeout') return { kind, afterMs: Math.round(afterMs) }
  return { kind, message: messageOf(error, code) }
}

function kindOf(code: string): Kind {
  const known = Object.hasOwn(kindByCode, code) ? kindByCode[code] : undefined
  return known ?? kindByPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'reset'
}

/** When several addresses were tried Node gives an AggregateError, whose code is the first one's. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

function messageOf(error: unknown, code: string | null): string {
  const text = textOf(error)
  return code === null || text.includes(code) ? text : `${text} (${code})`
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map((one) => textOf(one)).join('; ')
  }
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}
