import { compileKey, type WayContext } from './compile-ways.ts'
import { dedupWindowMsMax } from './limits-schema.ts'
import { ruleDefaults } from './rule-defaults.ts'
import type { RuleShape } from './rule-schema.ts'
import type { Dedup, DedupWindow } from './rule.ts'
import type { TextTemplate } from './template.ts'

/**
 * The `dedup` of a rule; `null`: there is none, or it cannot be compiled, which has been reported. A
 * key that is missing altogether is told elsewhere (check-limits.ts).
 *
 * @param key - that of the rule; `null`: it has none, or a wrong one
 * @param captures - groups that its templates may read; `null`: not known, and not checked
 */
export function compileDedup(
  key: TextTemplate | null,
  captures: readonly string[] | null,
  context: WayContext,
): Dedup | null {
  const dedup = context.shape?.dedup
  if (dedup === undefined) return null
  const compile = (name: 'key' | 'version'): TextTemplate | null => {
    const text = dedup[name]
    return text === undefined ? null : compileKey(text, ['dedup', name], captures, context)
  }
  const [own, version] = [compile('key'), compile('version')]
  if (dedup.version !== undefined && !dedup.version.includes('{{')) {
    const at = [...context.whole.source.written.at, 'dedup', 'version']
    const message = `\`version: ${dedup.version}\` is the same for each event`
    context.reporter.error(at, 'bad-value', message, 'write a tag, such as "{{event.rev_id}}"')
  }
  const isWrong = dedup.version !== undefined && version === null
  const ofRule = dedup.key === undefined ? key : own
  if (ofRule === null || isWrong) return null
  const onOutage = dedup.on_outage ?? ruleDefaults.dedup.onOutage
  return { key: ofRule, window: windowOf(dedup), version, onOutage }
}

function windowOf(dedup: NonNullable<RuleShape['dedup']>): DedupWindow | null {
  const { window: ms, keep = ruleDefaults.dedup.keep, max_wait: maxWait } = dedup
  if (ms === undefined) return null
  const { waitWindows } = ruleDefaults.dedup
  return { ms, keep, waitMaxMs: maxWait ?? Math.min(ms * waitWindows, dedupWindowMsMax) }
}
