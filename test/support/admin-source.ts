import type { AdminSource, NewEvent, PartHealth } from '../../src/admin/source.ts'
import type { RuleDocument, StatusDocument, TopicDocument } from '../../src/model/status.ts'

/** A rule as `status` tells of it, with some counts of each kind. */
export function aRuleDocument(name: string): RuleDocument {
  return {
    name,
    file: `rules/${name}.yaml`,
    state: 'live',
    mode: 'live',
    topics: ['edits', 'jobs.*'],
    ladder: {
      matched: 10,
      done: 4,
      skipped: { disabled: 1 },
      retried: 3,
      held: 0,
      dead: { status: 2 },
      pending: { in_flight: 1, queue: 1, retry: 1, backlog: 0 },
    },
    last_match_at: '2026-01-01T00:00:00.000Z',
    paused: null,
  }
}

/** A daemon whose state a test sets, for what shows it. */
export class TestAdminSource implements AdminSource {
  ruleNames: readonly string[] = ['hook', 'purge']
  parts: readonly PartHealth[] = [{ name: 'bus', ok: true, detail: 'reads edits at 10.0.0.1' }]
  topicDocuments: readonly TopicDocument[] = [{ name: 'edits', partitions: 4, rules: ['purge'] }]
  readonly emitted: { readonly topic: string; readonly events: readonly NewEvent[] }[] = []
  /** What asking the bus rejects with; `null`: it works. */
  trouble: Error | null = null

  status(): Promise<StatusDocument> {
    if (this.trouble !== null) return Promise.reject(this.trouble)
    return Promise.resolve({
      version: '0.1.0',
      ready: true,
      uptime_s: 12.5,
      bus: { kind: 'embedded', lag_events: 3, lag_s: 0.25 },
      store: { kind: 'none', degraded: false, trouble: null },
      rules: this.rules(),
    })
  }

  rules(): readonly RuleDocument[] {
    return this.ruleNames.map(aRuleDocument)
  }

  rule(name: string): RuleDocument | undefined {
    return this.rules().find((rule) => rule.name === name)
  }

  isLive(): { ok: boolean; parts: readonly PartHealth[] } {
    return { ok: this.parts.every((part) => part.ok), parts: this.parts }
  }

  readiness(): readonly PartHealth[] {
    return this.parts
  }

  topics(): Promise<readonly TopicDocument[]> {
    return this.trouble === null
      ? Promise.resolve(this.topicDocuments)
      : Promise.reject(this.trouble)
  }

  emit(topic: string, events: readonly NewEvent[]): Promise<void> {
    if (this.trouble !== null) return Promise.reject(this.trouble)
    this.emitted.push({ topic, events })
    return Promise.resolve()
  }
}
