import type { ListFile } from '../schema/source-files.ts'
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
  /** Reads a file that `lists` name, by its path from where the process stands. Never rejects. */
  readonly readListFile: (path: string) => Promise<ListFile>
  /** Lets all else of the process go first once a slice of time is used up; asked between rules. */
  readonly breathe: () => Promise<void>
}
