import { X509Certificate } from 'node:crypto'
import { lookup as dnsLookup } from 'node:dns'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { EgressGuard, type EgressPolicy } from './egress-guard.ts'
import { sharedLookup, type Lookup, type OpenSocketTools, type Target } from './open-socket.ts'

export interface TargetOptions extends EgressPolicy {
  /** Certificate authorities in PEM, trusted beside those that Node brings. */
  readonly ca?: readonly string[]
  /**
   * Where connections for `host:port` of a URL really go, as `host:port`, like curl's --connect-to.
   * The Host header and the name in the certificate stay the URL's; the guard judges the real one.
   */
  readonly connectTo?: Readonly<Record<string, string>>
  /** How names become addresses; left out: the system's resolver. */
  readonly lookup?: Lookup
}

/** Where the connections of an origin go and how they are secured: one answer for calls and probes. */
export class Targets {
  readonly tools: OpenSocketTools
  readonly #ca: readonly string[]
  readonly #byConnectTo: ReadonlyMap<string, { host: string; port: number }>
  #secureContext: SecureContext | null = null

  /** Throws when a CIDR, a certificate or an entry of `connectTo` is none. */
  constructor(options: TargetOptions) {
    this.#ca = options.ca ?? []
    this.tools = {
      guard: new EgressGuard(options),
      lookup: sharedLookup(options.lookup ?? systemLookup),
    }
    this.#ca.forEach(checkCertificates)
    this.#byConnectTo = new Map(
      Object.entries(options.connectTo ?? {}).map(([from, to]) => [from, hostAndPort(to)]),
    )
  }

  of(url: URL): Target {
    const isHttps = url.protocol === 'https:'
    const name = hostOf(url)
    const port = Number(url.port) || (isHttps ? 443 : 80)
    const place = this.#byConnectTo.get(`${url.hostname}:${port}`) ?? { host: name, port }
    return { ...place, tls: isHttps ? { name, context: this.#secure(), session: undefined } : null }
  }

  /** Made once: reading the roots takes some 20 ms, which Node would spend on each connection. */
  #secure(): SecureContext {
    // Without `ca` Node's defaults stand, and with them NODE_EXTRA_CA_CERTS.
    this.#secureContext ??= createSecureContext(
      this.#ca.length === 0 ? {} : { ca: [...rootCertificates, ...this.#ca] },
    )
    return this.#secureContext
  }
}

/** A name, or an address without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

const systemLookup: Lookup = (hostname, options, callback) => {
  dnsLookup(hostname, options, callback)
}

/** Throws when `pem` holds none or a broken one: Node would pass over both in silence. */
function checkCertificates(pem: string): void {
  const found = pem.match(/-----BEGIN CERTIFICATE-----.*?(-----END CERTIFICATE-----|$)/gs)
  if (found === null) throw new Error('a CA is given that holds no certificate in PEM')
  for (const one of found) new X509Certificate(one)
}

function hostAndPort(text: string): { host: string; port: number } {
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d{1,5})$/.exec(text)?.groups
  const host = parts?.['v6'] ?? parts?.['host']
  if (host === undefined) throw new Error(`${JSON.stringify(text)} is not host:port`)
  return { host, port: Number(parts?.['port']) }
}
