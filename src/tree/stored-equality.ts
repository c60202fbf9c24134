/** When two stored values are the same: form, type, shape and every bit; NaN is itself. */
import type { Complex, StoredValue } from '../trajectory/stored-value.ts'

export function isStoredEqual(a: StoredValue, b: StoredValue): boolean {
  return a === b || storedKey(a) === storedKey(b)
}

/** A text that equal values share and others do not. */
export function storedKey(value: StoredValue): string {
  switch (value.form) {
    case 'scalar':
      return `${value.dtype}:${elementKey(value.value)}`
    case 'list':
      return `[${value.dtype}:${value.values.map(elementKey).join('\u0001')}]`
    case 'ndarray':
      return `${value.dtype}(${value.shape.join(',')}):${dataKey(value.data)}`
    case 'null':
      return 'null'
    case 'date':
      return `date:${value.time}`
    case 'record':
      return `{${value.fields.map(({ name, value: field }) => `${name}=${storedKey(field)}`).join('\u0002')}}`
    case 'table':
      return `table{${value.columns.map(({ name, value: column }) => `${name}=${storedKey(column)}`).join('\u0002')}}`
    case 'sparse':
      return `${value.format}(${value.shape.join(',')}):${dataKey(value.indptr)};${dataKey(value.indices)};${dataKey(value.data)}`
    case 'unread':
      return `unread:${value.type}:${value.note}`
  }
}

function elementKey(element: string | number | bigint | boolean | Complex | Uint8Array): string {
  if (typeof element === 'number') return Object.is(element, -0) ? '-0' : String(element)
  if (typeof element !== 'object') return String(element)
  if (element instanceof Uint8Array) return dataKey(element)
  return `${elementKey(element.re)},${elementKey(element.im)}`
}

function dataKey(data: ArrayLike<unknown>): string {
  return Array.from(data, (element) => elementKey(element as number)).join('\u0001')
}
