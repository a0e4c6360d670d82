import type { PartHealth } from '../admin/source.ts'
import type { Lane } from '../engine/lane.ts'
import type { ConsumerState } from '../ports/bus.ts'

/**
 * How long a lane may not come round before it counts as hung. A turn waits for one commit, which
 * has a deadline of its own well below this.
 */
const hungMs = 60_000

/** Whether each lane gets on. A bus that is away does not stop one: it tries again, turn by turn. */
export function livenessOf(lanes: readonly Lane[]): readonly PartHealth[] {
  return lanes.map((lane) => {
    const isHung = lane.turnedAgoMs > hungMs
    const detail = isHung
      ? `has not come round for ${Math.round(lane.turnedAgoMs / 1_000)} s`
      : 'comes round'
    return { name: `lane ${lane.name}`, ok: !isHung, detail }
  })
}

/** Whether each lane is in its group, reads, and gets its commits through. */
export function readinessOf(lanes: readonly Lane[]): readonly PartHealth[] {
  return lanes.map((lane) => {
    const name = `lane ${lane.name}`
    if (lane.isStopping) return { name, ok: false, detail: 'stops' }
    if (lane.commitError !== null) {
      return { name, ok: false, detail: `its commits fail: ${lane.commitError}` }
    }
    if (lane.topics.length === 0) return { name, ok: true, detail: 'has no topic to read' }
    return { name, ok: lane.state.kind === 'ready', detail: detailOf(lane, lane.state) }
  })
}

function detailOf(lane: Lane, state: ConsumerState): string {
  switch (state.kind) {
    case 'joining':
      return `joins the group ${lane.group}`
    case 'unreachable':
      return `the bus is out of reach: ${state.error.message}`
    case 'ready':
    case 'topic-missing':
    case 'skipped':
      return `reads ${lane.positions().length} partitions as ${lane.group}`
  }
}
