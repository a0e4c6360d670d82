import { readFile, writeFile } from 'node:fs/promises'

/** Writes what is generated into the document instead of comparing, for whoever changed a schema. */
const isUpdate = process.env['UPDATE_DOCS'] === '1'

/** The text between `<!-- name -->` and `<!-- /name -->` of a document of the project. */
export async function generatedPart(
  document: string,
  name: string,
  table: string,
): Promise<string> {
  const file = new URL(`../../${document}`, import.meta.url)
  const text = await readFile(file, 'utf8')
  const [before = '', rest = ''] = text.split(`<!-- ${name} -->\n`)
  const [found = '', after = ''] = rest.split(`<!-- /${name} -->`)
  if (!isUpdate) return found.trim()
  await writeFile(file, `${before}<!-- ${name} -->\n${table}\n<!-- /${name} -->${after}`)
  return table
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
