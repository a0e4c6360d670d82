import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { GuardReason } from '../../model/failure.ts'

/** Which addresses Sluice may call. CIDRs, or single addresses, of either family. */
export interface EgressPolicy {
  /** `public`: every public unicast address. `internal`: only what `allowCidrs` names. */
  readonly egress: 'public' | 'internal'
  /** Let through although they are not public (or although egress is internal). */
  readonly allowCidrs: readonly string[]
  /** Refused whatever the rest says. */
  readonly denyCidrs: readonly string[]
}

/** What a policy can have against an address. */
export type AddressReason = Exclude<GuardReason, 'host'>

/** An address that the policy refuses. */
export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly reason: AddressReason

  constructor(reason: AddressReason, host: string, address: string) {
    const subject = host === address ? address : `${host} (${address})`
    super(`${subject} is ${wordsOf[reason]}`)
    this.reason = reason
  }
}

const needsAllowing = 'and no entry of http.allow_cidrs names it'
const wordsOf: Readonly<Record<AddressReason, string>> = {
  denied: 'refused by http.deny_cidrs',
  'not-allowed': `not public egress here (http.egress is internal) ${needsAllowing}`,
  loopback: `a loopback address ${needsAllowing}`,
  private: `a private address ${needsAllowing}`,
  'link-local': `a link-local address ${needsAllowing}`,
  multicast: `a multicast address ${needsAllowing}`,
  unspecified: `the unspecified address ${needsAllowing}`,
  reserved: `a reserved address ${needsAllowing}`,
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

/**
 * Judges addresses, not names: what a name stands for can change between two look-ups, so the
 * answer that is judged must be the one that is connected to (see `openSocket`).
 *
 * An IPv4 address can be written inside an IPv6 one (mapped, or for NAT64); such a form is judged
 * as both, because the network carries it to the IPv4 address. Public means: in the global unicast
 * space of IANA and in none of its special ranges; what is not known to be public is refused.
 */
export class EgressGuard {
  readonly #isInternal: boolean
  readonly #allowed: readonly Range[]
  readonly #denied: readonly Range[]

  /** Throws when one of the CIDRs is none: the config has checked them. */
  constructor(policy: EgressPolicy) {
    this.#isInternal = policy.egress === 'internal'
    this.#allowed = policy.allowCidrs.map(rangeOf)
    this.#denied = policy.denyCidrs.map(rangeOf)
  }

  /** Why `address` may not be connected to, or `null` when it may. Not an address: `reserved`. */
  refusal(address: string): AddressReason | null {
    if (isIP(address) === 0) return 'reserved' // ipaddr.js also takes `1.2.3` for an address
    const outer = ipaddr.parse(address)
    const inner = carriedIpv4(outer)
    const forms = inner === null ? [outer] : [outer, inner]
    if (forms.some((form) => isIn(form, this.#denied))) return 'denied'
    if (forms.some((form) => isIn(form, this.#allowed))) return null
    if (this.#isInternal) return 'not-allowed'
    return specialUse(inner ?? outer)
  }

  /** The error for `address`, which `host` stands for, or `null` when it may be connected to. */
  check(host: string, address: string): GuardError | null {
    const reason = this.refusal(address)
    return reason === null ? null : new GuardError(reason, host, address)
  }
}

function rangeOf(text: string): Range {
  // Node's check first: ipaddr.js also takes `10` and the octal `010.0.0.0` for addresses.
  const isAddress = isIP(text.replace(/\/\d+$/, '')) !== 0
  if (isAddress && ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
  if (isIP(text) === 0) throw new Error(`${JSON.stringify(text)} is not an address or a CIDR`)
  const address = ipaddr.parse(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function isIn(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits))
}

const nat64: Range = ipaddr.parseCIDR('64:ff9b::/96')
const globalUnicast: Range = ipaddr.parseCIDR('2000::/3')

/** The IPv4 address that the network takes `address` to, or `null` when it is IPv6 for good. */
function carriedIpv4(address: Address): ipaddr.IPv4 | null {
  if (!(address instanceof ipaddr.IPv6)) return null
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  return isIn(address, [nat64]) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : null
}

/** Ranges of ipaddr.js (the IANA registries) that are more to users than reserved. */
const reasonByRange: Readonly<Record<string, AddressReason>> = {
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'private',
  linkLocal: 'link-local',
  multicast: 'multicast',
  unspecified: 'unspecified',
}

function specialUse(address: Address): AddressReason | null {
  const range = address.range()
  if (range !== 'unicast') return reasonByRange[range] ?? 'reserved'
  return address.kind() === 'ipv4' || isIn(address, [globalUnicast]) ? null : 'reserved'
}
