import { freePorts } from './free-ports.ts'
import type { RedisOptions, RedisServer } from './redis.ts'
import { readyOrClosed, startRedis, until } from './redis.ts'

/*
 * A cluster of three primaries, each with a third of the slots in the order of `nodes`. It is put
 * together by the commands that `redis-cli --cluster create` sends, because that waits by the second
 * and takes no ports but those 10,000 above the servers' own.
 */

const primaryCount = 3
const slotCount = 16_384

/** How long a node may be silent until it counts as down, and its replica takes over. */
const nodeTimeoutMs = 2_000

export interface RedisCluster {
  /** The primaries, and behind them their replicas in the same order. */
  readonly nodes: readonly RedisServer[]
  close(): Promise<void>
}

export interface ClusterOptions extends Pick<
  RedisOptions,
  'password' | 'users' | 'isPersistent' | 'settings'
> {
  /** One for each primary. Without them the loss of a node is the loss of the cluster. */
  readonly hasReplicas?: boolean
}

/** Starts it. It is ready when every node has every other one in view and says that all is well. */
export async function startCluster({
  hasReplicas = false,
  ...options
}: ClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()))
  }
  return readyOrClosed({ nodes, close }, async () => {
    const busPorts = await freePorts(hasReplicas ? 2 * primaryCount : primaryCount)
    for (const busPort of busPorts) {
      const settings = [...nodeSettings(busPort), ...(options.settings ?? [])]
      nodes.push(await startRedis({ ...options, settings }))
    }
    const primaries = nodes.slice(0, primaryCount)
    await Promise.all(primaries.map(takeSlots))
    await meet(nodes, busPorts)
    const replicas = nodes.slice(primaryCount)
    await Promise.all(replicas.map((node, at) => replicate(node, primaries[at])))
    await until('the cluster is well', async () =>
      (await Promise.all(nodes.map((node) => isWell(node, nodes.length)))).every(Boolean),
    )
  })
}

function nodeSettings(busPort: number): readonly string[] {
  return [
    'cluster-enabled yes',
    `cluster-port ${busPort}`,
    `cluster-node-timeout ${nodeTimeoutMs}`,
    'cluster-replica-validity-factor 0', // a replica takes over however old its copy is
  ]
}

async function takeSlots(node: RedisServer, at: number): Promise<void> {
  const first = Math.floor((at * slotCount) / primaryCount)
  const last = Math.floor(((at + 1) * slotCount) / primaryCount) - 1
  await node.cli(['CLUSTER', 'ADDSLOTSRANGE', String(first), String(last)])
  // Nodes of one epoch settle by themselves who has a new one, which takes its time.
  await node.cli(['CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1)])
}

async function meet(nodes: readonly RedisServer[], busPorts: readonly number[]): Promise<void> {
  for (const [at, { host, port }] of nodes.entries()) {
    const address = [host, String(port), String(busPorts[at])]
    if (at > 0) await nodes[0]?.cli(['CLUSTER', 'MEET', ...address])
  }
  await until('the nodes know each other', async () => {
    const views = await Promise.all(nodes.map((node) => node.cli(['CLUSTER', 'INFO'])))
    return views.every((view) => knows(view, nodes.length))
  })
}

async function replicate(node: RedisServer, primary: RedisServer | undefined): Promise<void> {
  const id = await primary?.cli(['CLUSTER', 'MYID'])
  if (id === undefined) throw new Error('a replica without a primary')
  await node.cli(['CLUSTER', 'REPLICATE', id])
}

async function isWell(node: RedisServer, nodeCount: number): Promise<boolean> {
  const view = await node.cli(['CLUSTER', 'INFO'])
  const replicas = (await node.cli(['CLUSTER', 'NODES'])).match(/ (myself,)?slave /g) ?? []
  const role = await node.cli(['INFO', 'replication'])
  return (
    knows(view, nodeCount) &&
    /cluster_state:ok\s/.test(view) &&
    view.includes(`cluster_slots_ok:${slotCount}`) &&
    replicas.length === nodeCount - primaryCount &&
    !role.includes('master_link_status:down')
  )
}

function knows(view: string, nodeCount: number): boolean {
  return new RegExp(`cluster_known_nodes:${nodeCount}\\s`).test(view)
}
