/** Something of a config that a rule of ours does not say, or says otherwise. */
export interface Finding {
  readonly file: string
  /** 1-based, of the config that was read. */
  readonly line: number
  /** The name of the rule as ours is called; `null`: about the config as a whole. */
  readonly rule: string | null
  readonly what: string
  readonly why: string
  /** What a person can do. */
  readonly instead: string
}

export type Note = (line: number, what: string, why: string, instead: string) => void

/** Collects findings of one file. */
export class Findings {
  readonly all: Finding[] = []
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** A note-taker for one rule, or with `null` for the config as a whole. */
  of(rule: string | null): Note {
    return (line, what, why, instead) => {
      const isKnown = this.all.some(
        (one) => one.rule === rule && one.line === line && one.what === what && one.why === why,
      )
      if (!isKnown) this.all.push({ file: this.#file, line, rule, what, why, instead })
    }
  }

  ofRule(rule: string): readonly Finding[] {
    return this.all.filter((finding) => finding.rule === rule)
  }
}
