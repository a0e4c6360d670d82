import { BlockList, isIP } from 'node:net'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Reads `127.0.0.1:8090`, `[::1]:8090`, `localhost:8090`; `null` for anything else. Port 0: any. */
export function parseListenAddress(text: string): ListenAddress | null {
  const parts = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text)?.groups
  const host = parts?.['v6'] ?? parts?.['host']
  const port = Number(parts?.['port'])
  if (host === undefined || port > 65_535) return null
  if (parts?.['v6'] !== undefined && isIP(host) !== 6) return null
  return { host, port }
}

/** `host:port` as it stands in a URL. */
export function formatAddress({ host, port }: ListenAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether only this machine can reach a listener there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isInside(loopback, host)
}

/** A set of CIDRs and single addresses. Throws when one of them is neither. */
export function addressSet(cidrs: readonly string[]): BlockList {
  const set = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) set.addAddress(address, family)
    else set.addSubnet(address, Number(bits), family)
  }
  return set
}

/** IPv4 in IPv6 counts as IPv4; what is no address is in no set. */
export function isInside(set: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && set.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

const loopback = addressSet(['127.0.0.0/8', '::1'])
