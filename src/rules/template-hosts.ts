import { isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'

/*
 * `allow_hosts`: the hosts that a templated host may turn out to be. An entry is a host, or `*.name`
 * for everything below a name, however deep, but not the name itself. Ports and schemes have no part
 * in it: those are written in the template.
 */

/** Labels of letters, digits, `-` and `_`, joined by dots; lower case. Source: RFC 1123, 2.1. */
const hostForm =
  /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const hostLengthMax = 253
/** A URL parser reads such a host as an IPv4 address, in any of its odd spellings. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

/** Whether `host`, in lower case, is one that a URL parser leaves as it is. */
export function isPlainHost(host: string): boolean {
  if (host.length > hostLengthMax || !hostForm.test(host)) return false
  if (endsInNumber.test(host)) return isIPv4(host)
  return !host.includes('xn--') || domainToASCII(host) === host
}

/** Whether `entry` is a host or `*.name`. */
export function isHostPattern(entry: string): boolean {
  const host = entry.toLowerCase()
  if (!host.startsWith('*.')) return isPlainHost(host)
  return isPlainHost(host.slice(2)) && !endsInNumber.test(host)
}

/** Compiles a list of entries. An empty list allows nothing. */
export function hostMatcher(entries: readonly string[]): (host: string) => boolean {
  const hosts = new Set(entries.map((entry) => entry.toLowerCase()))
  const suffixes = [...hosts]
    .filter((entry) => entry.startsWith('*.'))
    .map((entry) => entry.slice(1))
  return (host) => hosts.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
}

/** Whether every host that `entry` allows is allowed by `entries` as well. */
export function isCovered(entry: string, entries: readonly string[]): boolean {
  const host = entry.toLowerCase()
  const allows = hostMatcher(entries)
  if (!host.startsWith('*.')) return allows(host)
  return entries.some((one) => {
    const outer = one.toLowerCase()
    return outer.startsWith('*.') && host.slice(1).endsWith(outer.slice(1))
  })
}
