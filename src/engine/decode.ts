import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/json.ts'
import type { BusRecord } from '../model/record.ts'

export type Decoded =
  | { readonly kind: 'decoded'; readonly body: Json }
  | {
      readonly kind: 'undecodable'
      readonly reason: 'undecodable' | 'too-large'
      readonly error: string
    }

/**
 * The value of a record as JSON. A tombstone is `null`: rules with a condition do not match it.
 *
 * @param bytesMax - `limits.event`; a larger value is not parsed
 */
export function decode({ value }: Pick<BusRecord, 'value'>, bytesMax: number): Decoded {
  if (value === null) return { kind: 'decoded', body: null }
  if (value.length > bytesMax) {
    const error = `the value has ${value.length} bytes, limits.event is ${bytesMax}`
    return { kind: 'undecodable', reason: 'too-large', error }
  }
  // Buffer.toString would put U+FFFD for what is not UTF-8, and a purge would go to another URL.
  if (!isUtf8(value)) return undecodable('the value is not UTF-8')
  try {
    return { kind: 'decoded', body: JSON.parse(value.toString('utf8')) as Json } // as: what JSON.parse gives
  } catch (error) {
    return undecodable(error instanceof Error ? error.message : String(error))
  }
}

function undecodable(error: string): Decoded {
  return { kind: 'undecodable', reason: 'undecodable', error }
}
