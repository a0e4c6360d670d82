/** An element; attributes that are `null` are left out. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string | number | null>>
  readonly children: readonly (XmlElement | string)[]
}

/** A document of XML 1.0, whatever the texts hold. Elements without texts stand on lines of their own. */
export function xmlDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${elementText(root, '')}\n`
}

function elementText({ name, attributes, children }: XmlElement, indent: string): string {
  const given = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}="${attributeText(String(value))}"`)
  const start = `${indent}<${name}${given.join('')}`
  if (children.length === 0) return `${start}/>`
  const holdsText = children.some((child) => typeof child === 'string')
  const inner = children.map((child) =>
    typeof child === 'string' ? contentText(child) : elementText(child, `${indent}  `),
  )
  return holdsText
    ? `${start}>${inner.join('')}</${name}>`
    : `${start}>\n${inner.join('\n')}\n${indent}</${name}>`
}

function contentText(text: string): string {
  return characters(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** A parser makes a space of an end of line or a tab in an attribute, unless it is written as a number. */
function attributeText(text: string): string {
  return contentText(text)
    .replaceAll('"', '&quot;')
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * Characters that no document may hold, not even as a number, are replaced: a report that cannot be
 * read hides everything that is in it. Source: XML 1.0, 2.2 Char.
 */
function characters(text: string): string {
  // eslint-disable-next-line no-control-regex -- those are what it is about
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\uFFFD')
}
