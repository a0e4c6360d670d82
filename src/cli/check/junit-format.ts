import type { Problem } from '../../model/problem.ts'
import { boundProblems, type BoundProblems } from '../../schema/bound-problems.ts'
import { renderLeftOut, renderProblem } from '../../schema/render-problem.ts'
import { xmlDocument, type XmlElement } from '../xml.ts'
import type { CheckReport, TestCaseReport } from './check-report.ts'

/*
 * For CI servers, which know neither warnings nor files, only suites of cases: a file is a suite, an
 * error a case that failed, and warnings are what the suite wrote. A file without errors has a case
 * that passed, so that a run in which all is well is not taken for one that found nothing to look at.
 * The form is the one that Jenkins' xUnit plugin checks (junit-10.xsd), read by GitLab and others too.
 */

/** One suite per file; cases beside rules are cases of theirs. `command` is who wrote it. */
export function junitOf(command: 'check' | 'test', report: CheckReport): string {
  const names = new Set([...report.files, ...report.problems.map(({ file }) => file)])
  const bound = boundProblems(report.problems)
  const suites = [...names].map((file) => suiteOf(file, report, bound))
  return xmlDocument({
    name: 'testsuites',
    attributes: { name: `sluice ${command}`, ...totalOf(suites) },
    children: suites.map(({ element }) => element),
  })
}

interface Suite {
  readonly element: XmlElement
  readonly tests: number
  readonly failures: number
}

function totalOf(suites: readonly Suite[]): { tests: number; failures: number } {
  return {
    tests: suites.reduce((sum, { tests }) => sum + tests, 0),
    failures: suites.reduce((sum, { failures }) => sum + failures, 0),
  }
}

function suiteOf(file: string, { tests }: CheckReport, { shown, leftOut }: BoundProblems): Suite {
  const ofFile = shown.filter((problem) => problem.file === file)
  const errors = ofFile.filter(({ severity }) => severity === 'error')
  const warnings = ofFile.filter(({ severity }) => severity === 'warning')
  const cases = tests.cases.filter((one) => one.file === file)
  const testcases = [
    ...(errors.length === 0
      ? [testcase(file, 'no errors', null)]
      : errors.map((problem) => testcase(file, nameOf(problem), failureOf(problem)))),
    ...cases.map((one) => testcase(file, `${one.rule}: ${one.name}`, failureOfCase(one))),
  ]
  const failures = errors.length + cases.filter(({ failure }) => failure !== null).length
  const others = leftOut.filter((one) => one.file === file).map(renderLeftOut)
  const lines = [...warnings.map(renderProblem), ...others]
  const written = lines.length === 0 ? [] : [`${lines.join('\n\n')}\n`]
  const element: XmlElement = {
    name: 'testsuite',
    attributes: { name: file, tests: testcases.length, failures, errors: 0, skipped: 0 },
    children: [
      ...testcases,
      ...written.map((text) => ({ name: 'system-out', attributes: {}, children: [text] })),
    ],
  }
  return { element, tests: testcases.length, failures }
}

function testcase(file: string, name: string, failure: XmlElement | null): XmlElement {
  return {
    name: 'testcase',
    attributes: { classname: file, name },
    children: failure === null ? [] : [failure],
  }
}

/** The place is part of it: CI servers take cases of one name for one and the same. */
function nameOf({ line, column, code }: Problem): string {
  return `${line}:${column} ${code}`
}

function failureOf(problem: Problem): XmlElement {
  return {
    name: 'failure',
    attributes: { type: problem.code, message: problem.message },
    children: [renderProblem(problem)],
  }
}

function failureOfCase({ failure }: TestCaseReport): XmlElement | null {
  if (failure === null) return null
  return {
    name: 'failure',
    attributes: { type: 'test-failed', message: 'the case does not do what it expects' },
    children: [failure],
  }
}
