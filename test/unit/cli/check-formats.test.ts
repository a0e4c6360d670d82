import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { XmlDocument, XsdValidator, type XmlElement } from 'libxml2-wasm'
import type { CheckReport } from '../../../src/cli/check/check-report.ts'
import { githubOf } from '../../../src/cli/check/github-format.ts'
import { jsonOf, type CheckDocument } from '../../../src/cli/check/json-format.ts'
import { junitOf } from '../../../src/cli/check/junit-format.ts'
import { textOf } from '../../../src/cli/check/text-format.ts'
import { stylesFor } from '../../../src/cli/styles.ts'
import type { Problem } from '../../../src/model/problem.ts'

const plain = stylesFor({ isTerminal: false }, {})

const unknownKey: Problem = {
  file: './rules/cdn.yaml',
  line: 4,
  column: 5,
  severity: 'error',
  code: 'unknown-key',
  message: 'unknown key `whem`',
  hint: 'did you mean `when`?',
  source: { text: '    whem: { a: 1 }', length: 4 },
}

const broad: Problem = {
  ...unknownKey,
  line: 2,
  column: 3,
  severity: 'warning',
  code: 'matches-everything',
  message: '`purge` matches every event of edits',
  hint: null,
  source: null,
}

function aReport(changes: Partial<CheckReport> = {}): CheckReport {
  return {
    problems: [],
    files: ['rules/good.yaml'],
    rules: 1,
    untested: 0,
    tests: { passed: 0, failed: 0, notRun: 0, cases: [] },
    ...changes,
  }
}

const ranTests: CheckReport['tests'] = {
  passed: 1,
  failed: 1,
  notRun: 0,
  cases: [
    { file: 'rules/good.yaml', line: 9, rule: 'purge', name: 'an edit', failure: null },
    {
      file: 'rules/good.yaml',
      line: 9,
      rule: 'purge',
      name: 'a talk page',
      failure: 'a PURGE\n+ nothing',
    },
  ],
}

describe('a report of check, as text', () => {
  const summaries: readonly { report: Partial<CheckReport>; ends: string }[] = [
    { report: {}, ends: 'no problems in 1 file, 1 rule' },
    { report: { rules: 2, untested: 1 }, ends: 'no problems in 1 file, 2 rules (1 without tests)' },
    {
      report: { problems: [unknownKey, broad, broad] },
      ends: '1 error, 2 warnings in 1 file, 1 rule',
    },
    { report: { tests: ranTests }, ends: 'no problems in 1 file, 1 rule; 1 of 2 tests failed' },
  ]
  for (const { report, ends } of summaries) {
    it(`ends with "${ends}"`, () => {
      expect(textOf(aReport(report), plain).trimEnd().split('\n').at(-1)).to.equal(ends)
    })
  }

  it('shows a test that failed, and why', () => {
    expect(textOf(aReport({ tests: ranTests }), plain)).to.match(
      /^rules\/good\.yaml:9: failed: purge: a talk page\na PURGE\n\+ nothing\n\n/,
    )
  })
})

describe('a report of check, as JSON', () => {
  it('counts files and tests, and names the tests that failed', () => {
    expect(JSON.parse(jsonOf(aReport({ tests: ranTests })))).to.deep.equal({
      problems: [],
      left_out: [],
      files: 1,
      rules: 1,
      tests: {
        passed: 1,
        failed: 1,
        not_run: 0,
        cases: ranTests.cases.filter(({ failure }) => failure !== null),
      },
    })
  })
})

describe('a report of check, for GitHub', () => {
  it('is one command per problem, by the path from the root, and the summary', () => {
    expect(githubOf(aReport({ problems: [unknownKey, broad] }))).to.equal(`\
::error file=rules/cdn.yaml,line=4,col=5,endColumn=9,title=unknown-key::unknown key \`whem\`%0Ahint: did you mean \`when\`?
::warning file=rules/cdn.yaml,line=2,col=3,title=matches-everything::\`purge\` matches every event of edits
1 error, 1 warning in 1 file, 1 rule
`)
  })

  it('has a command for a test that failed', () => {
    expect(githubOf(aReport({ tests: ranTests }))).to.contain(
      '::error file=rules/good.yaml,line=9,title=test-failed::purge: a talk page%0Aa PURGE%0A+ nothing\n',
    )
  })

  it('escapes what would end a property or the command', () => {
    const problem = { ...broad, file: 'a,b:c%.yaml', message: '100%: a,\r\n::error::b' }
    expect(githubOf(aReport({ problems: [problem] })).split('\n')[0]).to.equal(
      '::warning file=a%2Cb%3Ac%25.yaml,line=2,col=3,title=matches-everything::' +
        '100%25: a,\uFFFD\uFFFD::error::b',
    )
  })

  it('lets no text begin a command of its own', () => {
    fc.assert(
      fc.property(hostileText, hostileText, hostileText, (file, message, hint) => {
        const text = githubOf(aReport({ problems: [{ ...broad, file, message, hint }] }))
        expect(text.split(/\r\n|\r|\n/)).to.have.length(3)
      }),
    )
  })
})

describe('a report of check on a file with too many mistakes', () => {
  const many = Array.from({ length: 102 }, (_, i) => ({ ...unknownKey, line: i + 1 }))
  const report = aReport({ problems: [...many, broad] })

  it('is bounded as text, and the summary counts all', () => {
    const blocks = textOf(report, plain).split('\n\n')
    expect(blocks).to.have.length(102)
    expect(blocks.slice(-2)).to.deep.equal([
      './rules/cdn.yaml: and 2 more errors and 1 more warning',
      '102 errors, 1 warning in 1 file, 1 rule\n',
    ])
  })

  it('is bounded as JSON, with the numbers', () => {
    const document = JSON.parse(jsonOf(report)) as CheckDocument // as: what `jsonOf` writes
    expect(document.problems).to.have.length(100)
    expect(document.left_out).to.deep.equal([{ file: './rules/cdn.yaml', errors: 2, warnings: 1 }])
  })

  it('is bounded for GitHub, with a command of its own', () => {
    const lines = githubOf(report).trimEnd().split('\n')
    expect(lines).to.have.length(102)
    expect(lines.at(-2)).to.equal(
      '::error file=rules/cdn.yaml,title=left-out::and 2 more errors and 1 more warning',
    )
  })

  it('is bounded as JUnit XML, in what its suite wrote', () => {
    withJunit(junitOf('check', report), (root) => {
      expect(root.attr('failures')?.value).to.equal('100')
      expect(root.content).to.contain('./rules/cdn.yaml: and 2 more errors and 1 more warning')
    })
  })
})

const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('\r\n', '\0', '\u001b[2J', ']]>', '<!--', '&amp;', '\ud800', '\uffff', '"'),
    ),
  )
  .map((parts) => parts.join(''))

/** What Jenkins' xUnit plugin checks, as far as we write it. */
const junitXsd = readFileSync(new URL('../../fixtures/junit/junit.xsd', import.meta.url))

/** Parses, validates, and hands over the root. */
function withJunit<T>(text: string, look: (root: XmlElement) => T): T {
  const schema = XmlDocument.fromBuffer(junitXsd)
  const validator = XsdValidator.fromDoc(schema)
  const document = XmlDocument.fromString(text)
  try {
    validator.validate(document)
    return look(document.root)
  } finally {
    document.dispose()
    validator.dispose()
    schema.dispose()
  }
}

/** The texts at an XPath. */
function at(root: XmlElement, path: string): readonly string[] {
  return root.find(path).map((node) => node.content)
}

describe('a report of check, as JUnit XML', () => {
  it('has a suite per file, a failure per error, and warnings as what was written', () => {
    const report = aReport({
      files: ['./rules/cdn.yaml', 'rules/good.yaml'],
      problems: [unknownKey, broad],
    })
    withJunit(junitOf('check', report), (root) => {
      expect(at(root, '/testsuites/@tests')).to.deep.equal(['2'])
      expect(at(root, '//testsuite/@name')).to.deep.equal(['./rules/cdn.yaml', 'rules/good.yaml'])
      expect(at(root, '//testsuite/@failures')).to.deep.equal(['1', '0'])
      expect(at(root, '//testcase/@name')).to.deep.equal(['4:5 unknown-key', 'no errors'])
      expect(at(root, '//failure/@message')).to.deep.equal(['unknown key `whem`'])
      expect(at(root, '//failure')).to.deep.equal([
        './rules/cdn.yaml:4:5: error: unknown key `whem` [unknown-key]\n' +
          '  4 |     whem: { a: 1 }\n    |     ^^^^\n  hint: did you mean `when`?',
      ])
      expect(at(root, '//system-out')).to.deep.equal([
        './rules/cdn.yaml:2:3: warning: `purge` matches every event of edits [matches-everything]\n',
      ])
    })
  })

  it('has a suite for a file that could not be read', () => {
    const problems = [{ ...unknownKey, file: 'gone.yaml', source: null }]
    withJunit(junitOf('check', aReport({ problems })), (root) => {
      expect(at(root, '//testsuite/@name')).to.deep.equal(['rules/good.yaml', 'gone.yaml'])
    })
  })

  it('has a case per test beside a rule', () => {
    withJunit(junitOf('check', aReport({ tests: ranTests })), (root) => {
      expect(at(root, '//testcase/@name')).to.deep.equal([
        'no errors',
        'purge: an edit',
        'purge: a talk page',
      ])
      expect(at(root, '//testcase[failure]/@name')).to.deep.equal(['purge: a talk page'])
      expect(at(root, '//failure')).to.deep.equal(['a PURGE\n+ nothing'])
    })
  })

  it('is XML of that form whatever the texts hold', () => {
    fc.assert(
      fc.property(hostileText, hostileText, hostileText, (file, message, source) => {
        const problem = { ...unknownKey, file, message, source: { text: source, length: 1 } }
        const report = aReport({ problems: [problem, { ...problem, severity: 'warning' }] })
        withJunit(junitOf('check', report), (root) => {
          expect(at(root, '//failure')).to.have.length(1)
        })
      }),
    )
  })
})
