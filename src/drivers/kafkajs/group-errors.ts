import { kafkaErrorType } from './errors.ts'

/** What an answer of the group's coordinator means for a member. */
export type GroupTrouble =
  /** Join again; the partitions are ours until then. */
  | 'rebalancing'
  /** Join again under the same id: the group is a generation ahead. */
  | 'left-behind'
  /** Join again as a new member. */
  | 'forgotten'
  /** Ask who the coordinator is now, and ask that one. */
  | 'moved'
  /** None of these. */
  | 'other'

const meanings: Readonly<Record<string, GroupTrouble>> = {
  REBALANCE_IN_PROGRESS: 'rebalancing',
  ILLEGAL_GENERATION: 'left-behind',
  UNKNOWN_MEMBER_ID: 'forgotten',
  NOT_COORDINATOR_FOR_GROUP: 'moved',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'moved',
  GROUP_LOAD_IN_PROGRESS: 'moved',
}

export function groupTroubleOf(error: unknown): GroupTrouble {
  return meanings[kafkaErrorType(error) ?? ''] ?? 'other'
}
