import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isServiceHere } from '../services/availability.ts'
import { seedOfRun } from '../support/seed.ts'

/** Chosen for having most kinds of faults early. */
const fixedSeed = 1

const redisStore = isServiceHere('redis') ? 'redis' : 'embedded'
const fresh = seedOfRun()

interface Row {
  readonly name: string
  readonly args: readonly string[]
}

/*
 * A minute of faults each: once as always, so that what breaks it is a change of ours, and once as
 * never before. Longer ones: `npm run faults -- --minutes 30`.
 */
const rows: readonly Row[] = [
  {
    name: 'on the embedded bus, always the same',
    args: ['--seed', String(fixedSeed), '--store', redisStore],
  },
  {
    name: 'on the embedded bus and store, as never before',
    args: ['--seed', String(fresh), '--store', 'embedded', '--daemons', '3'],
  },
  ...(isServiceHere('kafka')
    ? [
        {
          name: 'on Kafka, as never before',
          args: ['--seed', String(fresh), '--bus', 'kafka', '--store', redisStore],
        },
      ]
    : []),
]

describe('a minute of faults', function () {
  // What drains may take a while, and a broker that starts on a busy machine as well.
  this.timeout(360_000)

  for (const { name, args } of rows) {
    it(`${name}, and every promise is kept`, async () => {
      const program = fileURLToPath(new URL('faults.ts', import.meta.url))
      const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
      const [code] = (await once(child, 'close')) as [number | null] // as: node's types say any
      console.log(text.replaceAll(/^/gm, '      '))
      expect(code, text).to.equal(0)
    })
  }
})
