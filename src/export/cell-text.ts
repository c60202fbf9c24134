/** Values as text that reads back: for CSV and JSON. */
import type { Cell } from '../results/column.ts'
import { elementCount } from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'

/** The shortest text that reads back. Python reads -0 as an integer, so that is -0.0. `NaN`, `inf` and `-inf` as Python and C write them. */
export function numberText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0'
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf'
}

/** Integers are exact. NaN and the infinities are texts: JSON has no numbers for them. */
export function jsonText(cell: Cell): string {
  switch (typeof cell) {
    case 'number':
      return Number.isFinite(cell) ? numberText(cell) : JSON.stringify(String(cell))
    case 'bigint':
      return String(cell)
    case 'object':
      return cell === null ? 'null' : storedJson(cell)
    default:
      return JSON.stringify(cell)
  }
}

function storedJson(value: StoredValue): string {
  switch (value.form) {
    case 'null':
      return 'null'
    case 'date':
      return JSON.stringify(new Date(value.time).toISOString())
    case 'scalar':
      return scalarJson(value.value)
    case 'list':
      return `[${value.values.map(scalarJson).join(',')}]`
    case 'ndarray': {
      const { data, dtype, shape } = value
      if (dtype === 'complex128' || dtype === 'complex64') {
        const parts = data as Float64Array
        const element = (at: number) =>
          scalarJson({ re: parts[2 * at] as number, im: parts[2 * at + 1] as number })
        return nested(element, shape)
      }
      const element = (at: number) =>
        dtype === 'bool' ? String(data[at] !== 0) : jsonText(data[at] as number | bigint | string)
      return nested(element, shape)
    }
    case 'record':
      return object(value.fields.map(({ name, value: field }) => [name, storedJson(field)]))
    case 'table':
      return object(value.columns.map(({ name, value: column }) => [name, storedJson(column)]))
    case 'sparse': {
      const { format, shape, indptr, indices, data } = value
      const numbers = (array: ArrayLike<number | bigint>) => `[${Array.from(array, jsonText).join(',')}]`
      return object([
        ['format', JSON.stringify(format)],
        ['shape', JSON.stringify(shape)],
        ['indptr', numbers(indptr)],
        ['indices', numbers(indices)],
        ['data', numbers(data as ArrayLike<number | bigint>)],
      ])
    }
    case 'unread':
      return object([['unread', JSON.stringify(`${value.type}: ${value.note}`)]])
  }
}

function scalarJson(value: (StoredValue & { form: 'scalar' })['value']): string {
  if (typeof value !== 'object') return jsonText(value)
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('latin1'))
  return object([
    ['real', jsonText(value.re)],
    ['imaginary', jsonText(value.im)],
  ])
}

function object(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/** Elements in C order as nested lists. */
function nested(element: (at: number) => string, shape: readonly number[]): string {
  const write = (axis: number, offset: number): string => {
    if (axis === shape.length) return element(offset)
    const size = elementCount(shape.slice(axis + 1))
    const length = shape[axis] as number
    return `[${Array.from({ length }, (_, at) => write(axis + 1, offset + at * size)).join(',')}]`
  }
  return write(0, 0)
}
