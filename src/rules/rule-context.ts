import type { ActionKind } from './action-kind.ts'

/** What rules are loaded against. */
export interface RuleContext {
  readonly kinds: readonly ActionKind[]
  /** Secret values by name, or `null` where no config is known: names are then not checked. */
  readonly secrets: ReadonlyMap<string, string> | null
  /** Hosts that a templated host may be, unless an action names its own. */
  readonly allowHosts: readonly string[]
  /** Delays of the retry topics, in milliseconds. */
  readonly retryTiersMs: readonly number[]
  /** Lanes of the config, or `null` where no config is known: names are then not checked. */
  readonly lanes: readonly string[] | null
}
