import type { BusRecord } from '../model/record.ts'
import type { Ticket } from './ticket.ts'

/** What a lane does with the records that it reads: live events, or tasks that fall due. */
export interface Intake {
  /** No further record may be taken now; `onRoom` tells when to ask again. */
  readonly isFull: boolean
  onRoom(tell: () => void): void
  /** From when on the record may be taken, milliseconds since 1970; 0: at once. */
  readyAtMs(record: BusRecord): number
  /** Turns the record into tasks or settles it. Returns at once and never throws. */
  take(record: BusRecord, ticket: Ticket): void
  /** Partitions went elsewhere: forget what has not started. */
  dropRevoked(): void
}
