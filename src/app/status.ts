import type { Ladder } from '../engine/ladder.ts'
import type { RuleQueue } from '../engine/rule-queue.ts'
import type { LadderDocument, RuleDocument } from '../model/status.ts'

/** A rule as `status` shows it. */
export function ruleDocument({ rule, meters }: RuleQueue): RuleDocument {
  const { lastMatchMs, ladder } = meters
  return {
    name: rule.name,
    file: rule.file,
    state: rule.enabled ? 'live' : 'disabled',
    mode: rule.mode,
    topics: [...rule.topics.names, ...rule.topics.globs],
    ladder: ladderDocument(ladder),
    last_match_at: lastMatchMs === null ? null : new Date(lastMatchMs).toISOString(),
    paused: null,
  }
}

function ladderDocument(ladder: Ladder): LadderDocument {
  const { inFlight, queue, retry, backlog } = ladder.pending
  return {
    matched: ladder.matched,
    done: ladder.done,
    skipped: { ...ladder.skipped },
    retried: ladder.retried,
    held: ladder.held,
    dead: { ...ladder.dead },
    pending: { in_flight: inFlight, queue, retry, backlog },
  }
}
