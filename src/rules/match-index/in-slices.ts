/**
 * Work that can be put aside: it yields where it may be, a millisecond or so after it last did. All
 * that grows with the number of rules is written so, and who runs it says how.
 */
export type Slices<Result> = Generator<void, Result>

/** Lets others go first if it is time; gives back at once if it is not. */
export type Breathe = () => Promise<void>

export function runAtOnce<Result>(work: Slices<Result>): Result {
  let step = work.next()
  while (step.done !== true) step = work.next()
  return step.value
}

export async function runInSlices<Result>(work: Slices<Result>, breathe: Breathe): Promise<Result> {
  let step = work.next()
  while (step.done !== true) {
    await breathe()
    step = work.next()
  }
  return step.value
}

/** Counts work, in any unit; says that it is time to yield whenever `units` of it are done. */
export function pauseAfter(units: number): (done: number) => boolean {
  let left = units
  return (done) => {
    left -= done
    if (left > 0) return false
    left = units
    return true
  }
}
