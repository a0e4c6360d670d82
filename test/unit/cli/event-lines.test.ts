import { expect } from 'chai'
import fc from 'fast-check'
import {
  compileKey,
  lineBytesMax,
  readEventLines,
  type EventLine,
  type KeyReader,
  type LineFault,
} from '../../../src/cli/event-lines.ts'

type Chunk = string | Uint8Array

async function linesOf(
  chunks: readonly Chunk[],
  keyOf: KeyReader | null = null,
): Promise<readonly (EventLine | LineFault)[]> {
  const input = (async function* () {
    for (const chunk of chunks) {
      await Promise.resolve()
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    }
  })()
  const lines: (EventLine | LineFault)[] = []
  for await (const line of readEventLines(input, keyOf)) lines.push(line)
  return lines
}

const textsOf = (lines: readonly (EventLine | LineFault)[]): readonly string[] =>
  lines.map((line) =>
    'message' in line ? `${line.line}:${line.column}: ${line.message}` : line.bytes.toString(),
  )

describe('events, one a line', () => {
  const cases: readonly { name: string; chunks: readonly Chunk[]; want: readonly string[] }[] = [
    { name: 'nothing', chunks: [], want: [] },
    { name: 'a last line without an end', chunks: ['1\n2'], want: ['1', '2'] },
    { name: 'ends of Windows', chunks: ['1\r\n2\r\n'], want: ['1', '2'] },
    { name: 'blank lines', chunks: ['\n1\n  \n\n2\n\n'], want: ['1', '2'] },
    { name: 'a byte order mark', chunks: ['\uFEFF{"a":1}\n'], want: ['{"a":1}'] },
    { name: 'blanks as they are', chunks: [' {"a" : 1} \n'], want: [' {"a" : 1} '] },
    { name: 'a line in pieces', chunks: ['{"a', '":', '1}\n2', '\n'], want: ['{"a":1}', '2'] },
    {
      name: 'a fault, and nothing after it',
      chunks: ['1\n\n{"a":}\n3\n'],
      want: ['1', '3:6: not JSON: expected a value'],
    },
    {
      name: 'a column in characters',
      chunks: ['{"é€":}\n'],
      want: ['1:7: not JSON: expected a value'],
    },
    {
      name: 'bytes that are no UTF-8',
      chunks: [Buffer.from('{"é": "')],
      want: ['1:8: not JSON: expected `"`: the text is not closed'],
    },
    {
      name: 'the place of a bad byte',
      chunks: [
        Buffer.concat([Buffer.from('{"é€": "'), Buffer.from([0xff, 0x41]), Buffer.from('"}')]),
      ],
      want: ['1:9: not UTF-8'],
    },
    {
      name: 'a character that the end cuts',
      chunks: [Buffer.from('"a€').subarray(0, 4)],
      want: ['1:3: not UTF-8'],
    },
  ]
  for (const { name, chunks, want } of cases) {
    it(`are read from ${name}`, async () => {
      expect(textsOf(await linesOf(chunks))).to.deep.equal(want)
    })
  }

  it('are the same however the bytes come in', async () => {
    const documents = fc.array(fc.json({ maxDepth: 2 }), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 9 }), async (texts, size) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
        const chunks = []
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
        expect(textsOf(await linesOf(chunks))).to.deep.equal(texts)
      }),
    )
  })

  for (const { name, end } of [
    { name: 'that ends', end: '"\n1\n' },
    { name: 'that never ends', end: '' },
  ]) {
    it(`stop at a line above the bound ${name}`, async () => {
      const mebibyte = Buffer.alloc(2 ** 20, 'a')
      const chunks = [
        '1\n"',
        ...Array.from({ length: lineBytesMax / mebibyte.length }, () => mebibyte),
        end,
      ]
      const want = ['1', '2:1: the line is longer than 16MiB']
      expect(textsOf(await linesOf(chunks))).to.deep.equal(want)
    })
  }
})

describe('the key of an event', () => {
  const keyOf = (path: string): KeyReader => {
    const key = compileKey(path)
    if (typeof key !== 'function') throw new Error(key.message)
    return key
  }
  const cases = [
    { path: 'id', line: '{"id":7}', want: '7' },
    { path: 'meta.id', line: '{"meta":{"id":"x"}}', want: 'x' },
    { path: 'a\\.b', line: '{"a.b":"dotted"}', want: 'dotted' },
    { path: 'id', line: '{"id":""}', want: '' },
  ]
  for (const { path, line, want } of cases) {
    it(`is ${JSON.stringify(want)} at ${path} of ${line}`, async () => {
      const [event] = await linesOf([line], keyOf(path))
      expect(event).to.include({ key: want, line: 1 })
    })
  }

  for (const line of ['{}', '{"id":null}', '{"id":true}', '{"id":{}}', '{"id":[1]}', '7']) {
    it(`must be there and be a text or a number, which it is not in ${line}`, async () => {
      expect(textsOf(await linesOf([line], keyOf('id')))).to.deep.equal([
        '1:1: the event has no text or number where its key should be',
      ])
    })
  }

  for (const path of ['', 'a..b', '@key', 'a\\b']) {
    it(`is not found by ${JSON.stringify(path)}, which is no path of an event`, () => {
      expect(compileKey(path)).to.have.property('message')
    })
  }
})
