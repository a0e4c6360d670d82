import { hash } from 'node:crypto'
import type { StoreKey } from '../../model/store-calls.ts'

/*
 * Names of keys: `<prefix>:{<tag>}:<rule>:<key>`, or `<prefix>:{<tag>}:<rule>#<digest>` for what is
 * long or would not be the same text again in UTF-8.
 *
 * A Cluster runs a script on keys of one slot only, and the tag in braces decides the slot. So rule
 * and key are dealt to sixteen tags, and a script carries the calls of one. The other kinds of
 * servers have the same names, so that data can be moved.
 */

/**
 * Each lies in another sixteenth of the 16,384 slots, in their order: primaries with an even share of
 * slots in one piece have an even share of the tags.
 */
export const tags = [
  ...['10', '3', '61', '43', '11', '2', '60', '42'],
  ...['12', '1', '63', '41', '13', '0', '62', '40'],
] as const

/** Longer ones cost more memory than all that is kept of them. */
const keyBytesMax = 128
/** 128 bits: of 10^12 keys no two are taken for one. */
const keyDigestChars = 22
const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

/** What a rule may be called so that no other rule and key give the same name. */
const plainRule = /^[\w./-]{0,200}$/
/** With `u` a pair that belongs together is one character, and not of this kind. */
const halfCharacter = /\p{Surrogate}/u

/** The index in `tags` of what `key` is kept under. The same in every version: data outlives us. */
export function tagOf({ rule, key }: StoreKey): number {
  return fnv(key, fnv(rule, fnvOffset)) % tags.length
}

/** FNV-1a over UTF-16 units: cheap, and even enough for sixteen places. */
function fnv(text: string, from: number): number {
  let sum = from
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), fnvPrime)
  return sum >>> 0
}

export function nameOf(prefix: string, tag: number, asked: StoreKey): string {
  const { rule, key } = asked
  const head = `${prefix}:{${tags[tag]}}:`
  if (!plainRule.test(rule)) return `${head}#${digestOf(asked)}`
  return isPlain(key) ? `${head}${rule}:${key}` : `${head}${rule}#${digestOf(asked)}`
}

/** The key by which it is noticed that a server was emptied. No rule and key have this name. */
export function epochNameOf(prefix: string, tag: number): string {
  return `${prefix}:{${tags[tag]}}:epoch`
}

function isPlain(key: string): boolean {
  if (key.length > keyBytesMax) return false
  const bytes = Buffer.byteLength(key)
  return bytes === key.length || (bytes <= keyBytesMax && !halfCharacter.test(key))
}

function digestOf({ rule, key }: StoreKey): string {
  // UTF-16, for halves of characters become one and the same in UTF-8.
  const all = Buffer.from(`${rule.length}:${rule}${key}`, 'utf16le')
  return hash('sha256', all, 'base64url').slice(0, keyDigestChars)
}

/** 96 bits: of a billion tasks no two are taken for one. */
const taskDigestChars = 16
/** 48 bits: of the thousands of partitions that there are no two are taken for one. */
const sourceDigestChars = 8
/** Partitions that this process has met lately. Above that the digests are made anew. */
const sourcesMax = 10_000
const sources = new Map<string, string>()

/** What is kept of the id of a task: always of the same length, however long rule and topic are. */
export function taskDigestOf(task: string): string {
  return hash('sha256', task, 'base64url').slice(0, taskDigestChars)
}

/** What is kept of the name of a partition. */
export function sourceDigestOf(source: string): string {
  const known = sources.get(source)
  if (known !== undefined) return known
  if (sources.size >= sourcesMax) sources.clear()
  const digest = hash('sha256', source, 'base64url').slice(0, sourceDigestChars)
  sources.set(source, digest)
  return digest
}
