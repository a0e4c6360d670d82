import type { Json, JsonObject } from '../../src/model/json.ts'
import type { WrittenMatch } from '../support/match-rule.ts'
import { seeded } from '../support/seed.ts'

/*
 * Rules as people write them for edits, from one seed: of several wikis, most of them small; of one
 * page, of the pages below a prefix, of a user, of a set of wikis. Few of them fire for an event of
 * English Wikipedia, as it would be: every tenth rule at most is about it, and of those each is about
 * a page or a user that turns up rarely. The first `atHome` are cut from the recorded events
 * themselves, so that sets of every size fire alike, for two events in three.
 *
 * `usual` asks for wiki, domain, namespace, title, user and page; `wide` for five fields more, and
 * for parts of texts.
 */
export type Mix = 'usual' | 'wide'

export interface Edit {
  readonly title: string
  readonly user: string
  readonly namespace: number
  readonly revision: { readonly old: number }
}

const atHome = 50

const syllables = ['ka', 'lo', 'mi', 'ren', 'sta', 'tor', 'ven', 'ban', 'hol', 'gri', 'per', 'und']
const spaces: readonly (readonly [number, string])[] = [
  [0, 'List of '],
  [1, 'Talk:'],
  [2, 'User:'],
  [3, 'User talk:'],
  [4, 'Wikipedia:'],
  [10, 'Template:'],
  [14, 'Category:'],
  [118, 'Draft:'],
]

export function selectiveRules(
  count: number,
  edits: readonly Edit[],
  mix: Mix,
): readonly WrittenMatch[] {
  const random = seeded(count)
  const name = nameMaker(random)
  return Array.from({ length: count }, (_, i) => ({
    name: `rule-${i}`,
    when: i < atHome ? homeRule(i, edits, mix) : farRule(random, name, mix),
  }))
}

/** A rule that fires for about one recorded edit in a hundred, or for one in twenty. */
function homeRule(i: number, edits: readonly Edit[], mix: Mix): JsonObject {
  const edit = edits[(i * 37) % edits.length]
  if (edit === undefined) throw new Error('no recorded edits')
  const { title, namespace, user } = edit
  switch (i % (mix === 'usual' ? 6 : 8)) {
    case 0:
    case 1:
      return { wiki: 'enwiki', title }
    case 2:
      return { wiki: 'enwiki', namespace, title: { prefix: title.slice(0, 7) } }
    case 3:
      return { 'meta.domain': 'en.wikipedia.org', user }
    case 4:
      return { wiki: ['enwiki', 'dewiki', 'frwiki'], type: 'edit', title }
    case 5:
      return { wiki: 'enwiki', 'revision.old': edit.revision.old }
    case 6:
      return { wiki: 'enwiki', title: { suffix: title.slice(-8) } }
    default:
      return { 'meta.domain': { suffix: '.wikipedia.org' }, namespace: 118, bot: false }
  }
}

function farRule(random: () => number, name: () => string, mix: Mix): JsonObject {
  const wiki = wikiOf(random)
  const [namespace, prefix] = spaces[Math.floor(random() * spaces.length)] ?? [0, '']
  const page = 1 + Math.floor(random() * 2e9)
  const kind = random() * (mix === 'usual' ? 0.75 : 1)
  if (kind < 0.25) return { wiki: wiki.id, title: `${prefix}${name()}` }
  if (kind < 0.4) return { wiki: wiki.id, namespace, title: { prefix: `${prefix}${name()}/` } }
  if (kind < 0.5 && wiki.id !== 'enwiki') {
    return { wiki: wiki.id, namespace, title: { prefix } }
  }
  if (kind < 0.6) return { 'meta.domain': wiki.domain, user: name() }
  if (kind < 0.7) return { wiki: wiki.id, 'revision.old': page }
  if (kind < 0.75) return { wiki: wikisOf(random), namespace: 0, title: { prefix: name() } }
  if (kind < 0.8) {
    return { wiki: wikisOf(random), user: { not: name() }, title: { suffix: ` (${name()})` } }
  }
  if (kind < 0.85) {
    return { wiki: wikisOf(random), user: Array.from({ length: 6 }, name), bot: false }
  }
  if (kind < 0.9) return { wiki: wiki.id, comment: { contains: name() }, minor: false }
  if (kind < 0.95) return { title: name(), 'length.new': { gt: Math.floor(random() * 1e5) } }
  return { any: [{ title: name() }, { user: name(), wiki: wiki.id }] }
}

/** Wikis by size: the n-th has a share of about 1/n. */
function wikiOf(random: () => number): { readonly id: string; readonly domain: string } {
  const rank = Math.floor(800 ** random())
  const language = rank === 1 ? 'en' : `l${rank}`
  return { id: `${language}wiki`, domain: `${language}.wikipedia.org` }
}

function wikisOf(random: () => number): Json {
  return [...new Set(Array.from({ length: 5 }, () => wikiOf(random).id))]
}

/** Names from a seed. */
export function namesFrom(seed: number): () => string {
  return nameMaker(seeded(seed))
}

/** Names such as `Kalo Rentaban`. */
function nameMaker(random: () => number): () => string {
  const word = () => {
    const parts = Array.from({ length: 2 + Math.floor(random() * 2) }, () => {
      return syllables[Math.floor(random() * syllables.length)] ?? ''
    }).join('')
    return parts.charAt(0).toUpperCase() + parts.slice(1)
  }
  return () => `${word()} ${word()}`
}
