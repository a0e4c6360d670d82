import type { Bus } from '../../ports/bus.ts'
import { partitionName } from '../../model/record.ts'

export interface GroupTopics {
  readonly group: string
  readonly topics: readonly string[]
}

/** Whether each group has committed everything that its topics hold. */
export async function isDrained(bus: Bus, groups: readonly GroupTopics[]): Promise<boolean> {
  for (const { group, topics } of groups) {
    const offsets = await bus.admin.groupOffsets(group, topics)
    const committed = new Map(offsets.map((one) => [partitionName(one), one.offset]))
    for (const topic of topics) {
      for (const mark of await bus.admin.watermarks(topic)) {
        if ((committed.get(partitionName(mark)) ?? 0n) < mark.high) return false
      }
    }
  }
  return true
}

/** Records that a topic has had, those gone included. */
export async function recordsOf(bus: Bus, topic: string): Promise<number> {
  const marks = await bus.admin.watermarks(topic)
  return marks.reduce((sum, { high }) => sum + Number(high), 0)
}
