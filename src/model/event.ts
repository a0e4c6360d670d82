import type { Json } from './json.ts'
import type { Lineage } from './lineage.ts'
import type { BusRecord } from './record.ts'

/** A decoded record. The record's bytes stay beside it: dead letters give them back untouched. */
export interface Event {
  /** `topic/partition/offset` of the record in which the event first came to us. */
  readonly id: string
  /** The record, under its first topic, partition and offset, also on a retry. */
  readonly record: BusRecord
  readonly body: Json
  readonly lineage: Lineage
}
