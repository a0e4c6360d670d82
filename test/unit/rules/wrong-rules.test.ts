import { expect } from 'chai'
import { renderProblem } from '../../../src/schema/render-problem.ts'
import { loadText, placesOf, ruleText } from '../../support/load-text.ts'

/** A rule file with one mistake, where it is told, and what a person reads. */
interface Case {
  readonly name: string
  readonly text: string
  readonly places: readonly string[]
  readonly shown?: string
}

const inRule = (lines: string): string => ruleText(lines)

const cases: readonly Case[] = [
  // YAML
  {
    name: 'a tab',
    text: 'rules:\n\tpurge: {}\n',
    places: ['2:1 yaml-tab'],
    shown:
      'rules/a.yaml:2:1: error: a tab indents this line [yaml-tab]\n' +
      '  2 | \tpurge: {}\n' +
      '    | ^\n' +
      '  hint: YAML is indented with spaces only',
  },
  {
    name: 'a key that stands twice',
    text: inRule('owner: a\nowner: b'),
    places: ['5:5 duplicate-key'],
    shown:
      'rules/a.yaml:5:5: error: `owner` stands twice in one map [duplicate-key]\n' +
      '  5 |     owner: b\n' +
      '    |     ^^^^^\n' +
      '  hint: remove one of the two',
  },
  { name: 'a custom tag', text: inRule('owner: !!js/function x'), places: ['4:12 yaml-tag'] },
  { name: 'a binary', text: inRule('owner: !!binary aGk='), places: ['4:21 yaml-tag'] },
  {
    name: 'a second document',
    text: `${inRule('')}---\nrules: {}\n`,
    places: ['5:1 yaml-documents'],
  },
  { name: 'a quote without its end', text: inRule('owner: "web'), places: ['4:12 yaml-syntax'] },
  {
    name: 'a list among the keys of a map',
    text: inRule('when:\n  a: 1\n  - b: 2'),
    places: ['6:7 yaml-syntax'],
  },
  {
    name: 'a name of 64 characters',
    text: inRule('').replace('purge', 'p'.repeat(64)),
    places: ['2:3 bad-name'],
  },
  {
    name: 'a name that only an event could fill in',
    text: inRule('').replace('purge', '"purge-{{event.each}}"'),
    places: ['2:3 bad-name'],
  },
  {
    name: 'a name of which `for_each` fills in a part',
    text: inRule('for_each: [{ x: a }]').replace('purge', '"{{each.x}}-{{event.wiki}}"'),
    places: ['2:3 bad-name'],
  },
  { name: 'an alias to nothing', text: inRule('owner: *who'), places: ['4:12 yaml-alias'] },
  {
    name: 'an alias to itself',
    text: inRule('labels: &me { a: *me }'),
    places: ['4:22 yaml-alias'],
  },
  {
    name: 'an alias bomb',
    text:
      'lists:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n' +
      '  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n' +
      '  e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nrules: {}\n',
    places: ['5:31 yaml-alias'],
  },
  {
    name: 'a number that no double holds',
    text: inRule('when: { id: 12345678901234567890 }'),
    places: ['4:17 yaml-number'],
    shown:
      'rules/a.yaml:4:17: error: this number cannot be kept exactly [yaml-number]\n' +
      '  4 |     when: { id: 12345678901234567890 }\n' +
      '    |                 ^^^^^^^^^^^^^^^^^^^^\n' +
      '  hint: numbers lie within ±9007199254740991; quote it if it is meant as a text',
  },
  { name: 'a key that is a list', text: inRule('? [a]\n: 1'), places: ['4:7 yaml-key'] },
  { name: '__proto__ as a key', text: inRule('when: { __proto__: 1 }'), places: ['4:13 yaml-key'] },
  {
    name: 'endless brackets',
    text: `rules: ${'['.repeat(1_000_000)}`,
    places: ['1:72 yaml-too-deep'],
  },
  {
    name: 'lists in lists in lists',
    text: `rules: ${'['.repeat(80)}${']'.repeat(80)}`,
    places: ['1:72 yaml-too-deep'],
  },

  // keys and shapes
  {
    name: 'an empty file',
    text: '',
    places: ['1:1 wrong-type'],
  },
  {
    name: 'a misspelt key',
    text: inRule('ownr: me'),
    places: ['4:5 unknown-key'],
    shown:
      'rules/a.yaml:4:5: error: unknown key `ownr` [unknown-key]\n' +
      '  4 |     ownr: me\n' +
      '    |     ^^^^\n' +
      '  hint: did you mean `owner`?',
  },
  {
    name: 'a misspelt key that is required, told once',
    text: 'rules:\n  purge:\n    topic: [edits]\n    do: { emit: { topic: out } }\n',
    places: ['3:5 unknown-key'],
    shown:
      'rules/a.yaml:3:5: error: unknown key `topic` [unknown-key]\n' +
      '  3 |     topic: [edits]\n' +
      '    |     ^^^^^\n' +
      '  hint: did you mean `topics`?',
  },
  { name: 'a merge key', text: inRule('retry: { <<: 1 }'), places: ['4:14 unknown-key'] },
  {
    name: 'no topics',
    text: 'rules:\n  purge:\n    do: { emit: { topic: out } }\n',
    places: ['2:3 missing-key'],
    shown:
      'rules/a.yaml:2:3: error: `topics` is missing, expected a list of topics, or `{ include, exclude }` [missing-key]\n' +
      '  2 |   purge:\n' +
      '    |   ^^^^^',
  },
  {
    name: 'nothing to do',
    text: 'rules:\n  purge:\n    topics: [a]\n',
    places: ['2:3 missing-key'],
  },
  { name: 'a rule that is a text', text: 'rules:\n  purge: me\n', places: ['2:10 wrong-type'] },
  {
    name: 'topics that are one text',
    text: 'rules:\n  purge:\n    topics: edits\n    do: { emit: { topic: out } }\n',
    places: ['3:13 wrong-type'],
    shown:
      'rules/a.yaml:3:13: error: found the text "edits", expected a list of topics, or `{ include, exclude }` [wrong-type]\n' +
      '  3 |     topics: edits\n' +
      '    |             ^^^^^\n' +
      '  hint: a list is written `[one, two]`, or `- ` per line',
  },
  {
    name: 'a topic with a blank',
    text: 'rules: { purge: { topics: ["a b"], do: { emit: { topic: x } } } }',
    places: ['1:28 bad-topic'],
  },
  {
    name: 'a name in capitals',
    text: 'rules:\n  Purge: { topics: [a], do: { emit: { topic: x } } }\n',
    places: ['2:3 bad-name'],
  },
  { name: 'yes for true', text: inRule('enabled: yes'), places: ['4:14 wrong-type'] },
  { name: 'a number for a text', text: inRule('owner: 1'), places: ['4:12 wrong-type'] },
  {
    name: 'a duration without a unit',
    text: inRule('timeout: 10'),
    places: ['4:14 wrong-type'],
    shown:
      'rules/a.yaml:4:14: error: found the number 10, expected a duration with a unit, such as `10s` [wrong-type]\n' +
      '  4 |     timeout: 10\n' +
      '    |              ^^',
  },
  {
    name: 'a duration with a strange unit',
    text: inRule('timeout: 10sec'),
    places: ['4:14 bad-duration'],
  },
  { name: 'a timeout of two hours', text: inRule('timeout: 2h'), places: ['4:14 bad-duration'] },
  { name: 'no concurrency at all', text: inRule('concurrency: 0'), places: ['4:18 bad-value'] },
  {
    name: 'a misspelt limit',
    text: inRule('concurrency: { limt: 3 }'),
    places: ['4:20 unknown-key'],
  },
  {
    name: 'an unknown outcome',
    text: inRule('retry: { on: [5xx, 700] }'),
    places: ['4:24 bad-value'],
  },
  {
    name: 'a first delay above the last',
    text: inRule('retry: { backoff: { first: 1m, max: 1s } }'),
    places: ['4:32 bad-value'],
  },
  {
    name: 'a lane that the config lacks',
    text: inRule('lane: slwo'),
    places: ['4:11 unknown-lane'],
  },
  {
    name: 'a condition among the defaults',
    text: `defaults: { when: { a: 1 } }\n${inRule('')}`,
    places: ['1:13 unknown-key'],
  },

  // conditions
  { name: 'an empty condition', text: inRule('when: {}'), places: ['4:11 empty-condition'] },
  { name: 'an empty any', text: inRule('when: { any: [] }'), places: ['4:18 empty-condition'] },
  {
    name: 'an empty map of tests',
    text: inRule('when: { a: {} }'),
    places: ['4:16 empty-condition'],
  },
  { name: 'unless without a list', text: inRule('unless: { a: 1 }'), places: ['4:13 wrong-type'] },
  {
    name: 'a misspelt test',
    text: inRule('when:\n  meta.domain: { sufix: .org }'),
    places: ['5:22 unknown-operator'],
    shown:
      'rules/a.yaml:5:22: error: there is no test `sufix` [unknown-operator]\n' +
      '  5 |       meta.domain: { sufix: .org }\n' +
      '    |                      ^^^^^\n' +
      '  hint: did you mean `suffix`?',
  },
  {
    name: 'a map in place of a dotted path',
    text: inRule('when:\n  page: { namespace_id: 0 }'),
    places: ['5:15 unknown-operator'],
    shown:
      'rules/a.yaml:5:15: error: there is no test `namespace_id` [unknown-operator]\n' +
      '  5 |       page: { namespace_id: 0 }\n' +
      '    |               ^^^^^^^^^^^^\n' +
      '  hint: a field below is written with its path: `page.namespace_id`; tests are equals, in, ' +
      'prefix, suffix, contains, glob, regex, gt, gte, lt, lte, cidr, not, exists, has_all, has_only, ' +
      'len, same_as, differs_from, ci, search',
  },
  {
    name: 'a prefix that is a number',
    text: inRule('when: { a: { prefix: 1 } }'),
    places: ['4:26 wrong-type'],
  },
  {
    name: 'an empty prefix',
    text: inRule('when: { a: { prefix: "" } }'),
    places: ['4:26 bad-test'],
  },
  {
    name: 'a bound that is a text',
    text: inRule('when: { a: { gt: "1" } }'),
    places: ['4:22 wrong-type'],
  },
  {
    name: 'a list of maps',
    text: inRule('when: { a: [{ prefix: x }] }'),
    places: ['4:17 wrong-type'],
  },
  {
    name: 'exists that is a text',
    text: inRule('when: { a: { exists: "no" } }'),
    places: ['4:26 wrong-type'],
  },
  {
    name: 'not exists',
    text: inRule('when: { a: { not: { exists: true } } }'),
    places: ['4:25 bad-test'],
  },
  { name: 'not not', text: inRule('when: { a: { not: { not: 1 } } }'), places: ['4:25 bad-test'] },
  { name: 'a path with a hole', text: inRule('when: { a..b: 1 }'), places: ['4:13 bad-path'] },
  { name: 'an unknown @name', text: inRule('when: { "@tpic": x }'), places: ['4:13 bad-path'] },
  {
    name: 'an unknown list',
    text: `lists: { quiet-wikis: [testwiki] }\n${inRule('when: { wiki: { in: quite-wikis } }')}`,
    places: ['5:25 unknown-list'],
    shown:
      'rules/a.yaml:5:25: error: there is no list `quite-wikis` in this file [unknown-list]\n' +
      '  5 |     when: { wiki: { in: quite-wikis } }\n' +
      '    |                         ^^^^^^^^^^^\n' +
      '  hint: did you mean `quiet-wikis`?',
  },
  { name: 'in with a list', text: inRule('when: { a: { in: [x] } }'), places: ['4:22 wrong-type'] },

  // tests of the whole language
  {
    name: 'ci that is no true or false',
    text: inRule('when: { a: { equals: x, ci: 1 } }'),
    places: ['4:33 wrong-type'],
  },
  { name: 'ci alone', text: inRule('when: { a: { ci: true } }'), places: ['4:18 bad-test'] },
  {
    name: 'ci beside a number',
    text: inRule('when: { a: { equals: 1, ci: true } }'),
    places: ['4:29 bad-test'],
  },
  {
    name: 'ci beside not',
    text: inRule('when: { a: { ci: true, not: x } }'),
    places: ['4:18 bad-test'],
    shown:
      'rules/a.yaml:4:18: error: `ci` is about the tests of texts beside it, and there is none [bad-test]\n' +
      '  4 |     when: { a: { ci: true, not: x } }\n' +
      '    |                  ^^\n' +
      '  hint: write it with the test that it is about: `not: { equals: text, ci: true }`',
  },
  {
    name: 'search without a regex',
    text: inRule('when: { a: { prefix: x, search: true } }'),
    places: ['4:29 bad-test'],
  },
  {
    name: 'a regex that is not anchored',
    text: inRule('when: { a: { regex: "x+" } }'),
    places: ['4:25 bad-test'],
  },
  {
    name: 'a regex with a look-ahead',
    text: inRule('when: { a: { regex: "^x(?=y)" } }'),
    places: ['4:25 bad-test'],
  },
  {
    name: 'a regex that is a number',
    text: inRule('when: { a: { regex: 1 } }'),
    places: ['4:25 wrong-type'],
  },
  {
    name: 'a group that two regexes name',
    text: inRule('when:\n  a: { regex: "^(?P<x>.)" }\n  b: { regex: "^(?P<x>.)" }'),
    places: ['6:10 bad-test'],
  },
  { name: 'an empty glob', text: inRule('when: { a: { glob: "" } }'), places: ['4:24 bad-test'] },
  {
    name: 'an address with bits behind its length',
    text: inRule('when: { a: { cidr: 10.0.0.1/8 } }'),
    places: ['4:24 bad-test'],
    shown:
      'rules/a.yaml:4:24: error: `10.0.0.1/8` has bits set behind its length [bad-test]\n' +
      '  4 |     when: { a: { cidr: 10.0.0.1/8 } }\n' +
      '    |                        ^^^^^^^^^^\n' +
      '  hint: the block that holds this address is `10.0.0.0/8`',
  },
  {
    name: 'a name for an address',
    text: inRule('when: { a: { cidr: localhost/8 } }'),
    places: ['4:24 bad-test'],
  },
  {
    name: 'has_all of a text',
    text: inRule('when: { a: { has_all: x } }'),
    places: ['4:27 wrong-type'],
  },
  {
    name: 'an empty has_all',
    text: inRule('when: { a: { has_all: [] } }'),
    places: ['4:27 bad-test'],
  },
  {
    name: 'an empty has_only',
    text: inRule('when: { a: { has_only: [] } }'),
    places: ['4:28 bad-test'],
  },
  {
    name: 'a list in has_only',
    text: inRule('when: { a: { has_only: [[x]] } }'),
    places: ['4:29 wrong-type'],
  },
  {
    name: 'a len that is a text',
    text: inRule('when: { a: { len: "1" } }'),
    places: ['4:23 wrong-type'],
  },
  {
    name: 'a misspelt end of len',
    text: inRule('when: { a: { len: { gtt: 1 } } }'),
    places: ['4:25 unknown-operator'],
  },
  {
    name: 'a len without an end',
    text: inRule('when: { a: { len: {} } }'),
    places: ['4:23 empty-condition'],
  },
  {
    name: 'a path that is a number',
    text: inRule('when: { a: { same_as: 1 } }'),
    places: ['4:27 wrong-type'],
  },
  {
    name: 'another path with a hole',
    text: inRule('when: { a: { same_as: b..c } }'),
    places: ['4:27 bad-path'],
  },
  {
    name: 'a misspelt where',
    text: inRule('when: { some: { path: a, wher: { b: 1 } } }'),
    places: ['4:30 unknown-key'],
  },
  {
    name: 'some without a path',
    text: inRule('when: { some: { where: { b: 1 } } }'),
    places: ['4:13 missing-key'],
  },
  {
    name: 'some of a list',
    text: inRule('when: { some: [{ b: 1 }] }'),
    places: ['4:19 wrong-type'],
  },
  {
    name: 'some of the topic',
    text: inRule('when: { some: { path: "@topic", where: { b: 1 } } }'),
    places: ['4:27 impossible'],
  },
  {
    name: 'some below a path',
    text: inRule('when: { a: { some: { path: b } } }'),
    places: ['4:18 unknown-operator'],
  },
  {
    name: 'an expression alone',
    text: inRule('when: { expr: "event.a == 1" }'),
    places: ['4:13 bad-test'],
    shown:
      'rules/a.yaml:4:13: error: an `expr` alone is evaluated for every event of the topics [bad-test]\n' +
      '  4 |     when: { expr: "event.a == 1" }\n' +
      '    |             ^^^^\n' +
      '  hint: write a test that rules most events out beside it, or `full_scan: true`',
  },
  {
    name: 'an expression beside what the event is not',
    text: inRule('when: { a: { not: 1 }, expr: "event.a == 1" }'),
    places: ['4:28 bad-test'],
  },
  {
    name: 'an expression in a branch that has no test',
    text: inRule('when: { any: [{ a: 1 }, { expr: "event.a == 1" }] }'),
    places: ['4:31 bad-test'],
  },
  {
    name: 'an expression that is none',
    text: inRule('when: { a: 1, expr: "event.a ==" }'),
    places: ['4:25 bad-test'],
  },
  {
    name: 'an expression that is a number',
    text: inRule('when: { a: 1, expr: 1 }'),
    places: ['4:25 wrong-type'],
  },
  {
    name: 'full_scan alone',
    text: inRule('when: { a: 1, full_scan: true }'),
    places: ['4:19 bad-test'],
  },
  {
    name: 'full_scan that is false',
    text: inRule('when: { a: 1, expr: "event.a == 1", full_scan: false }'),
    places: ['4:52 wrong-type'],
  },
  {
    name: 'in a map',
    text: `lists: { hosts: { a: b } }\n${inRule('when: { a: { in: hosts } }')}`,
    places: ['5:22 wrong-type'],
  },

  // conditions that can never hold
  { name: 'an empty list of values', text: inRule('when: { a: [] }'), places: ['4:16 impossible'] },
  {
    name: 'in an empty list',
    text: `lists: { none: [] }\n${inRule('when: { a: { in: none } }')}`,
    places: ['5:22 impossible'],
  },
  {
    name: 'an interval without a number',
    text: inRule('when: { size: { gt: 3, lt: 3 } }'),
    places: ['4:28 impossible'],
    shown:
      'rules/a.yaml:4:28: error: no number is `gt: 3` and `lt: 3` [impossible]\n' +
      '  4 |     when: { size: { gt: 3, lt: 3 } }\n' +
      '    |                            ^^',
  },
  {
    name: 'a text that is a number',
    text: inRule('when: { a: { prefix: x, gt: 1 } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'equals against prefix',
    text: inRule('when: { a: { equals: abc, prefix: b } }'),
    places: ['4:31 impossible'],
  },
  {
    name: 'equals against not',
    text: inRule('when: { a: { equals: 1, not: [1, 2] } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'absence beside a value',
    text: inRule('when: { a: { exists: false, equals: 1 } }'),
    places: ['4:18 impossible'],
  },
  {
    name: 'topics that exclude themselves',
    text: 'rules: { purge: { topics: { include: [a.b], exclude: [a.*] }, when: { a: 1 }, do: { emit: { topic: x } } } }',
    places: ['1:27 impossible'],
  },

  // tests that cannot hold together
  {
    name: 'prefixes that part',
    text: inRule('when: { a: { prefix: x, glob: "y*" } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'suffixes that part',
    text: inRule('when: { a: { suffix: x, glob: "*y" } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'a glob against a value',
    text: inRule('when: { a: { equals: y, glob: "x*" } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'a regex against a value',
    text: inRule('when: { a: { equals: y, regex: "^x" } }'),
    places: ['4:29 impossible'],
  },
  {
    name: 'an address that is a number',
    text: inRule('when: { a: { gt: 1, cidr: 10.0.0.0/8 } }'),
    places: ['4:18 impossible'],
  },
  {
    name: 'no length of a list',
    text: inRule('when: { a: { len: { gt: 1, lt: 2 } } }'),
    places: ['4:23 impossible'],
  },
  {
    name: 'half an element',
    text: inRule('when: { a: { len: 1.5 } }'),
    places: ['4:23 impossible'],
  },
  {
    name: 'more members than elements',
    text: inRule('when: { a: { len: 1, has_all: [x, y] } }'),
    places: ['4:18 impossible'],
  },
  {
    name: 'a value in an empty list',
    text: inRule('when: { a: { len: 0, prefix: x } }'),
    places: ['4:18 impossible'],
  },
  {
    name: 'a member that is left out',
    text: inRule('when: { a: { has_all: [x], has_only: [y] } }'),
    places: ['4:32 impossible'],
  },
  {
    name: 'an element that is left out',
    text: inRule('when: { a: { has_only: [y], prefix: x } }'),
    places: ['4:18 impossible'],
  },
  {
    name: 'absence beside a value in another block',
    text: inRule('when:\n  a: { exists: false }\n  all:\n    - a: 2'),
    places: ['7:11 impossible'],
    shown:
      'rules/a.yaml:7:11: error: `a: 2` can never hold beside `a: {"exists":false}` in line 5 [impossible]\n' +
      '  7 |         - a: 2\n' +
      '    |           ^',
  },
  {
    name: 'a field below a value',
    text: inRule('when: { a: 1, a.b: 2 }'),
    places: ['4:19 impossible'],
  },
  {
    name: 'an exception of what is asked for',
    text: inRule('when: { a: 1 }\nunless:\n  - a: [1, 2]'),
    places: ['6:9 impossible'],
    shown:
      'rules/a.yaml:6:9: error: `a: [1,2]` must not hold, and always does beside `a: 1` in line 4 [impossible]\n' +
      '  6 |       - a: [1, 2]\n' +
      '    |         ^',
  },
  {
    name: 'two topics',
    text: inRule('when: { "@topic": a, all: [{ "@topic": b }] }'),
    places: ['4:34 impossible'],
  },
  {
    name: 'two ranges of a partition',
    text: inRule('when: { "@partition": { gt: 2 }, all: [{ "@partition": { lt: 2 } }] }'),
    places: ['4:46 impossible'],
  },
  {
    name: 'branches none of which can hold',
    text: inRule('when: { a: 1, any: [{ a: { exists: false } }, { a.b: 1 }] }'),
    places: ['4:19 impossible'],
  },
  {
    name: 'a difference from itself',
    text: inRule('when: { a: { differs_from: a } }'),
    places: ['4:13 impossible'],
  },
  {
    name: 'the same and different',
    text: inRule('when: { a: { same_as: b }, all: [{ a: { differs_from: b } }] }'),
    places: ['4:40 impossible'],
  },
  {
    name: 'elements of an empty list',
    text: inRule('when: { a: { len: 0 }, some: { path: a, where: { b: 1 } } }'),
    places: ['4:28 impossible'],
  },
  {
    name: 'an element that cannot be',
    text: inRule('when: { some: { path: a, where: { b: 1, b.c: 1 } } }'),
    places: ['4:45 impossible'],
  },

  // actions
  {
    name: 'an unknown action',
    text: ruleText('when: { a: 1 }', 'htp: {}'),
    places: ['5:11 unknown-action'],
  },
  {
    name: 'the keys of an action without the action',
    text: ruleText('when: { a: 1 }', 'method: POST, url: "http://a/"'),
    places: ['5:11 unknown-action'],
    shown:
      'rules/a.yaml:5:11: error: `method` stands where its action should [unknown-action]\n' +
      '  5 |     do: { method: POST, url: "http://a/" }\n' +
      '    |           ^^^^^^\n' +
      '  hint: write it below the action: `http: { method: .. }`',
  },
  {
    name: 'an action below a key that is none of a rule',
    text: 'rules: { purge: { topics: [a], when: { a: 1 }, action: { emit: { topic: x } } } }',
    places: ['1:48 unknown-key'],
  },
  {
    name: 'no action in a list',
    text: 'rules: { purge: { topics: [a], when: { a: 1 }, do: [] } }',
    places: ['1:52 bad-value'],
  },
  {
    name: 'two kinds in one action',
    text: ruleText('when: { a: 1 }', 'emit: { topic: x }, http: { url: "http://a/" }'),
    places: ['5:31 bad-value'],
  },
  {
    name: 'a template that is not closed',
    text: ruleText('when: { a: 1 }', 'http: { url: "http://a/{{event.x" }'),
    places: ['5:24 template-syntax'],
  },
  {
    name: 'a misspelt key of an action',
    text: ruleText('when: { a: 1 }', 'http: { ulr: "http://a/" }'),
    places: ['5:19 unknown-key'],
  },
]

describe('a rule file with a mistake:', () => {
  for (const { name, text, places, shown } of cases) {
    it(`${name} is one problem at its place`, async () => {
      const { ruleSet, problems } = await loadText(text)
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(placesOf(errors)).to.deep.equal(places)
      expect(ruleSet).to.equal(null)
      if (shown !== undefined) expect(errors.map(renderProblem).join('\n')).to.equal(shown)
    })
  }
})

describe('what the language names and is not built yet', () => {
  const keys = [
    'rate: 200/s',
    'rate: { limit: 5, per: 1m, key: "{{event.id}}", scope: cluster }',
    'breaker: { failures: 3, window: 1m, probe_every: 10s }',
    'hold: []',
    'concurrency: { limit: 3, scope: cluster }',
  ]
  const actions = ['purge: {}', 'fan_out: {}']
  const texts = [
    ...keys.map((lines) => [lines, inRule(`when: { a: 1 }\n${lines}`)] as const),
    ...actions.map((action) => [action, ruleText('when: { a: 1 }', action)] as const),
    ['ticks: {}', `ticks: {}\n${inRule('')}`] as const,
    ['defaults: { rate: .. }', `defaults: { rate: 1/s }\n${inRule('')}`] as const,
  ]
  for (const [name, text] of texts) {
    it(`is refused and never passed over: ${name.replaceAll('\n', ', ')}`, async () => {
      const { ruleSet, problems } = await loadText(text)
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(errors.map(({ code }) => code)).to.deep.equal(['not-supported-yet'])
      expect(errors[0]?.message).to.match(/^`.+` is not supported yet$/)
      expect(ruleSet).to.equal(null)
    })
  }

  const mistakes: readonly (readonly [lines: string, place: string])[] = [
    ['rate: 200', '5:11 wrong-type'],
    ['rate: 200/x', '5:11 bad-value'],
    ['rate: 0/s', '5:11 bad-value'],
    ['rate: { limit: 5 }', '5:5 missing-key'],
    ['breaker: { failures: 0 }', '5:26 bad-value'],
    ['concurrency: { limit: 3, scope: world }', '5:37 bad-value'],
    ['rate: { limit: 1, per: 1s, key: "{{event.n | uper}}" }', '5:37 template-pipe'],
  ]
  for (const [lines, place] of mistakes) {
    it(`is read in full, and a mistake in it is told first: ${lines}`, async () => {
      const { problems } = await loadText(inRule(`when: { a: 1 }\n${lines}`))
      expect(placesOf(problems)).to.deep.equal([place])
    })
  }
})
