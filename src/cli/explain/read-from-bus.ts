import type { Config } from '../../config/config.ts'
import type { BusRecord } from '../../model/record.ts'
import type { Bus } from '../../ports/bus.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Complaint } from '../complain.ts'
import { complaintOfBus } from '../emit-sink.ts'
import { exitCode } from '../exit-code.ts'
import type { ProgramDeps } from '../program-deps.ts'

/** Where a record stands. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** Reads one record of the bus that the config names, or says why there is none. Never rejects. */
export async function readFromBus(
  { topic, partition, offset }: RecordPlace,
  config: Config,
  deps: Pick<ProgramDeps, 'openBus'>,
): Promise<BusRecord | Complaint> {
  let bus: Bus | null = null
  try {
    bus = await deps.openBus(config)
    const of = (await bus.admin.watermarks(topic)).find((one) => one.partition === partition)
    if (of === undefined) return notThere({ topic, partition, offset }, null)
    const range = { topic, partition, from: offset, to: offset + 1n }
    for await (const records of bus.readRange(range)) {
      const record = records.find((one) => one.offset === offset)
      if (record !== undefined) return record
    }
    return notThere({ topic, partition, offset }, of)
  } catch (error) {
    if (!(error instanceof PortError)) throw error
    if (error.code === 'unknown-topic') return await complaintOfBus(error, topic, bus)
    return {
      exitCode: exitCode.unreachable,
      message: `the bus cannot be read: ${error.message}`,
      hint: 'look at `bus` of the config: is it the right one, and does it run?',
    }
  } finally {
    await bus?.close()
  }
}

function notThere(
  { topic, partition, offset }: RecordPlace,
  of: { readonly low: bigint; readonly high: bigint } | null,
): Complaint {
  return {
    exitCode: exitCode.usage,
    message: `${topic} has no record at ${partition}:${offset}`,
    hint: of === null ? 'it has no such partition; they are counted from 0' : rangeText(of),
  }
}

function rangeText({ low, high }: { readonly low: bigint; readonly high: bigint }): string {
  if (low === high) return 'that partition is empty'
  return `that partition holds ${low} to ${high - 1n}; what is missing in between was compacted away`
}
