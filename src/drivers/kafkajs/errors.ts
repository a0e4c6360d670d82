import type { Clock } from '../../ports/clock.ts'
import type { PortErrorCode } from '../../ports/port-error.ts'
import { PortError } from '../../ports/port-error.ts'

/** The name of Kafka's error in an error of kafkajs, down its causes; `null` when it has none. */
export function kafkaErrorType(error: unknown): string | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    if ('type' in cause && typeof cause.type === 'string') return cause.type
    // kafkajs gathers the errors of topics in `errors`; we ask about one topic at a time.
    if ('errors' in cause && Array.isArray(cause.errors)) {
      const [first] = cause.errors as unknown[] // as: `isArray` gives any[]
      cause = first
    } else {
      cause = cause.cause
    }
  }
  return null
}

const codes: Readonly<Record<string, PortErrorCode>> = {
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  UNKNOWN_TOPIC_OR_PARTITION: 'unknown-topic',
  TOPIC_AUTHORIZATION_FAILED: 'denied',
  GROUP_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
  SASL_AUTHENTICATION_FAILED: 'denied',
  UNSUPPORTED_SASL_MECHANISM: 'denied',
  INVALID_TOPIC_EXCEPTION: 'invalid',
  INVALID_PARTITIONS: 'invalid',
  INVALID_REPLICATION_FACTOR: 'invalid',
  INVALID_CONFIG: 'invalid',
  INVALID_REQUEST: 'invalid',
  INVALID_TIMESTAMP: 'invalid',
  INVALID_RECORD: 'invalid', // say, a compacted topic and no key
  INVALID_GROUP_ID: 'invalid',
  POLICY_VIOLATION: 'invalid',
  OFFSET_METADATA_TOO_LARGE: 'invalid',
  INCONSISTENT_GROUP_PROTOCOL: 'invalid',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'invalid',
}

/**
 * What went wrong, in the words of the port: `doing` reads after "could not". Whatever is not known
 * to be useless is `unreachable`, because that is tried again.
 */
export function toPortError(error: unknown, doing: string): PortError {
  if (error instanceof PortError) return error
  const type = kafkaErrorType(error)
  const isAuthentication = error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError'
  const known = type === null ? undefined : codes[type]
  const code = isAuthentication ? 'denied' : (known ?? 'unreachable')
  const detail = type ?? (error instanceof Error ? error.message : String(error))
  return new PortError('bus', code, `could not ${doing}: ${detail}`, { cause: error })
}

/** Waits for `promise`, but not longer than `ms`: then rejects as `unreachable` and calls `onLate`. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  doing: string,
  promise: Promise<T>,
  onLate: () => void = () => undefined,
): Promise<T> {
  let cancel: () => void = () => undefined
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.schedule(ms, () => {
      reject(new PortError('bus', 'unreachable', `could not ${doing}: no answer in ${ms} ms`))
      onLate()
    })
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}
