/**
 * Where an event stands among those of its key (delivery.md, 8): by version where the rule names
 * one, else by offset within a partition, else by event time; never by when it came to us.
 */
export interface Stamp {
  /** As `versionOf` writes it: texts whose order is that of the versions; `null`: the rule names none. */
  readonly version: string | null
  /** Topic and partition, `edits/0`: offsets compare within one. */
  readonly source: string
  readonly offset: bigint
  /** Event time, milliseconds since 1970. */
  readonly timeMs: number
}

/**
 * Whether acting on `stamp` behind `newest` would go back, or twice over the same thing. Two events
 * of different partitions at one millisecond have no order: neither covers the other, both run.
 */
export function isCoveredBy(stamp: Stamp, newest: Stamp): boolean {
  if (stamp.version !== null && newest.version !== null) return newest.version >= stamp.version
  if (stamp.source === newest.source) return newest.offset >= stamp.offset
  return newest.timeMs > stamp.timeMs
}

/** Digits before and behind the point. Enough for any id of 64 bits, and for nanoseconds. */
const wholeDigits = 20
const fractionDigits = 9

const numberForm = /^(-?)(\d+)(?:\.(\d+))?$/
const timeForm = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/

/**
 * A version as digits alone, so that texts compare as the versions do, exactly, wherever they are
 * compared: numbers by their value, RFC 3339 times by their seconds since 1970. `null` when the text
 * is neither, or has more than 20 digits before or 9 behind the point that are not zero.
 */
export function versionOf(text: string): string | null {
  const number = numberForm.exec(text)
  if (number !== null) {
    const [, sign = '', whole = '', fraction = ''] = number
    return sortable(sign === '-', whole, fraction)
  }
  const time = timeForm.exec(text)
  if (time === null) return null
  const [, moment = '', fraction = '', zone = ''] = time
  const ms = Date.parse(`${moment.replace(/[t ]/, 'T')}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) return null
  const seconds = ms / 1_000
  // Behind the point counts upwards, also before 1970: -1.25 s is one second before, and 0.75 more.
  if (seconds >= 0) return sortable(false, String(seconds), fraction)
  const nanos = `${fraction}000000000`.slice(0, fractionDigits)
  if (fraction.slice(fractionDigits).replaceAll('0', '') !== '') return null
  const total = BigInt(seconds) * 10n ** BigInt(fractionDigits) + BigInt(nanos)
  const digits = String(-total).padStart(fractionDigits + 1, '0')
  return sortable(true, digits.slice(0, -fractionDigits), digits.slice(-fractionDigits))
}

function sortable(isNegative: boolean, whole: string, fraction: string): string | null {
  const head = whole.replace(/^0+/, '')
  const tail = fraction.replace(/0+$/, '')
  if (head.length > wholeDigits || tail.length > fractionDigits) return null
  const digits = head.padStart(wholeDigits, '0') + tail.padEnd(fractionDigits, '0')
  const isZero = head === '' && tail === ''
  // A greater distance below zero is a smaller number: each digit is turned round.
  return isNegative && !isZero
    ? `0${digits.replace(/\d/g, (digit) => String(9 - Number(digit)))}`
    : `1${digits}`
}
