/** Longer than any delay that Sluice keeps; what is above is as good as this. */
const retryAfterMsMax = 365 * 86_400_000

const secondsForm = /^\d{1,12}$/
/** The three forms of an HTTP date. Source: RFC 9110, 5.6.7. */
const dateForm =
  /^(?:[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/

/**
 * Milliseconds that a target asks us to wait, or `null` when it does not say or cannot be understood.
 * A date is taken relative to the target's own `date` where it sends one, because its clock is the
 * one that it reckons with; else relative to `nowMs`. What lies in the past is 0.
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): number | null {
  const text = headers['retry-after']?.trim()
  if (text === undefined) return null
  if (secondsForm.test(text)) return Math.min(Number(text) * 1_000, retryAfterMsMax)
  const dueMs = httpDateMs(text)
  if (dueMs === null) return null
  const fromMs = httpDateMs(headers['date']?.trim() ?? '') ?? nowMs
  return Math.min(Math.max(0, dueMs - fromMs), retryAfterMsMax)
}

function httpDateMs(text: string): number | null {
  if (text.length > 40 || !dateForm.test(text)) return null
  // The third form, asctime, names no zone and means GMT.
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(ms) ? null : ms
}
