/** Stored values as text for the page, which never takes it for HTML. */
import { type Complex, type Scalar, type StoredValue, typeName } from '../values/stored-value.ts'

/** Longer texts are cut; the file has the whole text. */
const LENGTH_MAX = 10_000
const ELEMENTS_MAX = 100

/** All digits of numbers, the text itself, and the type of what has too many parts. */
export function valueText(value: StoredValue): string {
  switch (value.form) {
    case 'scalar':
      return elementText(value.value)
    case 'list':
      return value.values.length > ELEMENTS_MAX
        ? typeName(value)
        : `[${value.values.map(elementText).join(', ')}]`
    case 'date':
      return new Date(value.time).toISOString()
    case 'record':
      return value.fields
        .slice(0, ELEMENTS_MAX)
        .map((field) => `${field.name}: ${valueText(field.value)}`)
        .join('\n')
    case 'ndarray':
    case 'table':
    case 'sparse':
    case 'null':
      return typeName(value)
    case 'unread':
      return `${value.type}: ${value.note}`
  }
}

export function elementText(element: Scalar | Complex | Uint8Array): string {
  if (typeof element === 'string')
    return element.length > LENGTH_MAX ? `${element.slice(0, LENGTH_MAX)} …` : element
  if (typeof element !== 'object') return Object.is(element, -0) ? '-0' : String(element)
  if (element instanceof Uint8Array) return `${element.byteLength} bytes`
  const sign = element.im < 0 || Object.is(element.im, -0) ? '-' : '+'
  return `${element.re}${sign}${Math.abs(element.im)}i`
}
