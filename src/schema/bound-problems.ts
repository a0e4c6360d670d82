import type { Problem } from '../model/problem.ts'

/**
 * Problems of one file that are shown: more than anybody mends before looking again, and few enough
 * that one mistake in ten thousand entries does not bury those of other files.
 */
const problemsShownMax = 100

/** How many problems of a file are not shown. */
export interface LeftOut {
  readonly file: string
  readonly errors: number
  readonly warnings: number
}

export interface BoundProblems {
  /** In the order in which they were given. Of each file errors before warnings, the first of them. */
  readonly shown: readonly Problem[]
  /** Only files of which something is left out. */
  readonly leftOut: readonly LeftOut[]
}

/** As many problems of each file as are shown, and the number of the others. */
export function boundProblems(problems: readonly Problem[]): BoundProblems {
  const byFile = new Map<string, Problem[]>()
  for (const problem of problems) {
    const ofFile = byFile.get(problem.file)
    if (ofFile === undefined) byFile.set(problem.file, [problem])
    else ofFile.push(problem)
  }
  const shown = new Set<Problem>()
  const leftOut: LeftOut[] = []
  for (const [file, ofFile] of byFile) {
    const errors = ofFile.filter(({ severity }) => severity === 'error')
    const warnings = ofFile.filter(({ severity }) => severity === 'warning')
    const chosen = [...errors, ...warnings].slice(0, problemsShownMax)
    for (const problem of chosen) shown.add(problem)
    if (chosen.length === ofFile.length) continue
    const errorsShown = Math.min(errors.length, problemsShownMax)
    leftOut.push({
      file,
      errors: errors.length - errorsShown,
      warnings: warnings.length - (chosen.length - errorsShown),
    })
  }
  return { shown: problems.filter((problem) => shown.has(problem)), leftOut }
}

/** `and 9,900 more errors`. */
export function leftOutText({ errors, warnings }: LeftOut): string {
  const parts = [
    errors === 0 ? '' : counted(errors, 'error'),
    warnings === 0 ? '' : counted(warnings, 'warning'),
  ].filter((part) => part !== '')
  return `and ${parts.join(' and ')}`
}

function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} more ${noun}${n === 1 ? '' : 's'}`
}
