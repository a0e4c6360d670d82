import { z } from 'zod'
import {
  durationForm,
  formatDuration,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
  sizeForm,
} from '../model/units.ts'
import { refuse } from './check-shape.ts'
import { quote } from './describe.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

/** The longest time that a rule or a config can name; timers and dates hold it. */
const durationMsMax = 365 * 86_400_000

/** A duration with a unit; becomes milliseconds. */
export function durationMs({
  min = 1,
  max = durationMsMax,
}: Partial<Range> = {}): z.ZodType<number> {
  const written = z
    .string({ error: 'a duration with a unit, such as `10s`' })
    .meta({ pattern: durationForm.source })
  return written.transform((text, context) => {
    const ms = parseDurationMs(text)
    if (ms === null) {
      const hint = 'units are ms, s, m, h and d'
      refuse(context, 'bad-duration', `${quote(text)} is not a duration such as \`10s\``, hint)
      return z.NEVER
    }
    if (ms < min || ms > max) {
      const range = `${formatDuration(min)} to ${formatDuration(max)}`
      refuse(context, 'bad-duration', `found ${text}, expected ${range}`)
      return z.NEVER
    }
    return ms
  })
}

/** A size with a unit; becomes bytes. */
export function sizeBytes({ min = 1, max = 2 ** 50 }: Partial<Range> = {}): z.ZodType<number> {
  const written = z
    .string({ error: 'a size with a unit, such as `64KiB`' })
    .meta({ pattern: sizeForm.source })
  return written.transform((text, context) => {
    const bytes = parseSizeBytes(text)
    if (bytes === null) {
      const hint = 'units are B, KiB, MiB and GiB'
      refuse(context, 'bad-size', `${quote(text)} is not a size such as \`64KiB\``, hint)
      return z.NEVER
    }
    if (bytes < min || bytes > max) {
      const range = `${formatSize(min)} to ${formatSize(max)}`
      refuse(context, 'bad-size', `found ${text}, expected ${range}`)
      return z.NEVER
    }
    return bytes
  })
}
