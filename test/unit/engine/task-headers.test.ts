import { expect } from 'chai'
import fc from 'fast-check'
import { headersOfTask, readStoredTask } from '../../../src/engine/task-headers.ts'
import type { TaskStory } from '../../../src/engine/task-headers.ts'
import type { Json } from '../../../src/model/json.ts'
import type { Headers } from '../../../src/model/record.ts'
import { headerText } from '../../../src/model/record.ts'
import type { Task } from '../../../src/model/task.ts'
import { newTask } from '../../../src/model/task.ts'
import { anEvent, aRecord } from '../../support/builders.ts'

const story: TaskStory = {
  windowDueMs: null,
  ruleVersion: 'abcdef012345',
  reason: 'status',
  status: 503,
  error: 'the target answered 503',
  request: 'POST http://a/',
  dueMs: 1_000,
  exhausted: null,
  counted: 'process-1',
}

const someHeaders: fc.Arbitrary<Headers> = fc.array(
  fc.tuple<[string, Buffer | null]>(
    fc.string({ minLength: 1 }).filter((name) => !name.startsWith('sluice-')),
    fc.option(fc.uint8Array().map((part): Buffer => Buffer.from(part))),
  ),
)

const bytes = fc.option(fc.uint8Array().map((part) => Buffer.from(part)))

/** As JSON keeps it: without -0, and without fields that are undefined. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json // as: what JSON.parse gives
}

describe('a task in a retry topic', () => {
  it('comes back with the same event, attempt, progress and times, whatever the record held', () => {
    fc.assert(
      fc.property(
        fc.record({
          key: bytes,
          value: bytes,
          headers: someHeaders,
          offset: fc.bigInt({ min: 0n, max: 1n << 62n }),
          timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
        }),
        fc.integer({ min: 1, max: 100 }),
        fc.record({
          way: fc.nat(20),
          step: fc.nat(20),
          item: fc.nat(1_000),
          results: fc.dictionary(fc.string(), fc.jsonValue().map(asJson)),
          place: fc.option(fc.constant('0123456789ab')),
        }),
        (record, attempt, progress) => {
          const event = anEvent({}, { topic: 'a.b_c-d', partition: 3, ...record })
          const task: Task = {
            ...newTask('purge', event, 0),
            ...progress,
            attempt,
            firstFailedMs: 77,
          }
          const stored = aRecord({
            topic: 'sluice.retry.10s',
            offset: 9n,
            key: record.key,
            value: record.value ?? Buffer.alloc(0),
            headers: headersOfTask(task, story),
          })
          const back = readStoredTask(stored)
          expect(back).to.deep.include({ rule: 'purge', attempt, dueMs: 1_000 })
          expect(back?.progress).to.deep.equal(progress)
          expect(back?.firstFailedMs).to.equal(77)
          expect(back?.counted).to.equal('process-1')
          const { key, value, offset, timestampMs } = record
          expect(back?.record).to.deep.include({ key, value, offset, timestampMs })
          expect(back?.record).to.deep.include({ topic: 'a.b_c-d', partition: 3 })
          expect(withoutLineage(back?.record.headers ?? [])).to.deep.equal(record.headers)
        },
      ),
    )
  })

  it('carries our headers once, however often it went round', () => {
    let event = anEvent({}, { headers: [['x', Buffer.from('1')]] })
    for (let attempt = 2; attempt < 6; attempt++) {
      const headers = headersOfTask({ ...newTask('purge', event, 0), attempt }, story)
      const names = headers.map(([name]) => name)
      expect(names).to.deep.equal([...new Set(names)])
      expect(headerText(headers, 'sluice-attempt')).to.equal(String(attempt))
      event = anEvent({}, { headers })
    }
  })

  it('keeps the lineage that the event came with', () => {
    const headers: Headers = [
      ['sluice-root', Buffer.from('first/0/1')],
      ['sluice-hops', Buffer.from('2')],
    ]
    const made = headersOfTask(newTask('purge', anEvent({}, { headers }), 0), story)
    expect(made.filter(([name]) => name === 'sluice-root')).to.have.length(1)
    expect(headerText(made, 'sluice-root')).to.equal('first/0/1')
    expect(headerText(made, 'sluice-hops')).to.equal('2')
  })

  const broken: [string, string | null][] = [
    ['sluice-rule', null],
    ['sluice-origin', 'nowhere'],
    ['sluice-origin', null],
    ['sluice-attempt', '0'],
    ['sluice-attempt', 'many'],
    ['sluice-step', '-1'],
    ['sluice-way', 'one'],
    ['sluice-item', '1.5'],
    ['sluice-results', '{"page":'],
    ['sluice-results', '[]'],
    ['sluice-results', `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`], // cannot be written again
    ['sluice-due', 'soon'],
    ['sluice-timestamp', null],
  ]
  for (const [name, text] of broken) {
    it(`is not one when ${name} is ${text?.slice(0, 20) ?? 'missing'}`, () => {
      const headers = headersOfTask(newTask('purge', anEvent(), 0), story)
        .filter(([other]) => other !== name)
        .concat(text === null ? [] : [[name, Buffer.from(text)]])
      expect(readStoredTask(aRecord({ headers }))).to.equal(null)
    })
  }
})

function withoutLineage(headers: Headers): Headers {
  const ours = ['sluice-root', 'sluice-root-time', 'sluice-hops', 'traceparent']
  return headers.filter(([name]) => !ours.includes(name))
}
