/* Addresses of the naive interpreter: written out to bits, and compared as texts of bits. */

/** Whether `text` is an address in the block `cidr`; false for what is no address. */
export function isInBlock(text: string, cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/')
  const block = bitsOf(base)?.slice(0, Number(length))
  const address = bitsOf(text)
  if (block === undefined || address === null) return false
  // `::ffff:10.0.0.1` is the address 10.0.0.1 as IPv6 writes it, and a block of such is one of IPv4.
  const isOfIpv4 = !base.includes(':') || block.startsWith(mapped)
  const bits = withoutMapping(address)
  return (bits.length === 32) === isOfIpv4 && bits.startsWith(withoutMapping(block))
}

/** What stands before an address of IPv4 where one of IPv6 is asked for. */
const mapped = '0'.repeat(80) + '1'.repeat(16)

function withoutMapping(bits: string): string {
  return bits.startsWith(mapped) ? bits.slice(mapped.length) : bits
}

/** 32 or 128 digits 0 and 1, or `null`. */
function bitsOf(text: string): string | null {
  if (!text.includes(':')) return bitsOfIpv4(text)
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [left = [], right = []] = halves.map(groupsOf)
  const written = [...left, ...right]
  const isShort = halves.length === 2
  if (isShort ? written.length > 7 : written.length !== 8) return null
  const zeros = Array.from({ length: 8 - written.length }, () => '0')
  const groups = isShort ? [...left, ...zeros, ...right] : written
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null
  return groups.map((group) => digits(BigInt(`0x${group}`), 16)).join('')
}

/** The groups of one side of `::`; the last may be an address of the other family. */
function groupsOf(side: string): readonly string[] {
  if (side === '') return []
  return side.split(':').flatMap((group) => {
    const bits = bitsOfIpv4(group)
    if (bits === null) return [group]
    return [bits.slice(0, 16), bits.slice(16)].map((half) => BigInt(`0b${half}`).toString(16))
  })
}

function bitsOfIpv4(text: string): string | null {
  const bytes = text.split('.')
  // No leading zeros: some read them as octal, so that they name two addresses.
  const isGood = bytes.length === 4 && bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte))
  if (!isGood || bytes.some((byte) => Number(byte) > 255)) return null
  return bytes.map((byte) => digits(BigInt(byte), 8)).join('')
}

function digits(value: bigint, length: number): string {
  return value.toString(2).padStart(length, '0')
}
