import type { Cidr } from './condition.ts'

/*
 * Addresses and blocks of both families. An address is four words of 32 bits; one of IPv4 is written
 * in the last word behind `::ffff:`, which is what maps it into IPv6, so that both spellings of it
 * are one address. Hot: an address is parsed into one array that is there once, without a text or
 * a list being made for it.
 */

const address = new Uint32Array(4)

/** The third word of every address of IPv4, behind two words of zeros. */
const mappedWord = 0xffff

const ipv4BitsMax = 32
const mappedBits = 96
const bitsMax = 128

/** Why a text is not a block. */
export interface CidrProblem {
  readonly message: string
  readonly hint: string
}

/** Parses `10.0.0.0/8` or `2001:db8::/32`; bits behind the length have to be zeros. */
export function parseCidr(source: string): Cidr | CidrProblem {
  const slash = source.indexOf('/')
  const base = slash === -1 ? source : source.slice(0, slash)
  if (!parseAddress(base, address)) {
    return {
      message: `${JSON.stringify(base)} is no IP address`,
      hint: 'a block is written `10.0.0.0/8` or `2001:db8::/32`',
    }
  }
  const isDotted = !base.includes(':')
  const lengthMax = isDotted ? ipv4BitsMax : bitsMax
  const length = slash === -1 ? '' : source.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > lengthMax) {
    const message =
      slash === -1
        ? `\`${source}\` is an address, expected a block`
        : `\`/${length}\` is no length of a block: it is from 0 to ${lengthMax}`
    return { message, hint: `one address alone is \`${base}/${lengthMax}\`` }
  }
  const bits = Number(length) + (isDotted ? mappedBits : 0)
  const words = Uint32Array.from(address)
  const masks = Uint32Array.from(words, (_word, i) => maskOf(bits - 32 * i))
  const network = words.map((word, i) => word & (masks[i] ?? 0))
  if (network.some((word, i) => word !== words[i])) {
    const block = `${formatAddress(network, isDotted)}/${length}`
    return {
      message: `\`${source}\` has bits set behind its length`,
      hint: `the block that holds this address is \`${block}\``,
    }
  }
  // A block of IPv6 above the mapped addresses does not hold them: they count as IPv4.
  const isIpv4 = bits >= mappedBits && isMapped(words)
  return { source, contains: blockTest(network, masks, isIpv4) }
}

export function isCidr(cidr: Cidr | CidrProblem): cidr is Cidr {
  return 'contains' in cidr
}

/** Ones in the first `bits` places of 32; `bits` may lie outside. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? 0xffff_ffff : ~(0xffff_ffff >>> bits)
}

/** Hot: called for every event and test. */
function blockTest(network: Uint32Array, masks: Uint32Array, isIpv4: boolean): Cidr['contains'] {
  return (text) => {
    if (!parseAddress(text, address) || isMapped(address) !== isIpv4) return false
    for (let i = 0; i < 4; i++) {
      // `^` gives a signed number, and 0 for equal words.
      if ((((address[i] ?? 0) ^ (network[i] ?? 0)) & (masks[i] ?? 0)) !== 0) return false
    }
    return true
  }
}

export function isMapped(words: Uint32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === mappedWord
}

/** Longer than any address is written: `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`. */
const addressUnitsMax = 45

/** Reads an address into `words`; `false` when the text is none, and `words` then say nothing. */
export function parseAddress(text: string, words: Uint32Array): boolean {
  if (text.length < 2 || text.length > addressUnitsMax) return false
  words.fill(0)
  if (text.includes(':')) return parseIpv6(text, words)
  words[2] = mappedWord
  return parseIpv4(text, 0, words, 3)
}

/** No leading zeros: some read them as octal, so that they would name two addresses. */
function parseIpv4(text: string, start: number, words: Uint32Array, word: number): boolean {
  let value = 0
  let bytes = 0
  let byte = -1
  for (let i = start; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i)
    if (code === dot) {
      if (byte === -1) return false
      value = value * 256 + byte
      bytes++
      byte = -1
      continue
    }
    const digit = code - 0x30
    if (digit < 0 || digit > 9 || byte === 0) return false
    byte = byte === -1 ? digit : byte * 10 + digit
    if (byte > 255) return false
  }
  words[word] = value
  return bytes === 4
}

const dot = 0x2e
const colon = 0x3a

/** Eight groups of 16 bits; `::` stands once for one or more groups of zeros, as RFC 4291 has it. */
function parseIpv6(text: string, words: Uint32Array): boolean {
  let groups = 0
  let gapAt = -1
  let i = 0
  if (text.charCodeAt(0) === colon) {
    if (text.charCodeAt(1) !== colon) return false
    gapAt = 0
    i = 2
  }
  while (i < text.length) {
    if (groups === 8) return false
    const end = groupEnd(text, i)
    if (text.charCodeAt(end) === dot) {
      // Two groups written as IPv4, at the end. They are parsed into a word of their own, since
      // groups so far may be odd in number.
      if (groups > 6 || !parseIpv4(text, i, tail, 0)) return false
      setGroup(words, groups++, (tail[0] ?? 0) >>> 16)
      setGroup(words, groups++, (tail[0] ?? 0) & 0xffff)
      break
    }
    if (end === i || end - i > 4) return false
    setGroup(words, groups++, groupValue(text, i, end))
    if (end === text.length) break
    if (text.charCodeAt(end) !== colon) return false
    i = end + 1
    if (text.charCodeAt(i) === colon) {
      if (gapAt !== -1) return false
      gapAt = groups
      i++
    } else if (i === text.length) {
      return false
    }
  }
  if (gapAt === -1) return groups === 8
  if (groups > 7) return false
  moveBehindGap(words, gapAt, groups)
  return true
}

const tail = new Uint32Array(1)

function groupEnd(text: string, start: number): number {
  let end = start
  while (end < text.length && hexDigit(text.charCodeAt(end)) !== -1) end++
  return end
}

function groupValue(text: string, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 16 + hexDigit(text.charCodeAt(i))
  return value
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function groupOf(words: Uint32Array, group: number): number {
  const word = words[group >> 1] ?? 0
  return group % 2 === 0 ? word >>> 16 : word & 0xffff
}

function setGroup(words: Uint32Array, group: number, value: number): void {
  const word = words[group >> 1] ?? 0
  words[group >> 1] = group % 2 === 0 ? (word & 0xffff) | (value << 16) : (word & ~0xffff) | value
}

/** Groups from `gapAt` on go to the end, and zeros where they were. */
function moveBehindGap(words: Uint32Array, gapAt: number, groups: number): void {
  const moved = groups - gapAt
  for (let k = 1; k <= moved; k++) {
    setGroup(words, 8 - k, groupOf(words, groups - k))
    setGroup(words, groups - k, 0)
  }
}

/** Without the shortest spelling's rules: only to be copied out of a message. */
function formatAddress(words: Uint32Array, isDotted: boolean): string {
  if (isDotted) {
    const word = words[3] ?? 0
    return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join('.')
  }
  const groups = Array.from({ length: 8 }, (_, i) => groupOf(words, i).toString(16)).join(':')
  return groups.replace(/(^|:)0(:0)+$/, '::')
}
