/**
 * A system on the other side of a port did not do what was asked. The engine holds and tries again
 * or, where `code` says that trying again is useless, blames the record. Never dropped in silence.
 */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly port: 'bus' | 'http' | 'store'
  readonly code: PortErrorCode

  constructor(
    port: 'bus' | 'http' | 'store',
    code: PortErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.port = port
    this.code = code
  }
}

export type PortErrorCode =
  | 'unreachable' // no answer, or none in time; what was asked may or may not have happened
  | 'too-large' // this record is above a bound of the bus; it will never be taken
  | 'unknown-topic' // the topic is not there
  | 'not-owner' // the epoch is over: the partition is someone else's by now
  | 'closed' // the port was closed by us
  | 'full' // the disk of the embedded log or store is full
  | 'damaged' // the file of the embedded log or store is not one, or is broken
  | 'denied' // bad credentials, or not allowed to
  | 'invalid' // the request makes no sense to the bus: a bad topic name, a bad setting
