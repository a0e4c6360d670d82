import type { Failure } from '../model/failure.ts'

/** A request, rendered and checked. */
export interface HttpRequest {
  readonly method: string
  /** Absolute, `http:` or `https:`, already encoded; sent as it is. */
  readonly url: string
  /** Lower-case names. `content-length` is the caller's business. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | null
}

export type HttpAnswer =
  | {
      readonly kind: 'response'
      readonly status: number
      /** Lower-case names; the last value of a repeated one. */
      readonly headers: Readonly<Record<string, string>>
      /** The first `maxResponseBytes` of the body; the rest is read and dropped, up to a bound. */
      readonly body: Buffer
      /** The target sent more than `body` holds. */
      readonly isCut: boolean
    }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** The signal was given: whether the target acted is unknown. */
  | { readonly kind: 'aborted' }

export interface HttpCaller {
  /**
   * Makes one call and never rejects. `timeoutMs` is one absolute bound from now over name
   * resolution, connection, headers and the last byte of the body. Redirects are answers like any
   * other. The address that is really connected to has passed the egress guard; one that has not
   * is answered with a failure of kind `guard` before a byte is sent.
   */
  call(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<HttpAnswer>
  /** Open and queued requests per origin, for gauges. */
  connections(): readonly { origin: string; connected: number; pending: number }[]
  /** Ends all connections, those in use included. */
  close(): Promise<void>
}
