import type { RuleDocument, StatusDocument, TopicDocument } from '../model/status.ts'

/** One part of the daemon, as a health check sees it. */
export interface PartHealth {
  readonly name: string
  readonly ok: boolean
  /** One sentence for people: what it does, or what it waits for. */
  readonly detail: string
}

/** An event to be put on the bus. */
export interface NewEvent {
  readonly key: string | null
  /** JSON text, or `null` for a tombstone. */
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/**
 * What the admin API needs of the daemon; the app implements it. What is read here is read from
 * memory: a monitoring system that asks every few seconds must not become load on bus or store.
 */
export interface AdminSource {
  status(): Promise<StatusDocument>
  /** By name. */
  rules(): readonly RuleDocument[]
  rule(name: string): RuleDocument | undefined
  /**
   * Whether the daemon gets on: a part that should have moved and has not is not ok, although its
   * process answers. An orchestrator restarts what is not live, so a bus that is away is live.
   */
  isLive(): { readonly ok: boolean; readonly parts: readonly PartHealth[] }
  /** Ready when all parts are ok. */
  readiness(): readonly PartHealth[]
  /** By name. Rejects with a `PortError` when the bus is out of reach. */
  topics(): Promise<readonly TopicDocument[]>
  /**
   * Puts all events on the bus, in this order, and resolves when they are durable. Rejects with a
   * `PortError`; then some may be there all the same.
   */
  emit(topic: string, events: readonly NewEvent[]): Promise<void>
}
