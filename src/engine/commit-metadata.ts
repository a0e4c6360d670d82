import type { Run } from './offset-tracker.ts'

/**
 * The islands of an offset tracker as text for the metadata of a committed offset.
 *
 * Two forms, the shorter wins: `1b` is a bit per offset above the committed one, good when many
 * small islands lie close together; `1r` is pairs of (gap, length) as variable-length numbers, good
 * for few or distant ones. Both are base64url. The `1` is the version: a reader that does not know
 * the form takes it for no islands, which costs repeats and loses nothing.
 */
export const metadataCharsMax = 4_096

/** From here on a partition takes nothing new (delivery.md, 2): what is in flight may still add islands. */
export const metadataCharsFull = metadataCharsMax * 0.75

/** Bytes of either form that fit behind its two-letter mark, in base64. */
const payloadBytesMax = Math.floor(((metadataCharsMax - 2) * 3) / 4)

/**
 * @param base - the committed offset; every run lies above it
 * @returns `''` without islands; at most 4,096 characters. Islands that do not fit are left out from
 *   the highest down: their events may run again after a crash.
 */
export function encodeIslands(base: bigint, islands: readonly Run[]): string {
  if (islands.length === 0) return ''
  const runs = encodeRuns(base, islands)
  const bits = encodeBits(base, islands)
  return bits !== null && bits.length <= runs.length ? bits : runs
}

/** Reads what `encodeIslands` wrote; anything else gives no islands. */
export function decodeIslands(base: bigint, metadata: string): readonly Run[] {
  const payload = Buffer.from(metadata.slice(2), 'base64url')
  if (metadata.startsWith('1r')) return decodeRuns(base, payload)
  if (metadata.startsWith('1b')) return decodeBits(base, payload)
  return []
}

function encodeRuns(base: bigint, islands: readonly Run[]): string {
  const bytes: number[] = []
  let at = base
  for (const { from, to } of islands) {
    const before = bytes.length
    pushVarint(bytes, from - at)
    pushVarint(bytes, to - from)
    if (bytes.length > payloadBytesMax) {
      bytes.length = before
      break
    }
    at = to
  }
  return '1r' + Buffer.from(bytes).toString('base64url')
}

function decodeRuns(base: bigint, payload: Buffer): readonly Run[] {
  const runs: Run[] = []
  const reader = { payload, at: 0 }
  let from = base
  while (reader.at < payload.length) {
    const gap = readVarint(reader)
    const length = readVarint(reader)
    if (gap === null || length === null) return []
    from += gap
    runs.push({ from, to: from + length })
    from += length
  }
  return runs
}

function encodeBits(base: bigint, islands: readonly Run[]): string | null {
  const last = islands.at(-1)
  if (last === undefined || last.to - base > BigInt(payloadBytesMax) * 8n) return null
  const bits = Buffer.alloc(Math.ceil(Number(last.to - base) / 8))
  for (const { from, to } of islands) {
    for (let bit = Number(from - base); bit < Number(to - base); bit++) {
      bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7))
    }
  }
  return '1b' + bits.toString('base64url')
}

function decodeBits(base: bigint, payload: Buffer): readonly Run[] {
  const runs: Run[] = []
  let from: bigint | null = null
  for (let bit = 0; bit <= payload.length * 8; bit++) {
    const isSet = ((payload[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
    if (isSet) from ??= base + BigInt(bit)
    if (!isSet && from !== null) {
      runs.push({ from, to: base + BigInt(bit) })
      from = null
    }
  }
  return runs
}

function pushVarint(bytes: number[], value: bigint): void {
  let rest = value
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
}

function readVarint(reader: { payload: Buffer; at: number }): bigint | null {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.payload[reader.at]
    if (byte === undefined) return null
    reader.at += 1
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return value
  }
  return null
}
