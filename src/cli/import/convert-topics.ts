import type { Json } from '../../model/json.ts'
import type { Sourced, SourcedMap } from '../../schema/lenient-yaml.ts'
import type { Note } from './findings.ts'
import { readRegex } from './convert-regex.ts'
import { entryOf } from './sourced.ts'

/** Names and globs that one regex may stand for; above it the regex means something else. */
const namesMax = 64

/** A name of a topic has 249 characters at most; the reader calls itself for each group. */
const regexLengthMax = 1_000

const topicForm = /^[A-Za-z0-9._*-]{1,249}$/

/**
 * `topics` of a rule from `topic`, `topics` and `exclude_topics`, each with the data centre that
 * change-propagation puts before it. `null` after noting why there are none.
 */
export function convertTopics(rule: SourcedMap, prefix: string, note: Note): Json | null {
  const written = entryOf(rule, 'topics') ?? entryOf(rule, 'topic')
  if (written === null) {
    note(rule.line, '`topic`', 'the rule names none, so it never ran', 'nothing was written')
    return null
  }
  const include = namesOf(written.value, prefix, 'topic', note)
  if (include.names.length === 0) return null
  const excluded = entryOf(rule, 'exclude_topics')
  if (excluded === null) return include.names
  const exclude = namesOf(excluded.value, prefix, 'exclude_topics', note)
  if (!exclude.areAll) return null // the rule would read what it should not
  return exclude.names.length === 0
    ? include.names
    : { include: include.names, exclude: exclude.names }
}

interface Names {
  readonly names: readonly string[]
  /** Else what is missing has been noted. */
  readonly areAll: boolean
}

function namesOf(node: Sourced, prefix: string, key: string, note: Note): Names {
  let areAll = true
  const items = node.kind === 'list' ? node.items : [node]
  const names = items.flatMap((item) => {
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || item.value === '') {
      areAll = false
      note(item.line, `\`${key}\``, 'it is not the name of a topic', 'write the name out')
      return []
    }
    const regex = readRegex(item.value)
    const globs = regex === null ? [item.value] : globsOf(regex.source)
    if (regex !== null && (globs === null || regex.flags.includes('i'))) {
      areAll = false
      note(
        item.line,
        `\`${key}: ${item.value}\``,
        'topics are names and globs, and no list of those says the same',
        'list the topics in the rule',
      )
      return []
    }
    const found = (globs ?? []).map((glob) => prefix + glob)
    const bad = found.find((name) => !topicForm.test(name))
    if (bad === undefined) return found
    areAll = false
    note(
      item.line,
      `\`${key}: ${item.value}\``,
      `${bad} is not the name of a topic`,
      'write it out',
    )
    return []
  })
  return { names: [...new Set(names)], areAll }
}

/**
 * The globs that stand for a regex, or `null` where none do: literals, `.*`, `.+`, short classes,
 * alternatives and what may be left out. `.+` becomes `*`, which an empty run fits as well.
 */
export function globsOf(source: string): readonly string[] | null {
  if (source.length > regexLengthMax) return null
  const reader = new GlobReader(source)
  const globs = reader.read()
  return globs === null ? null : [...new Set(globs.map((glob) => glob.replace(/\*+/g, '*')))]
}

class GlobReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  read(): readonly string[] | null {
    const isAnchored = this.#source.startsWith('^')
    if (isAnchored) this.#at = 1
    // Anchors within alternatives are not read; the ends of the whole are.
    const endsAnchored = /(?:^|[^\\])(?:\\\\)*\$$/.test(this.#source)
    const end = this.#source.length - (endsAnchored ? 1 : 0)
    const isSplit = this.#hasTopAlternative()
    if (isSplit && (isAnchored || endsAnchored)) return null
    const found = this.#alternatives(end)
    if (found === null || this.#at !== end) return null
    return found.map((glob) => `${isAnchored ? '' : '*'}${glob}${endsAnchored ? '' : '*'}`)
  }

  #hasTopAlternative(): boolean {
    let depth = 0
    for (let i = 0; i < this.#source.length; i++) {
      const character = this.#source.charAt(i)
      if (character === '\\') i++
      else if (character === '(') depth++
      else if (character === ')') depth--
      else if (character === '|' && depth === 0) return true
    }
    return false
  }

  #alternatives(end: number): readonly string[] | null {
    const all: string[] = []
    for (;;) {
      const found = this.#sequence(end)
      if (found === null) return null
      all.push(...found)
      if (all.length > namesMax) return null
      if (this.#at >= end || this.#source.charAt(this.#at) !== '|') return all
      this.#at++
    }
  }

  #sequence(end: number): readonly string[] | null {
    let found: readonly string[] = ['']
    while (this.#at < end && !'|)'.includes(this.#source.charAt(this.#at))) {
      const atom = this.#atom(end)
      if (atom === null) return null
      found = found.flatMap((before) => atom.map((after) => before + after))
      if (found.length > namesMax) return null
    }
    return found
  }

  #atom(end: number): readonly string[] | null {
    const isAny = this.#source.charAt(this.#at) === '.'
    const atom = isAny ? this.#any() : this.#one(end)
    if (atom === null) return null
    const follows = this.#source.charAt(this.#at)
    if (this.#at < end && /[*+{]/.test(follows)) return null
    if (this.#at >= end || follows !== '?') return atom
    this.#at++
    return [...atom, '']
  }

  /** `.*` and `.+`, lazy ones too; a lone `.` is one character, which no glob says. */
  #any(): readonly string[] | null {
    const run = /^\.[*+]\??/.exec(this.#source.slice(this.#at))
    if (run === null) return null
    this.#at += run[0].length
    return ['*']
  }

  #one(end: number): readonly string[] | null {
    const character = this.#source.charAt(this.#at)
    if (character === '(') return this.#group(end)
    if (character === '[') return this.#class()
    if (character === '\\') {
      const escaped = this.#source.charAt(this.#at + 1)
      if (!/^[^A-Za-z0-9*]$/.test(escaped)) return null
      this.#at += 2
      return [escaped]
    }
    if (/[\^$*+?{}\])]/.test(character)) return null
    this.#at++
    return [character]
  }

  #group(end: number): readonly string[] | null {
    const open = /^\((?:\?:)?(?!\?)/.exec(this.#source.slice(this.#at))
    if (open === null) return null
    this.#at += open[0].length
    const inner = this.#alternatives(end)
    if (inner === null || this.#source.charAt(this.#at) !== ')') return null
    this.#at++
    return inner
  }

  #class(): readonly string[] | null {
    const found = /^\[([\w.-]+)\]/.exec(this.#source.slice(this.#at))
    const members = found?.[1]
    if (found === null || members === undefined || /\w-\w/.test(members)) return null
    this.#at += found[0].length
    return [...new Set(members)]
  }
}
