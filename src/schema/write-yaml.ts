import { Document, isCollection, isMap, isPair, isScalar, isSeq, type Node } from 'yaml'
import type { Json } from '../model/json.ts'
import type { At } from './yaml-document.ts'

/** Lines beside a value; without the `#`. An empty line is an empty comment line. */
export interface YamlComment {
  /** The key that it stands before, or the map that it stands at the end of. */
  readonly at: At
  readonly place: 'before' | 'end'
  readonly lines: readonly string[]
}

export interface WriteYamlOptions {
  /** At the top of the file. */
  readonly header?: readonly string[]
  readonly comments?: readonly YamlComment[]
}

/** Maps and lists that hold scalars only and are no longer than this stand on one line. */
const flowLengthMax = 70

/** A value as YAML that people go on editing: short maps and lists on one line, texts never folded. */
export function writeYaml(
  value: Json,
  { header = [], comments = [] }: WriteYamlOptions = {},
): string {
  const document = new Document(value, {
    version: '1.2',
    schema: 'core',
    aliasDuplicateObjects: false,
  })
  layOut(document.contents)
  if (isCollection(document.contents) && document.contents.items.length > 0) {
    document.contents.flow = false
  }
  if (header.length > 0) document.commentBefore = commentText(header)
  for (const comment of comments) {
    const { node, key, isFirst } = find(document.contents, comment.at)
    const text = commentText(comment.lines)
    if (comment.place === 'end' && node !== null) {
      if (isCollection(node)) node.flow = false
      node.comment = text
    } else if (comment.place === 'before' && key !== null) {
      key.commentBefore = text
      key.spaceBefore = !isFirst
    }
  }
  const text = document.toString({ lineWidth: 0, singleQuote: true, flowCollectionPadding: true })
  return text.endsWith('\n') ? text : `${text}\n` // behind a comment at the end there is none
}

function commentText(lines: readonly string[]): string {
  // A line end within a comment would end the comment.
  return lines.map((line) => ` ${line.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`).join('\n')
}

/**
 * Puts what is short on one line: lists of scalars, and maps of scalars and of such lists. Gives the
 * characters that a node takes on one line, or `null` where it takes several.
 */
function layOut(node: unknown): number | null {
  if (isScalar(node)) {
    const text = String(node.value)
    return text.includes('\n') ? null : text.length + 2
  }
  if (!isCollection(node)) return null
  let length = 0
  for (const item of node.items) {
    const value = isPair(item) ? item.value : item
    const own = layOut(value)
    const isFlat = isScalar(value) || (isPair(item) && isSeq(value))
    if (own === null || !isFlat) length = Infinity
    else
      length += own + (isPair(item) && isScalar(item.key) ? String(item.key.value).length + 2 : 0)
  }
  node.flow = length <= flowLengthMax
  return node.flow ? length : null
}

interface Found {
  readonly node: Node | null
  readonly key: Node | null
  /** Nothing stands before it in its map. */
  readonly isFirst: boolean
}

function find(root: Node | null, at: At): Found {
  let node: Node | null = root
  let key: Node | null = null
  let isFirst = true
  for (const step of at) {
    if (isCollection(node)) node.flow = false // a comment needs a line of its own
    if (isSeq<Node>(node)) {
      node = typeof step === 'number' ? (node.items[step] ?? null) : null
      key = node
      isFirst = step === 0
    } else if (isMap<Node, Node | null>(node)) {
      const pair = node.items.find(
        (one) => isScalar(one.key) && String(one.key.value) === String(step),
      )
      key = pair?.key ?? null
      isFirst = pair === node.items[0]
      node = pair?.value ?? null
    } else {
      return { node: null, key: null, isFirst: true }
    }
  }
  return { node, key, isFirst }
}
