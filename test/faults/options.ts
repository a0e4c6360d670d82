import { parseArgs } from 'node:util'
import type { BusName, FaultKind } from './kinds.ts'
import { faultKinds, isFaultKind } from './kinds.ts'
import type { StoreName } from './world.ts'

export interface FaultOptions {
  readonly seed: number
  readonly minutes: number
  readonly bus: BusName
  readonly store: StoreName
  readonly daemons: number
  /** To each topic. */
  readonly eventsPerSecond: number
  /** `null`: all that there are. */
  readonly only: readonly FaultKind[] | null
  /** Prints the schedule, and does nothing. */
  readonly isPlan: boolean
  /** A folder for the logs of the daemons and the ledger; `null`: they are not kept. */
  readonly keep: string | null
}

export const usage = `npm run faults -- [--seed N] [--minutes M] [--bus embedded|kafka] [--store redis|embedded]
    [--daemons 2|3] [--rate EVENTS_PER_SECOND] [--only KIND,..] [--plan] [--keep FOLDER]
kinds: ${faultKinds.join(', ')}`

/** Reads a command line; a text is what is wrong with it. */
export function readOptions(
  args: readonly string[],
  seedOfRun: () => number,
): FaultOptions | string {
  const found = parsed(args)
  if (typeof found === 'string') return found
  const { seed, minutes, bus, store, daemons, rate, only, plan, keep } = found
  const numbers = { seed, minutes, daemons, rate }
  for (const [name, text] of Object.entries(numbers)) {
    if (text !== undefined && !(Number(text) > 0))
      return `--${name} is not a number above 0: ${text}`
  }
  if (bus !== 'embedded' && bus !== 'kafka') return `--bus is embedded or kafka, not ${bus}`
  if (store !== 'embedded' && store !== 'redis') return `--store is redis or embedded, not ${store}`
  const kinds = only === undefined ? null : only.split(',')
  const unknown = kinds?.find((kind) => !isFaultKind(kind))
  if (unknown !== undefined) return `there is no kind ${unknown}`
  return {
    seed: seed === undefined ? seedOfRun() : Number(seed),
    minutes: Number(minutes),
    bus,
    store,
    daemons: Number(daemons),
    eventsPerSecond: Number(rate),
    only: kinds?.filter(isFaultKind) ?? null,
    isPlan: plan,
    keep: keep ?? null,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string', default: '1' },
        bus: { type: 'string', default: 'embedded' },
        store: { type: 'string', default: 'redis' },
        daemons: { type: 'string', default: '2' },
        rate: { type: 'string', default: '12' },
        only: { type: 'string' },
        keep: { type: 'string' },
        plan: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return (error as Error).message // as: always an Error
  }
}
