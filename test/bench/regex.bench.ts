import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { RE2JS } from 're2js'
import { compileRegex, valueCharsMax } from '../../src/rules/regex.ts'

/*
 * What a regex costs: the linear engine beside the built-in one on titles, and how the cost grows
 * with the length of a hostile value.
 *
 *   npm run bench:regex -- titles.ndjson
 *
 * Each line of the file is an event with a `title`, as in Wikimedia's `recentchange` stream. Without
 * a file, titles are made up.
 */

const [path] = process.argv.slice(2)
const titles = path === undefined ? madeUpTitles() : await titlesOf(path)

console.log(`${titles.length} titles; million tests a second`)
console.log(row('pattern', 'engine', 'ours', 're2js', 'RegExp'))
const patterns = [
  '^Talk:',
  '^(?:Talk|User talk|Wikipedia|Category):',
  '^List of [^/]+$',
  '^(?P<namespace>[A-Za-z ]+):(?P<page>[^/]+)$',
  '\\(disambiguation\\)$',
  '(?i)bot\\b',
  '^.*[0-9]{4}.*season$',
  '^\\pL+ \\pL+$',
]
for (const pattern of patterns) {
  const { engine, test } = compiled(pattern)
  const linear = RE2JS.compile(pattern)
  const inJs = pattern.replaceAll('(?P<', '(?<').replaceAll('\\pL', '\\p{L}')
  const builtin = new RegExp(inJs.replace('(?i)', ''), inJs.startsWith('(?i)') ? 'iu' : 'u')
  const speeds = [test, (text: string) => linear.test(text), (text: string) => builtin.test(text)]
  console.log(row(pattern, engine, ...speeds.map((run) => millionsPerSecond(run).toFixed(2))))
}

console.log('\nhostile values; ms for one test, and for its captures')
const lengths = [8_192, 16_384, 32_768, valueCharsMax]
console.log(row('pattern', 'engine', ...lengths.map(String)))
const evil: [pattern: string, pumped: string, last: string][] = [
  ['^(a+)+$', 'a', '!'],
  ['^(a|a)*b?$', 'a', '!'],
  ['^(?P<x>(?:.*)*)x?$', 'a', '\n'],
  ['^(?:a{0,12}){0,12}$', 'a', '!'],
  ['^[ab]*a[ab]{50}$', noise(), '!'],
  ['^[ab]*a[ab]{400}$', noise(), '!'],
  ['^(?P<x>[ab]*a[ab]{400})$', noise(), '!'],
  ['^/wiki/(?P<t>[^?]+)\\?', '/wiki/', '!'],
]
for (const [pattern, pumped, last] of evil) {
  const times = lengths.map((length) => {
    const { test, captures } = compiled(pattern)
    const text = pumped.repeat(Math.ceil(length / pumped.length)).slice(0, length - 1) + last
    const began = performance.now()
    test(text)
    const tested = performance.now()
    captures(text)
    const captured = performance.now()
    return `${(tested - began).toFixed(1)} + ${(captured - tested).toFixed(1)}`
  })
  console.log(row(pattern, compiled(pattern).engine, ...times))
}

function compiled(pattern: string) {
  const result = compileRegex(pattern, { ci: false, search: true })
  if (!result.ok) throw new Error(`${pattern}: ${result.message}`)
  return result.regex
}

function millionsPerSecond(run: (text: string) => boolean): number {
  const roundMs = 200
  let tests = 0
  const began = performance.now()
  let now = began
  for (; now - began < roundMs; now = performance.now()) {
    for (const title of titles) run(title)
    tests += titles.length
  }
  return tests / (now - began) / 1_000
}

async function titlesOf(file: string): Promise<readonly string[]> {
  const found: string[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { title } = JSON.parse(line) as { title?: unknown } // as: an event is an object
    if (typeof title === 'string') found.push(title)
    if (found.length === 20_000) break
  }
  return found
}

function madeUpTitles(): readonly string[] {
  const starts = ['Talk:', 'User talk:', 'Category:', '', '', 'List of ', 'Wikipedia:']
  return Array.from(
    { length: 10_000 },
    (_, i) => `${starts[i % starts.length]}Page ${i} (${i % 90})`,
  )
}

/** Letters without a period, the same in every run: a linear congruence. */
function noise(): string {
  let seed = 12_345
  return Array.from({ length: valueCharsMax }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed > 1_073_741_824 ? 'a' : 'b'
  }).join('')
}

function row(first: string, ...rest: readonly string[]): string {
  return first.padEnd(46) + rest.map((cell) => cell.padStart(16)).join('')
}
