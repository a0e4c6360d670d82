/**
 * Files that cannot lie in the repository as they are: editors, git or people would mend or choke on
 * them. Their expected output lies beside the others'.
 */
export const madeFiles: Readonly<Record<string, () => Buffer>> = {
  '70-utf-16': () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')]),
  '71-latin-1': () => Buffer.from(withDescription('Räumt auf'), 'latin1'),
  '72-byte-order-mark-is-fine': () => Buffer.from(`\uFEFF${good}`),
  '73-crlf-is-fine': () => Buffer.from(good.replaceAll('\n', '\r\n')),
  '74-nul': () => Buffer.from(withDescription('a\0b')),
  '75-ten-megabytes': () => Buffer.from(`${good}${'# filler\n'.repeat(1_165_000)}`),
  '76-nested-deeply': () =>
    Buffer.from(good.replace('edit }', `${'{ not: '.repeat(200)}1${' }'.repeat(200)} }`)),
  '77-crlf-and-a-slip': () => Buffer.from(good.replace('topics', 'topic').replaceAll('\n', '\r\n')),
  '78-mark-and-a-slip': () => Buffer.from(`\uFEFF${good.replace('rules:', 'rulez:')}`),
  '79-cut-off': () => Buffer.from(good.slice(0, good.indexOf('topic: out'))),
  '80-conflict-of-git': () =>
    Buffer.from(
      good.replace(
        /^ {4}when.*\n/m,
        (line) => `${'<'.repeat(7)} HEAD\n${line}=======\n${line}${'>'.repeat(7)} other\n`,
      ),
    ),
}

const good = `rules:
  purge:
    topics: [edits]
    when: { kind: edit }
    do: { emit: { topic: out } }
`

function withDescription(text: string): string {
  return good.replace('topics:', `description: ${text}\n    topics:`)
}
