/** Values as short texts with all digits, so that differences are visible. */
import { assertNever } from '../errors.ts'
import { cutText } from '../values/cut-text.ts'
import { elementBytes, elementCount, type RawValue, typedArray } from '../values/raw-value.ts'

/** `2.5`, `'text'`, `float64 [3, 2] 1, 2, 3, …`. */
export function shortText(value: RawValue): string {
  switch (value.form) {
    case 'null':
      return 'null'
    case 'date':
      return Number.isNaN(value.time) ? 'no date' : new Date(value.time).toISOString()
    case 'record':
      return cut(
        `{ ${value.fields.map(({ name, value: field }) => `${name}: ${shortText(field)}`).join(', ')} }`,
      )
    case 'table':
      return cut(`table of ${value.rowCount} rows: ${value.columns.map(({ name }) => name).join(', ')}`)
    case 'sparse':
      return `sparse ${value.data.dtype} [${value.shape.join(', ')}], ${elementCount(value.data.shape)} stored`
    case 'scalar':
      return value.dtype === 'float64' || value.dtype === 'str'
        ? elementText(value, 0)
        : `${elementText(value, 0)} (${value.dtype})`
    case 'list':
    case 'ndarray': {
      const count = elementCount(value.shape)
      const shown = Array.from({ length: Math.min(count, ELEMENTS_SHOWN) }, (_, index) =>
        elementText(value, index),
      )
      if (count > ELEMENTS_SHOWN) shown.push('…')
      const type =
        value.form === 'list' ? `list of ${value.dtype}` : `${value.dtype} [${value.shape.join(', ')}]`
      return cut(`${type} ${shown.join(', ')}`)
    }
    default:
      return assertNever(value)
  }
}

/** One element with all its digits. For a NaN, all its bits. */
export function elementText(value: Extract<RawValue, { readonly dtype: unknown }>, index: number): string {
  if ('texts' in value) return cut(JSON.stringify(value.texts[index] ?? ''))
  const size = elementBytes(value.dtype)
  const bytes = value.bytes.subarray(index * size, (index + 1) * size)
  const [first, second] = typedArray(value.dtype, bytes)
  if (second !== undefined) return `${numberText(first)} + ${numberText(second)}i`
  if (value.dtype === 'bool') return String(first !== 0)
  if (Number.isNaN(first) && value.form === 'ndarray') {
    return `NaN (${Buffer.from(bytes).reverse().toString('hex')})`
  }
  return numberText(first)
}

function numberText(number: number | bigint | undefined): string {
  return Object.is(number, -0) ? '-0' : String(number)
}

const ELEMENTS_SHOWN = 4
const TEXT_LENGTH_MAX = 100

function cut(text: string): string {
  return cutText(text, TEXT_LENGTH_MAX, '…')
}
