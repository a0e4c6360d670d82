import { readFile } from 'node:fs/promises'
import { systemClock } from '../../drivers/system-clock.ts'
import type { Bus } from '../../ports/bus.ts'

/** Where the edits are played to: the topic of Wikimedia's own stream. */
export const demoTopic = 'mediawiki.recentchange'

/** The recorded edits, a JSON text each (recording/README.md). */
export async function recordedEdits(): Promise<readonly string[]> {
  const file = new URL('recording/recentchange-enwiki-2023-07-29.ndjson', import.meta.url)
  return (await readFile(file, 'utf8')).trimEnd().split('\n')
}

/** Puts the edits on the bus, `perSecond` of them, until all are there or the signal is given. */
export async function play(
  edits: readonly string[],
  bus: Bus,
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  for (const edit of edits) {
    await bus.produce([{ topic: demoTopic, key: null, value: Buffer.from(edit), headers: [] }])
    try {
      await systemClock.sleep(1_000 / perSecond, signal)
    } catch {
      return // the signal: the only thing that a sleep rejects with
    }
  }
}
