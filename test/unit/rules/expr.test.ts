import { expect } from 'chai'
import fc from 'fast-check'
import { Environment } from '@marcbachmann/cel-js'
import type { Event } from '../../../src/model/event.ts'
import type { Json } from '../../../src/model/json.ts'
import type { BusRecord } from '../../../src/model/record.ts'
import { compileExpr, type CompiledExpr } from '../../../src/rules/expr.ts'
import { stepsMax } from '../../../src/rules/expr/values.ts'

function compiled(source: string, from?: 'event' | 'element'): CompiledExpr {
  const result = compileExpr(source, from)
  if (!result.ok) throw new Error(`${source}: ${result.message}`)
  return result.expr
}

function eventOf(body: Json, record: Partial<BusRecord> = {}): Event {
  const full: BusRecord = {
    topic: 'edits',
    partition: 3,
    offset: 9_007_199_254_740_993n,
    key: Buffer.from('enwiki:7'),
    value: null,
    headers: [
      ['kind', Buffer.from('old')],
      ['kind', Buffer.from('new')],
      ['gone', Buffer.from('x')],
      ['gone', null],
      ['__proto__', Buffer.from('own')],
    ],
    timestampMs: 1_700_000_000_123,
    ...record,
  }
  // as: an expression reads body and record only
  return { id: 'edits/3/1', record: full, body } as Event
}

const edit: Json = {
  n: 1,
  half: 0.5,
  big: 9_007_199_254_740_991,
  title: 'Main page',
  empty: '',
  bot: false,
  nothing: null,
  list: [{ id: 1, tags: ['a'] }, { id: 2 }, { id: 'x' }],
  tags: ['minor', 'bot', 3, null],
  numbers: [1, 2, 3],
  nested: { deep: { er: true } },
  same: { deep: { er: true } },
  dt: '2023-11-14T22:13:20Z',
  emoji: 'a\u{1f600}',
}

describe('an expression holds', () => {
  const cases: [source: string, want: boolean | RegExp][] = [
    ['event.n == 1', true],
    ['event.n == 1.0', true],
    ['1 == event.n', true],
    ['event.n != 2', true],
    ['event.n == "1"', false],
    ['event.n > 1', false],
    ['event.n >= 1 && event.n < 1.5', true],
    ['event.n + 1 > 2', false],
    ['event.n + 1 == 2', true],
    ['1 + event.n == 2.0', true],
    ['event.half * 2 == event.n', true],
    ['event.n / 2 == 0.5', true],
    ['7 / 2 == 3', true],
    ['event.big % 2 == 1', true],
    ['event.half % 2 == 1', /whole numbers/],
    ['-event.n == -1', true],
    ['9223372036854775807 + 1 > 0', /beyond 64 bits/],
    ['1 / (event.bot ? 1 : 0) == 1', /division by zero/],
    ['event.n / 0 > 1.0', true],
    ['size(event.list) == 3', true],
    ['event.list.size() > 3', false],
    ['size(event.emoji) == 2', true],
    ['size(event.nested) == event.n', true],
    ['size(event.n) == 1', /`size` found a number/],
    ['event.title in ["a", "Main page"]', true],
    ['event.title in ["a"]', false],
    ['event.n in [1, 2]', true],
    ['event.n in ["1", 2.5, null]', false],
    ['"bot" in event.tags', true],
    ['3 in event.tags && null in event.tags', true],
    ['"deep" in event.nested', true],
    ['"toString" in event.nested', false],
    ['"a" in event.title', /`in` says nothing about a text and a text/],
    ['has(event.title)', true],
    ['has(event.nothing)', true],
    ['has(event.x)', false],
    ['has(event.x.y)', false],
    ['has(event.title.y)', false],
    ['has(event.nested.deep.er)', true],
    ['has(event.constructor) || has(event.__proto__x) || has(event.list.length)', false],
    ['event.list.exists(x, x.id == 1)', true],
    ['event.list.exists(x, x.id == 7)', false],
    ['event.list.exists(x, "a" in x.tags)', true],
    ['event.list.exists(x, "b" in x.tags)', /no field `tags`/],
    ['event.numbers.all(x, x > 0)', true],
    ['event.list.all(x, x.id > 1)', false],
    ['event.numbers.exists_one(x, x == 2)', true],
    ['event.numbers.filter(x, x > 1).size() == 2', true],
    ['event.numbers.filter(x, x > 1) == [2, 3]', true],
    ['event.numbers.map(x, x * 2) == [2, 4, 6]', true],
    ['event.numbers.map(x, x > 1, x * 2) == [4, 6]', true],
    ['event.nested.exists(key, key == "deep")', true],
    ['event.numbers.exists(x, event.numbers.exists(y, x + y == 6))', true],
    ['event.numbers.exists(x, event.numbers.exists(x, x == 3) && x == 1)', true],
    ['event.title.exists(x, x == "M")', /not a list/],
    ['event.nested == event.same', true],
    ['event.nested == event.list', false],
    ['event.tags == ["minor", "bot", 3, null]', true],
    ['event.list[0].id == 1', true],
    ['event.list[event.n].id == 2', true],
    ['event.list[9].id == 2', /has no element 9/],
    ['event["title"] == "Main page"', true],
    ['{"enwiki": 1, "dewiki": 2}["dewiki"] == 2', true],
    ['event.tags[3] == null', true],
    ['event.title.startsWith("Main") && event.title.endsWith("page")', true],
    ['event.title.contains("n p")', true],
    ['event.title.lowerAscii() == "main page"', true],
    ['event.title.upperAscii() == "MAIN PAGE"', true],
    ['event.n.startsWith("1")', /`startsWith` found a number, "1"/],
    ['event.title.matches("^M.*e$")', true],
    ['event.title.matches("ain")', true],
    ['event.title.matches("^(?:[a-z]+)+$")', false],
    ['event.title + "!" == "Main page!"', true],
    ['event.title + 1 == "x"', /`\+` says nothing about a text and a number/],
    ['event.title < "N"', true],
    ['event.title < 1', /`<` says nothing about a text and a number/],
    ['string(event.n) == "1" && string(event.bot) == "false"', true],
    ['int(event.half) == 0 && int("12") == 12', true],
    ['int("1e3") == 1000', /`int` found a text, "1e3"/],
    ['double("0.5") == event.half', true],
    ['timestamp(event.dt) == timestamp(1700000000)', true],
    ['timestamp(record.timestamp / 1000) - timestamp(event.dt) < duration("1m30s")', true],
    ['timestamp(event.dt) + duration("1h") > timestamp(event.dt)', true],
    ['timestamp(event.title) > timestamp(0)', /`timestamp` found a text/],
    ['duration("1x") > duration("1s")', /`duration` found a text/],
    ['record.topic == "edits" && record.partition == 3', true],
    ['record.offset == 9007199254740993', true],
    ['record.offset == 9007199254740992', false],
    ['record.key == "enwiki:7"', true],
    ['record.timestamp > 1699999999999', true],
    ['record.headers["kind"] == "new"', true],
    ['has(record.headers.gone)', false],
    ['record.headers["__proto__"] == "own"', true],
    ['event.x == 1', /no field `x`/],
    ['event.title.x == 1', /a text has no field `x`/],
    ['event.constructor == 1', /no field `constructor`/],
    ['event.bot ? event.x == 1 : true', true],
    ['event.x == 1 || event.n == 1', true],
    ['event.n == 1 || event.x == 1', true],
    ['event.x == 1 && event.n == 2', false],
    ['event.x == 1 && event.n == 1', /no field `x`/],
    ['!(event.x == 1)', /no field `x`/],
    ['event.title || event.n == 2', /`\|\|` found a text/],
    ['!event.bot', true],
    ['!event.title', /`!` found a text/],
    ['event.title.matches(r"\\bpage")', true],
  ]
  for (const [source, want] of cases) {
    const outcome = typeof want === 'boolean' ? `: ${want}` : `, or nobody can say: ${want.source}`
    it(`${source}${outcome}`, () => {
      const holds = compiled(source).holds(eventOf(edit))
      if (typeof want === 'boolean') expect(holds).to.equal(want)
      else expect(holds).to.have.property('error').that.matches(want)
    })
  }

  it('of an element, which `element` is', () => {
    const { holds } = compiled('element.id == event.n', 'element')
    expect(holds(eventOf(edit), { id: 1 })).to.equal(true)
    expect(holds(eventOf(edit), { id: 2 })).to.equal(false)
  })

  it('of a key that is no text, which is null', () => {
    const { holds } = compiled('record.key == null')
    expect(holds(eventOf({}, { key: Buffer.from([0xff]) }))).to.equal(true)
    expect(holds(eventOf({}, { key: null }))).to.equal(true)
  })
})

describe('an expression is refused at load', () => {
  const refusals: [source: string, message: RegExp, hint: RegExp | null, offset: number | null][] =
    [
      ['evnt.n == 1', /no `evnt` here, only `event`, `record`/, /did you mean `event`/, 0],
      ['n == 1', /no `n` here/, /`event.field`/, 0],
      ['event.n == 1 && element.x == 1', /no `element` here/, /./, 16],
      ['record.topc == "x"', /a record has no `topc`/, /did you mean `topic`/, 7],
      [
        'event.title.startWith("a")',
        /no function `startWith`|matching overload/,
        /`startsWith`/,
        0,
      ],
      ['sise(event.list) == 1', /no function `sise`|matching overload/, /`size`/, 0],
      ['event.title.startsWith(1)', /`startsWith` takes a text/, null, 23],
      ['event.title.matches(event.pattern)', /written out/, /`contains`/, 20],
      ['event.title.matches("(?=a)")', /look-around/, /`not`/, 20],
      ['event.title.matches("a" + "b")', /written out/, /./, 20],
      ['event.bot', /any value, expected true or false/, /`event.flag == true`/, null],
      ['size(event.list)', /type int, expected true or false/, /./, null],
      ['"a" + 1 == "a1"', /string \+ int/, null, 0],
      ['1 == "a"', /int == string/, null, 0],
      ['event.n == 1 &&', /not CEL: unexpected token/, null, 15],
      ['event.n = 1', /not CEL: unexpected character/, null, 8],
      ['event.list.map(x, y == 1).size() == 1', /no `y` here/, /./, 18],
      ['event.list.exists(1, true)', /variable/, null, 18],
      ['cel.bind(a, event.n, a == 1)', /no function `bind`/, /known are/, 0],
      ['type(event.n) == int', /no function `type`/, /known are/, 0],
      ['string == string', /CEL's types/, null, 0],
      ['event.n == 1u', /unsigned/, null, 11],
      ['event.title.split(",").size() == 1', /no function `split`/, /known are/, 0],
      ['(('.repeat(60) + 'true' + '))'.repeat(60), /depth/i, null, null],
      [' ', /empty/, null, null],
      [`event.title == "${'x'.repeat(1_000)}"`, /above 1000/, /`all` or `any`/, null],
    ]
  for (const [source, message, hint, offset] of refusals) {
    it(`when it is ${source.slice(0, 50)}`, () => {
      const result = compileExpr(source)
      if (result.ok) throw new Error('it was accepted')
      expect(result.message).to.match(message)
      if (hint === null) expect(result.hint).to.equal(null)
      else expect(result.hint).to.match(hint)
      if (offset !== null) expect(result.offset).to.equal(offset)
    })
  }

  it('never by throwing, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...[
        'event',
        '.',
        'x',
        '(',
        ')',
        '[',
        ']',
        '"',
        '==',
        '&&',
        '1',
        '{',
        ':',
        '?',
        ',',
        'has',
        '\\',
      ],
    )
    const sources = fc.array(pieces, { maxLength: 12 }).map((all) => all.join(''))
    fc.assert(
      fc.property(sources, (source) => void compileExpr(source)),
      { numRuns: 2_000 },
    )
  }).timeout(20_000) // far more than it takes: the machine may be busy
})

describe('what an evaluation costs is bounded', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => i)
  const long = 'x'.repeat(1_000_000)
  const event = eventOf({
    many,
    long,
    lists: [many, [...many]],
    text: 'ab'.repeat(30_000),
    slow: `${'x'.repeat(5_000)}y${'x'.repeat(5_000)}`,
  })
  const costly = [
    'event.many.exists(x, event.many.exists(y, x + y < 0))',
    'event.many.exists(x, x + 1 in event.many.map(y, y - 20000))',
    'event.many.exists(x, event.lists[0] != event.lists[1])',
    'event.many.exists(x, event.long.contains("y"))',
    'event.many.map(x, event.long + event.long).size() == 1',
    'event.long.contains(event.slow)',
    'event.many.all(x, event.many + event.many != [])',
    'event.many.all(x, event.long.lowerAscii() == event.long)',
    'event.many.exists(x, event.text.matches("^(?:[ab]+)+$") && x < 0)',
    `["a"]${'.map(x, x + x)'.repeat(40)} == []`,
    `[[0]]${'.map(x, x + x)'.repeat(40)} == []`,
    `[0]${'.map(x, [x, x])'.repeat(28)} == [0]${'.map(x, [x, x])'.repeat(28)}`,
  ]
  for (const source of costly) {
    it(`so that nobody can say: ${source.slice(0, 70)}`, () => {
      const holds = compiled(source).holds(event)
      expect(holds).to.deep.equal({ error: `it takes more than ${stepsMax} steps on this event` })
    })
  }

  it('and one list of 10,000 is well within', () => {
    expect(compiled('event.many.exists(x, x == 9999)').holds(event)).to.equal(true)
  })

  it('and the next evaluation has the whole of it again', () => {
    const { holds } = compiled('event.many.exists(x, x == 9999)')
    for (let i = 0; i < 5; i++) expect(holds(event)).to.equal(true)
  })

  it('and lists in lists beyond any use are not compared', () => {
    let deep: Json = []
    for (let i = 0; i < 100_000; i++) deep = [deep]
    let twin: Json = []
    for (let i = 0; i < 100_000; i++) twin = [twin]
    const holds = compiled('event.a == event.b').holds(eventOf({ a: deep, b: twin }))
    expect(holds)
      .to.have.property('error')
      .that.matches(/nested/)
  })

  it('and a text above the cap of values is not matched', () => {
    const holds = compiled('event.long.matches("y")').holds(event)
    expect(holds)
      .to.have.property('error')
      .that.matches(/above 65536/)
  })
})

describe('whatever an event holds', () => {
  const names = fc.constantFrom('a', 'b', 'constructor', '__proto__', 'toString', 'then', 'length')
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json>(null, true, false, 0, 1, -1.5, 1e308, '', 'a', '1', '\ud800'),
      fc.array(tie('json'), { maxLength: 4 }),
      fc
        .array(fc.tuple(names, tie('json')), { maxLength: 4 })
        .map((entries): Json => Object.fromEntries(entries)),
    ),
  }))
  const sources = [
    'event.a == event.b',
    'event.a < event.b',
    'event.a + event.b == event.a',
    'event.a.exists(x, x.constructor == event.b)',
    'event.a[event.b] in event',
    'size(event.a) > event.b || has(event.constructor.a)',
    'event.a.matches("^a") || event.a.contains(event.b)',
    'int(event.a) % int(event.b) == 0 && string(event.a) == event.b',
    'timestamp(event.a) - duration(event.b) < timestamp(0)',
    'event.a.map(x, [x, event.b]) == event.toString || event.then == event.length',
    '-event.a < 0 || !event.b || (event.a ? true : false)',
    '{"a": event.a}[event.b] == event.a',
  ]
  for (const source of sources) {
    it(`it says true, false or why it can not: ${source}`, () => {
      const { holds } = compiled(source)
      fc.assert(
        fc.property(json, (body) => {
          const outcome = holds(eventOf(body))
          if (typeof outcome !== 'boolean') expect(outcome.error).to.be.a('string')
        }),
      )
    }).timeout(20_000)
  }
})

describe('the evaluator', () => {
  it("agrees with the package's own where CEL has one meaning for both", () => {
    const theirs = new Environment()
      .registerVariable('i', 'int')
      .registerVariable('s', 'string')
      .registerVariable('l', 'list<int>')
      .registerVariable('b', 'bool')
    const leaves = {
      int: fc.constantFrom('i', '0', '1', '3', '-2', 'size(l)', 'size(s)', 'l[0]', 'l[i]'),
      text: fc.constantFrom('s', '"a"', '"ab"', '""', 'string(i)'),
    }
    const { bool } = fc.letrec<{ bool: string; int: string; list: string }>((tie) => ({
      bool: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom('b', 'true', 'false'),
        fc
          .tuple(tie('int'), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), tie('int'))
          .map(spaced),
        fc.tuple(leaves.text, fc.constantFrom('==', '!=', '<', '>'), leaves.text).map(spaced),
        fc.tuple(tie('bool'), fc.constantFrom('&&', '||'), tie('bool')).map(spaced),
        fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([c, y, n]) => `(${c} ? ${y} : ${n})`),
        tie('bool').map((inner) => `!${inner}`),
        fc.tuple(tie('int'), fc.constant('in'), tie('list')).map(spaced),
        fc
          .tuple(tie('list'), fc.constantFrom('all', 'exists', 'exists_one'), tie('bool'))
          .map(loop),
        fc.tuple(leaves.text, fc.constantFrom('startsWith', 'contains'), leaves.text).map(called),
      ),
      int: fc.oneof(
        { maxDepth: 3 },
        leaves.int,
        fc.tuple(tie('int'), fc.constantFrom('+', '-', '*', '/', '%'), tie('int')).map(spaced),
      ),
      list: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom('l', '[1, 2, 3]'),
        fc.tuple(tie('list'), fc.constant('map'), tie('int')).map(loop),
        fc.tuple(tie('list'), fc.constant('filter'), tie('bool')).map(loop),
        fc.tuple(tie('list'), fc.constant('+'), tie('list')).map(spaced),
      ),
    }))
    const values = fc.record({
      i: fc.constantFrom(0, 1, 2, 5),
      s: fc.constantFrom('', 'a', 'ab', '3'),
      l: fc.array(fc.integer({ min: -2, max: 5 }), { maxLength: 4 }),
      b: fc.boolean(),
    })
    let agreed = 0
    fc.assert(
      fc.property(bool, values, (source, { i, s, l, b }) => {
        if (source.length > 300) return
        // Integers on both sides: what is between CEL's and an event's is told in the cases above.
        const literals = `[${l.join(', ')}]`
        const ours = source
          .replaceAll(/\bi\b/g, String(i))
          .replaceAll(/\bl\b/g, l.length === 0 ? '[1].filter(z, false)' : literals)
          .replaceAll(/\bs\b/g, 'event.s')
          .replaceAll(/\bb\b/g, 'event.b')
        const result = compileExpr(`(${ours}) == true`)
        if (!result.ok) return
        let want: unknown
        try {
          want = theirs.parse(source)({ i: BigInt(i), s, l: l.map(BigInt), b })
        } catch {
          want = 'an error'
        }
        const got = result.expr.holds(eventOf({ s, b }))
        expect(typeof got === 'boolean' ? got : 'an error', ours).to.equal(want)
        agreed += 1
      }),
      { numRuns: 3_000 },
    )
    expect(agreed).to.be.greaterThan(1_500)
  }).timeout(20_000)
})

function spaced(parts: readonly string[]): string {
  return `(${parts.join(' ')})`
}

function loop([list, name, body]: readonly string[]): string {
  return `${list}.${name}(e, ${body})`
}

function called([receiver, name, given]: readonly string[]): string {
  return `${receiver}.${name}(${given})`
}
