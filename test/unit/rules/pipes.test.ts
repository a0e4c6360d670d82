import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { compilePipe, PipeFailure, pipedLengthMax, pipeTable } from '../../../src/rules/pipes.ts'
import { parseTemplate } from '../../../src/rules/template-parse.ts'
import { exampleLists, exampleSecrets } from '../../support/template-fixture.ts'

const context = { lists: exampleLists, secrets: exampleSecrets }

/** The pipe as written: `slice: 0, 4`. */
function compiled(pipe: string) {
  const nodes = parseTemplate(`{{event.x | ${pipe}}}`, (message) => expect.fail(message))
  const [tag] = nodes ?? []
  const call = tag?.kind === 'tag' ? tag.pipes[0] : undefined
  if (call === undefined) return expect.fail(`${pipe} did not parse`)
  return compilePipe(call.name, call.args, context)
}

function run(pipe: string, value: Json): Json | undefined {
  const made = compiled(pipe)
  if (typeof made !== 'function') return expect.fail(made.message)
  return made(value)
}

describe('the table of pipes', () => {
  it('names every pipe of the language once', () => {
    expect(pipeTable.map(({ name }) => name)).to.have.members(
      (
        'json uri path raw decode_uri lower upper trim default join first last replace slice ' +
        'http_date iso_date unix add sha256 hmac base64 lookup'
      ).split(' '),
    )
  })

  for (const { name, example, description } of pipeTable) {
    it(`shows an example of ${name} that is true`, () => {
      expect(run(example.pipe, example.from)).to.deep.equal(example.gives)
      expect(description).to.match(/\.$/)
    })
  }
})

describe('a pipe gives', () => {
  const cases: { pipe: string; from: Json; gives: Json | undefined }[] = [
    { pipe: 'json', from: 'a"b', gives: '"a\\"b"' },
    { pipe: 'json', from: [1, null], gives: '[1,null]' },
    { pipe: 'uri', from: 7, gives: '7' },
    { pipe: 'uri', from: 'é/?#&=%', gives: '%C3%A9%2F%3F%23%26%3D%25' },
    { pipe: 'path', from: '/a/é', gives: '/a/%C3%A9' },
    { pipe: 'decode_uri', from: 'C%2B%2B', gives: 'C++' },
    { pipe: 'decode_uri', from: 'plain', gives: 'plain' },
    { pipe: 'uri: ":,"', from: 'a:b,c/d;e', gives: 'a:b,c%2Fd%3Be' },
    { pipe: 'uri: ""', from: 'a:b', gives: 'a%3Ab' },
    { pipe: 'path: ":,@;$"', from: 'Talk:A/b, c@d;e$f&g', gives: 'Talk:A/b,%20c@d;e$f%26g' },
    { pipe: 'path: "&+="', from: '%26&+=?#', gives: '%2526&+=%3F%23' },
    { pipe: 'lower', from: 'İstanbul', gives: 'i̇stanbul' },
    { pipe: 'upper', from: true, gives: 'TRUE' },
    { pipe: 'trim', from: '\t\n', gives: '' },
    { pipe: 'default: "x"', from: '', gives: '' },
    { pipe: 'default: 0', from: null, gives: 0 },
    { pipe: 'default: null', from: null, gives: null },
    { pipe: "default: 'single'", from: null, gives: 'single' },
    { pipe: 'default: "a \\"b\\" | c, d"', from: null, gives: 'a "b" | c, d' },
    { pipe: 'join', from: ['a', 1, true], gives: 'a,1,true' },
    { pipe: 'join: ""', from: [], gives: '' },
    { pipe: 'first', from: [], gives: undefined },
    { pipe: 'last', from: [{ id: 1 }], gives: { id: 1 } },
    { pipe: 'replace: ".", ""', from: 'a.b.c', gives: 'abc' },
    { pipe: 'replace: "a", "$&$1"', from: 'a', gives: '$&$1' },
    { pipe: 'slice: -3', from: 'abcdef', gives: 'def' },
    { pipe: 'slice: 1, 2', from: [1, 2, 3], gives: [2] },
    { pipe: 'slice: 0, 1', from: '😀😀', gives: '😀' },
    { pipe: 'http_date', from: 0, gives: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { pipe: 'iso_date', from: '2026-11-24T13:00:00+01:00', gives: '2026-11-24T12:00:00.000Z' },
    { pipe: 'iso_date', from: '2026-11-24 12:00:00.5z', gives: '2026-11-24T12:00:00.500Z' },
    { pipe: 'unix', from: -1, gives: -1 },
    { pipe: 'unix', from: 1_999, gives: 1 },
    { pipe: 'add: -1.5', from: 1, gives: -0.5 },
    { pipe: 'base64', from: 'é', gives: 'w6k=' },
    { pipe: 'lookup: "example-map"', from: 'ranks', gives: 7 },
    { pipe: 'lookup: example-map', from: 'dewiki', gives: undefined },
    { pipe: 'lookup: example-map', from: 'constructor', gives: undefined },
  ]
  for (const { pipe, from, gives } of cases) {
    it(`${JSON.stringify(gives) ?? 'nothing'} for ${JSON.stringify(from)} | ${pipe}`, () => {
      expect(run(pipe, from)).to.deep.equal(gives)
    })
  }
})

describe('a pipe fails on', () => {
  const cases: { pipe: string; from: Json; message: RegExp }[] = [
    { pipe: 'uri', from: 'a\ud800', message: /half of a character/ },
    { pipe: 'uri', from: {}, message: /is an object/ },
    { pipe: 'path: ":"', from: 'a\ud800', message: /half of a character/ },
    { pipe: 'sha256', from: '\udc00', message: /half of a character/ },
    { pipe: 'hmac: example-key', from: '\udc00', message: /half of a character/ },
    { pipe: 'base64', from: 'x\ud83d', message: /half of a character/ },
    { pipe: 'lower', from: [], message: /is an array/ },
    { pipe: 'decode_uri', from: '%', message: /not percent-encoded/ },
    { pipe: 'decode_uri', from: '%ff', message: /not percent-encoded/ },
    { pipe: 'join', from: 'a', message: /not an array/ },
    { pipe: 'join', from: ['a', null], message: /is null/ },
    { pipe: 'join', from: [[1]], message: /is an array/ },
    { pipe: 'first', from: {}, message: /not an array/ },
    { pipe: 'last', from: 'ab', message: /not an array/ },
    { pipe: 'unix', from: 'yesterday', message: /not a time/ },
    { pipe: 'unix', from: '2026-02-30T00:00:00Z', message: /not a time/ },
    { pipe: 'unix', from: '2026-11-24', message: /not a time/ },
    { pipe: 'unix', from: '2026-11-24T12:00:00', message: /not a time/ },
    { pipe: 'http_date', from: 1e300, message: /not a time/ },
    { pipe: 'http_date', from: true, message: /not a time/ },
    { pipe: 'add: 1', from: '1', message: /not a number/ },
    { pipe: 'add: 1', from: false, message: /not a number/ },
    { pipe: 'sha256', from: {}, message: /is an object/ },
    { pipe: 'lookup: example-map', from: [], message: /is an array/ },
  ]
  for (const { pipe, from, message } of cases) {
    it(`${JSON.stringify(from)} | ${pipe}`, () => {
      expect(() => run(pipe, from)).to.throw(PipeFailure, message)
    })
  }
})

describe('a pipe is refused at load for', () => {
  const cases = [
    ['lwer', 'template-pipe', /no pipe `lwer`/],
    ['lower: 1', 'template-pipe', /no arguments/],
    ['uri: 1', 'template-pipe', /one text/],
    ['uri: "/"', 'template-pipe', /cannot keep "\/" in a path/],
    ['path: ":", ","', 'template-pipe', /one text/],
    ['path: ":?"', 'template-pipe', /cannot keep "\?" in a path/],
    ['path: "%"', 'template-pipe', /cannot keep "%" in a path/],
    ['path: "é"', 'template-pipe', /cannot keep "é" in a path/],
    ['default', 'template-pipe', /takes one/],
    ['default: bare', 'template-pipe', /in quotes/],
    ['default: 1, 2', 'template-pipe', /takes one/],
    ['join: 1', 'template-pipe', /one text/],
    ['join: "a", "b"', 'template-pipe', /one text/],
    ['replace: "a"', 'template-pipe', /two texts/],
    ['replace: "", "x"', 'template-pipe', /not empty/],
    ['replace: "a", "b", "c"', 'template-pipe', /two texts/],
    ['slice', 'template-pipe', /whole numbers/],
    ['slice: 1.5', 'template-pipe', /whole numbers/],
    ['slice: 1, 2, 3', 'template-pipe', /whole numbers/],
    ['add', 'template-pipe', /one number/],
    ['add: "1"', 'template-pipe', /one number/],
    ['hmac', 'template-pipe', /one secret/],
    ['hmac: exmple-key', 'unknown-secret', /no secret `exmple-key`/],
    ['hmac: "S3cr3t!pw"', 'unknown-secret', /^what `hmac` holds is not the name of a secret$/],
    ['lookup: example-mop', 'unknown-list', /no list `example-mop`/],
    ['lookup: example-list', 'template-pipe', /not a map/],
    ['lookup', 'template-pipe', /one list/],
  ] as const
  for (const [pipe, code, message] of cases) {
    it(pipe, () => {
      const problem = compiled(pipe)
      if (typeof problem === 'function') return expect.fail('it was taken')
      expect(problem.code).to.equal(code)
      expect(problem.message).to.match(message)
    })
  }

  it('a slip, with what was meant', () => {
    expect(compiled('lwer')).to.have.property('hint', 'did you mean `lower`?')
    expect(compiled('hmac: exmple-key')).to.have.property('hint', 'did you mean `example-key`?')
  })
})

describe('pipes', () => {
  it('do not check the names of secrets where no config is known', () => {
    const pipe = compilePipe('hmac', [{ value: 'any', bare: true }], { ...context, secrets: null })
    expect(pipe).to.be.a('function')
  })

  it('stop before they make a text above the bound', () => {
    const long = 'a'.repeat(pipedLengthMax)
    expect(() => run('replace: "a", "bb"', long))
      .to.throw(PipeFailure, /longer/)
      .with.property('kind', 'too-large')
    expect(() => run('json', long)).to.throw(PipeFailure, /longer/)
    expect(() => run('join: "--"', Array<Json>(pipedLengthMax).fill(''))).to.throw(PipeFailure)
  })

  it('never throw anything but PipeFailure, whatever the value', () => {
    const calls = pipeTable.map(({ example }) => compiled(example.pipe))
    const pipes = calls.filter((call) => typeof call === 'function')
    expect(pipes).to.have.length(pipeTable.length)
    fc.assert(
      fc.property(fc.constantFrom(...pipes), fc.jsonValue(), (pipe, value) => {
        try {
          pipe(value as Json) // as: fast-check types JSON with undefined in objects, and makes none
        } catch (error) {
          expect(error).to.be.instanceOf(PipeFailure)
        }
      }),
    )
  })
})
