import type { Json } from '../../src/model/json.ts'
import type { RawMap } from './naive.ts'

/*
 * What generated rules and events are made of. Few of each, so that rules overlap and events nearly
 * match; the tests of a rule are cut from the same words that events then hold.
 */

export const words: readonly string[] = [
  'edit',
  'Edit',
  'move',
  'enwiki',
  'EnWiki',
  'dewiki',
  'enwiktionary',
  'File:A',
  'File:a b',
  'Talk:A',
  'Straße',
  'STRAẞE',
  'ΣΑΣ',
  'σας',
  'k1',
  '\u212a1',
  'İx',
  'ıx',
  'x',
  'xy',
  'a*b',
  'a\\b',
  'a😀b',
  '1',
  '10',
  'true',
  'null',
  'constructor',
  '__proto__',
  '10.1.2.3',
  '10.1.2.255',
  '10.1.3.0',
  '010.1.2.3',
  '2001:db8::1',
  '2001:DB8:0:0::1',
  '::ffff:10.1.2.3',
]

export const blocksOfAddresses: readonly string[] = [
  '10.0.0.0/8',
  '10.1.2.0/24',
  '10.1.2.3/32',
  '10.1.2.254/31',
  '0.0.0.0/0',
  '2001:db8::/32',
  '2001:db8::1/128',
  '::ffff:0:0/96',
  '::/0',
]

export const numbers: readonly number[] = [-1, 0, 0.5, 1, 1.5, 2, 9, 10, 11, 42, 100, 1_000, 1e15]

export const scalars: readonly Json[] = [...words, ...numbers, true, false, null]

export const lists: RawMap = {
  wikis: ['enwiki', 'dewiki', 'x'],
  mixed: ['1', 10, null, true, 'Edit', 'Straße'],
  one: [42],
}

/** Of texts, of numbers and of lists by habit; any of them may be asked for anything. */
export const paths = {
  texts: [
    'kind',
    'wiki',
    'page.title',
    'meta.domain',
    'ip',
    'a\\.b',
    'constructor',
    'page.__proto__',
    '\\__proto__',
    'toString',
    '\\any',
    '\\@topic',
    '@topic',
    '@key',
    '@headers.source',
    '@headers.with.dots',
  ],
  numbers: ['size', 'page.id', 'page.ns', 'length', '@partition', '@offset', '@timestamp'],
  lists: ['tags', 'page.tags', 'links'],
} as const

/** Paths that start at an element of a list of maps. */
export const elementPaths = {
  texts: ['to', 'kind', 'in.kind', 'constructor', 'x\\.y', '@topic'],
  numbers: ['ns', 'length'],
  lists: ['tags', 'rows'],
} as const

/** Lists of maps. */
export const mapLists = ['links', 'page.links'] as const
export const elementMapLists = ['rows', 'in.rows'] as const

export const topics = ['edits', 'moves', 'mw.page', 'mw.job.purge'] as const
