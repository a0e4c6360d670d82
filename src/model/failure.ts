/**
 * Why one attempt did not succeed. Expected, so returned, never thrown. The kinds are closed: the
 * texts are metric labels, header values and the names that rules use in `retry.on`.
 */
export type Failure =
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'refused' | 'reset' | 'dns' | 'tls'; readonly message: string }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | null }
  /** The address is not one that this Sluice may call. */
  | { readonly kind: 'guard'; readonly reason: GuardReason; readonly message: string }
  /** A template found nothing to render, or what it rendered breaks the rules of its position. */
  | { readonly kind: 'template'; readonly message: string }
  /** The request, the response or the derived event is above its bound. */
  | { readonly kind: 'too-large'; readonly message: string }
  /** The answer was to be kept for later steps, and is not what it says it is. */
  | { readonly kind: 'undecodable'; readonly message: string }

/** Why an address or a host may not be called: the label of `sluice_guard_refused_total`. */
export type GuardReason =
  | 'host' // a templated host that `allow_hosts` does not name
  | 'denied' // named by http.deny_cidrs
  | 'not-allowed' // egress is internal and http.allow_cidrs does not name it
  | 'loopback'
  | 'private' // RFC 1918, RFC 4193 and the shared space of carriers (RFC 6598)
  | 'link-local' // cloud metadata services live here
  | 'multicast'
  | 'unspecified'
  | 'reserved' // documentation, benchmarking, tunnels, broadcast, unassigned

export type FailureKind = Failure['kind']

/** What an error text may have in a header or a log line (delivery.md, 4). */
const errorBytesMax = 2_048

/** One line for people, at most 2 KiB, without secrets. */
export function describeFailure(failure: Failure): string {
  return boundedError(failureText(failure))
}

/** The text, or as much of its beginning as 2 KiB hold. */
export function boundedError(text: string): string {
  return headOf(text, errorBytesMax)
}

function failureText(failure: Failure): string {
  switch (failure.kind) {
    case 'timeout':
      return `no complete answer within ${failure.afterMs} ms`
    case 'status':
      return `the target answered ${failure.status}`
    case 'refused':
    case 'reset':
    case 'dns':
    case 'tls':
    case 'guard':
    case 'template':
    case 'too-large':
    case 'undecodable':
      return `${failure.kind}: ${failure.message}`
  }
}

/** The first `bytesMax` bytes of a text, never half a character. */
function headOf(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= bytesMax) return text
  return (
    bytes
      .subarray(0, bytesMax - 4)
      .toString('utf8')
      .replace(/\uFFFD+$/u, '') + '…'
  )
}
