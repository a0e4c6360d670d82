import { openIn } from './embedded-fixture.ts'

/**
 * Produces into topic argv[3] of the log in the folder argv[2] for ever, eight calls at a time, and
 * tells its parent of each call that was acknowledged. Made to be killed; see embedded-bus.test.ts.
 */

export interface Acknowledged {
  /** Of each record: where it went and what it says. */
  readonly placed: readonly {
    readonly partition: number
    readonly offset: string
    readonly text: string
  }[]
}

const [, , path = '', topic = '', life = ''] = process.argv
const bus = await openIn(path)
let calls = 0

async function produceForEver(): Promise<never> {
  for (;;) {
    const call = ++calls
    const texts = Array.from({ length: 1 + (call % 20) }, (_, i) => `${life}/${call}/${i}`)
    const placed = await bus.produce(
      texts.map((text, i) => ({
        topic,
        partition: (call + i) % 3,
        key: Buffer.from(text),
        value: Buffer.from(`${text} ${'.'.repeat((call * 37) % 3_000)}`),
        headers: [['sluice-test', Buffer.from(life)]],
      })),
    )
    const told: Acknowledged = {
      placed: placed.map(({ partition, offset }, i) => ({
        partition,
        offset: String(offset),
        text: texts[i] ?? '',
      })),
    }
    process.send?.(told)
  }
}

await Promise.all(Array.from({ length: 8 }, produceForEver))
