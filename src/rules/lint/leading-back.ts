import type { Problem } from '../../model/problem.ts'
import { actionsOf, type TopicSelector } from '../rule.ts'
import type { Linted } from './linted.ts'

/*
 * Rules whose emitted topics lead back to them. The steps of a way go from a topic to the rules that
 * read it and from them to the topics that they emit; rules that write `topics` alike are one step,
 * because 100,000 rules mostly read a handful of topics. What cannot lie on a circle is taken away
 * first, which mostly leaves nothing; only for the rest is a way back looked for.
 */

/** Rules that read the same topics. */
interface Readers {
  readonly topics: TopicSelector
  /** What they emit to, and the first of them that does. */
  readonly emits: Map<string, Linted>
  /** Those of the topics that rules emit to which they read. */
  readonly reads: Set<string>
}

/** Who is at the ends of a topic that rules emit to. */
interface Ends {
  readonly readers: Set<Readers>
  readonly emitters: Set<Readers>
}

/** Told at the rule that closes the circle; rules that only feed into one are not part of it. */
export function leadingBack(rules: readonly Linted[]): readonly Problem[] {
  const groups = groupsOf(rules)
  const ends = endsOf([...groups.values()])
  takeAway([...groups.values()], ends)
  const told = new Set<Linted>()
  return rules.flatMap((loaded) => {
    const group = groups.get(loaded.rule.topics.text)
    if (group === undefined || told.has(loaded)) return []
    const circle = wayBack(loaded, group, ends)
    if (circle === null) return []
    for (const member of circle) told.add(member)
    const way = [...circle, loaded].map(({ rule }) => rule.name).join(' -> ')
    return [
      loaded.document.problemAt(loaded.at, 'key', {
        severity: 'warning',
        code: 'leads-back',
        message: `what \`${loaded.rule.name}\` emits leads back to it: ${way}`,
        hint: 'make sure that a condition ends the circle; after one round its events are dead-lettered',
      }),
    ]
  })
}

function emittedBy({ rule }: Linted): readonly string[] {
  return actionsOf(rule).flatMap(({ emitsTo }) => emitsTo ?? [])
}

function groupsOf(rules: readonly Linted[]): Map<string, Readers> {
  const groups = new Map<string, Readers>()
  for (const one of rules) {
    const { topics } = one.rule
    const group = groups.get(topics.text) ?? {
      topics,
      emits: new Map<string, Linted>(),
      reads: new Set<string>(),
    }
    groups.set(topics.text, group)
    for (const topic of emittedBy(one)) {
      if (!group.emits.has(topic)) group.emits.set(topic, one)
    }
  }
  return groups
}

function endsOf(groups: readonly Readers[]): ReadonlyMap<string, Ends> {
  const ends = new Map<string, Ends>()
  for (const group of groups) {
    for (const topic of group.emits.keys()) {
      const known = ends.get(topic) ?? { readers: new Set(), emitters: new Set() }
      ends.set(topic, known)
      known.emitters.add(group)
    }
  }
  const link = (topic: string, group: Readers): void => {
    ends.get(topic)?.readers.add(group)
    if (ends.has(topic)) group.reads.add(topic)
  }
  for (const group of groups) {
    for (const name of group.topics.names) link(name, group)
    if (group.topics.globs.length === 0) continue
    for (const topic of ends.keys()) if (group.topics.matches(topic)) link(topic, group)
  }
  return ends
}

/** Cuts off, again and again, who emits nothing that is read, and who reads nothing that is emitted. */
function takeAway(groups: readonly Readers[], ends: ReadonlyMap<string, Ends>): void {
  const open = [...groups]
  for (let group = open.pop(); group !== undefined; group = open.pop()) {
    const isRead = [...group.emits.keys()].some((topic) => (ends.get(topic)?.readers.size ?? 0) > 0)
    if (isRead && group.reads.size > 0) continue
    for (const topic of group.reads) {
      const { readers, emitters } = ends.get(topic) ?? { readers: null, emitters: [] }
      readers?.delete(group)
      if (readers?.size === 0) open.push(...emitters)
    }
    for (const topic of group.emits.keys()) {
      const { readers, emitters } = ends.get(topic) ?? { readers: [], emitters: null }
      emitters?.delete(group)
      if (emitters?.size !== 0) continue
      for (const reader of readers) {
        reader.reads.delete(topic)
        open.push(reader)
      }
    }
    group.reads.clear()
    group.emits.clear()
  }
}

/** The shortest way from a rule back to itself, itself first, or `null`. */
function wayBack(
  start: Linted,
  home: Readers,
  ends: ReadonlyMap<string, Ends>,
): readonly Linted[] | null {
  const ways = emittedBy(start).map((topic) => ({ topic, way: [start] as readonly Linted[] }))
  const seen = new Set<string>(ways.map(({ topic }) => topic))
  for (let i = 0; i < ways.length; i++) {
    const { topic, way } = ways[i] ?? { topic: '', way: [] }
    const readers = ends.get(topic)?.readers ?? new Set()
    if (readers.has(home)) return way
    for (const { emits } of readers) {
      for (const [next, by] of emits) {
        if (seen.has(next)) continue
        seen.add(next)
        ways.push({ topic: next, way: [...way, by] })
      }
    }
  }
  return null
}
