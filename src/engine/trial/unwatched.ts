import type { Logger } from '../../ports/logger.ts'
import type { Counter, Gauge, Histogram, Metrics } from '../../ports/metrics.ts'

/* What the engine tells operators, and nobody asks a trial for. */

const nothing = (): void => {}

const one: Counter & Gauge & Histogram = { inc: nothing, set: nothing, observe: nothing }
const family = { of: () => one }

export const noMetrics: Metrics = {
  counter: () => family,
  gauge: () => family,
  histogram: () => family,
  onScrape: nothing,
  expose: () => Promise.resolve(''),
  contentType: 'text/plain',
}

export const noLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isDebug: false,
}
