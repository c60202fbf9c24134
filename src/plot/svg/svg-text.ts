/** SVG as text. Only what is listed here gets into it, so that no text of a file can become an element or a script. */

/** An element of linkedom's document, as far as it is read here. */
export interface SvgNode {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: Iterable<SvgNode>
  readonly attributes?: Iterable<{ readonly name: string; readonly value: string }>
}

const ELEMENT = 1
const TEXT = 3
const ELEMENTS: ReadonlySet<string> = new Set([
  'svg',
  'g',
  'path',
  'rect',
  'circle',
  'line',
  'text',
  'tspan',
  'title',
])
const ATTRIBUTE =
  /^(?:x|y|x1|y1|x2|y2|dx|dy|r|cx|cy|d|width|height|viewBox|transform|fill|stroke|opacity|aria-[a-z]+|fill-[a-z]+|stroke-[a-z]+|font-[a-z]+|text-[a-z]+|paint-order)$/

/** The text of an element and what is in it. Styles, classes and everything unknown are left out. */
export function svgText(node: SvgNode): string {
  if (node.nodeType === TEXT) return escaped(node.textContent ?? '')
  const name = node.nodeName.toLowerCase()
  if (node.nodeType !== ELEMENT || !ELEMENTS.has(name)) return ''
  const attributes = Object.fromEntries(Array.from(node.attributes ?? [], ({ name, value }) => [name, value]))
  return element(name, attributes, Array.from(node.childNodes, svgText).join(''))
}

/** @param content is SVG already */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = '',
): string {
  const texts = Object.entries(attributes)
    .filter(([key]) => ATTRIBUTE.test(key))
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return content === '' ? `<${name}${texts.join('')}/>` : `<${name}${texts.join('')}>${content}</${name}>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** XML does not allow control characters, not even escaped. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
