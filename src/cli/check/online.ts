import type { Config } from '../../config/config.ts'
import { describeFailure, type Failure } from '../../model/failure.ts'
import type { Problem } from '../../model/problem.ts'
import type { Clock } from '../../ports/clock.ts'
import { actionsOf, type Rule } from '../../rules/rule.ts'
import { inOrder } from '../../schema/reporter.ts'
import type { At } from '../../schema/yaml-document.ts'
import type { Reach } from '../program-deps.ts'
import { topicProblems, type TopicParts } from './online-topics.ts'

/*
 * `check --online`: whether what the config and the rules name is really there. The bus is asked for
 * its topics, the store something that changes nothing, and every origin that a rule writes out is
 * connected to as a call would connect, without a request. Nothing is made and nothing is sent.
 */

/** Bound of one look; a target that takes longer to take a connection is not well. */
const lookMsMax = 5_000

/** Bound of all of it: what nobody waits for is not run before each deployment. */
const allMsMax = 30_000

/** Targets at once: enough for dozens of dead ones within the bound, no storm of connections. */
const probesAtOnce = 8

/** Codes that mean: not reached, so nothing is known. They alone make the exit code 3. */
const unreachedCodes: readonly string[] = [
  'bus-unreachable',
  'store-unreachable',
  'target-unreachable',
]

export function isUnreached({ code }: Pick<Problem, 'code'>): boolean {
  return unreachedCodes.includes(code)
}

export interface OnlineParts extends TopicParts {
  readonly reach: Reach
  readonly clock: Clock
}

/** What is not there, first of the bus, then the store, then of the targets. Never rejects. */
export async function lookOnline(parts: OnlineParts): Promise<readonly Problem[]> {
  const [ofBus, ofStore, ofTargets] = await Promise.all([
    lookAtBus(parts),
    lookAtStore(parts),
    lookAtTargets(parts),
  ])
  return [...ofBus, ...ofStore, ...inOrder(ofTargets)]
}

async function lookAtBus(parts: OnlineParts): Promise<readonly Problem[]> {
  const { config, reach, clock, places } = parts
  try {
    const topics = await within(lookMsMax, reach.listTopics(), clock)
    // Of a log that nobody has made yet, that it lacks every topic says nothing.
    if (topics === null && config.bus.ensureTopics === 'create') return []
    return topicProblems(new Set(topics ?? []), parts)
  } catch (error) {
    const { bus } = config
    const at = bus.kind === 'kafka' ? ['bus', 'kafka', 'brokers'] : ['bus', 'path']
    const where = bus.kind === 'kafka' ? bus.kafka.brokers.join(', ') : bus.path
    const why = error instanceof Error ? error.message : String(error)
    return [
      places.ofConfig(at, {
        severity: 'error',
        code: 'bus-unreachable',
        message: `the bus (${bus.kind}, ${where}) cannot be reached: ${why}`,
        hint: 'topics were not looked at',
      }),
    ]
  }
}

async function lookAtStore(parts: OnlineParts): Promise<readonly Problem[]> {
  const { config, reach, clock, places } = parts
  const problem = (why: string): readonly Problem[] => [
    places.ofConfig(storePlaceOf(config), {
      severity: 'error',
      code: 'store-unreachable',
      message: `the store (${storeNameOf(config)}) does not answer as it should: ${why}`,
      hint: 'a daemon would start all the same, and `on_outage` of each rule decide',
    }),
  ]
  try {
    const state = await within(lookMsMax, reach.askStore(), clock)
    return state.kind === 'ok' ? [] : problem(`${state.trouble}, ${state.error}`)
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error))
  }
}

/** What in the config says where the store is. */
function storePlaceOf({ store }: Config): At {
  if (store.kind === 'embedded') return ['bus', 'path']
  const key = { standalone: 'url', sentinel: 'sentinels', cluster: 'cluster' }
  return ['store', 'redis', key[store.redis.server.kind]]
}

function storeNameOf({ store, bus }: Config): string {
  if (store.kind === 'embedded') return `embedded, ${bus.path}`
  const { server } = store.redis
  if (server.kind === 'standalone') return `redis, ${server.url}`
  const hosts = server.kind === 'cluster' ? server.nodes : server.sentinels
  return `redis ${server.kind}, ${hosts.map(({ host, port }) => `${host}:${port}`).join(', ')}`
}

/** Rejects after `ms`; what comes later is nobody's any more. */
function within<T>(ms: number, work: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => reject(new Error(`no answer within ${ms / 1_000} s`)))
    work.finally(cancel).then(resolve, reject)
  })
}

async function lookAtTargets(parts: OnlineParts): Promise<readonly Problem[]> {
  const { rules, reach, clock } = parts
  const callers = [...callersByOrigin(rules)]
  const endMs = clock.monotonic() + allMsMax
  const problems: Problem[] = []
  const work = async (): Promise<void> => {
    for (let next = callers.shift(); next !== undefined; next = callers.shift()) {
      const [origin, ofOrigin] = next
      const leftMs = Math.min(lookMsMax, endMs - clock.monotonic())
      const failure =
        leftMs > 0 ? await reach.probe(origin, leftMs) : { kind: 'timeout' as const, afterMs: 0 }
      if (failure !== null) problems.push(targetProblem(origin, ofOrigin, failure, parts))
    }
  }
  await Promise.all(Array.from({ length: probesAtOnce }, work))
  return problems
}

/** Rules by the origins that they write out; one whose host comes from data has none. */
function callersByOrigin(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const callers = new Map<string, Rule[]>()
  for (const rule of rules) {
    for (const origin of new Set(actionsOf(rule).flatMap(({ calls }) => calls ?? []))) {
      const known = callers.get(origin)
      if (known === undefined) callers.set(origin, [rule])
      else known.push(rule)
    }
  }
  return callers
}

/** Told once for an origin, at the first rule that calls it. */
function targetProblem(
  origin: string,
  [first, ...others]: readonly Rule[],
  failure: Failure,
  { places }: OnlineParts,
): Problem {
  const also =
    ['', ' (as another rule does)'][others.length] ?? ` (as ${others.length} other rules do)`
  const calls = `\`${first?.name ?? ''}\` calls ${origin}${also}`
  const isRefusal = failure.kind === 'guard'
  return places.ofRule(first, {
    severity: 'error',
    code: isRefusal ? 'target-refused' : 'target-unreachable',
    message: isRefusal
      ? `${calls}, and may not: ${describeFailure(failure)}`
      : `${calls}, and cannot connect: ${whyNot(failure)}`,
    hint: hintFor(failure),
  })
}

function whyNot(failure: Failure): string {
  if (failure.kind !== 'timeout') return describeFailure(failure)
  return failure.afterMs === 0
    ? `the ${allMsMax / 1_000} s of this check were over before its turn`
    : `no connection within ${failure.afterMs} ms`
}

function hintFor({ kind }: Failure): string {
  switch (kind) {
    case 'guard':
      return 'http.egress, http.allow_cidrs and http.deny_cidrs of the config decide it'
    case 'dns':
      return 'is the name spelt right, and known where this runs?'
    case 'tls':
      return 'an authority of your own goes into http.ca of the config'
    case 'refused':
    case 'reset':
    case 'timeout':
    case 'status':
    case 'template':
    case 'too-large':
    case 'undecodable':
      return 'is it up, and is the port right?'
  }
}
