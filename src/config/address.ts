import { isIP } from 'node:net'

export interface HostPort {
  readonly host: string
  readonly port: number
}

const hostForm = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,252})$/

/** `name:port`, `1.2.3.4:port` or `[::1]:port`; `null` for anything else. */
export function parseHostPort(text: string): HostPort | null {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (parts === null) return null
  const [, bracketed, plain] = parts
  const port = Number(parts[3])
  if (port > 65_535) return null
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : null
  return plain !== undefined && hostForm.test(plain) ? { host: plain, port } : null
}

/** Whether only this machine can reach it. A name other than `localhost` could be anywhere. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Whether a text is a block of addresses (`10.0.0.0/8`), or one address, of either family. */
export function isCidr(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || more.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}
