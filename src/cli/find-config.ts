import { existsSync } from 'node:fs'

/** Taken when none is named and it is there, so that a folder with a config just works. */
const configNameDefault = 'config.yaml'

/** The config file to load: the one that is named, else the one that lies here, else none. */
export function findConfig(named: string | undefined): string | null {
  if (named !== undefined) return named
  return existsSync(configNameDefault) ? configNameDefault : null
}
