/** Values as Python's `repr` prints them. The overview tables of a file hold this text. */
import { assertNever } from '../errors.ts'
import { cutText } from './cut-text.ts'
import type { Complex, Scalar, StoredArray, StoredValue } from './stored-value.ts'
import type { TypedArray } from './typed-array.ts'

/**
 * The text of a value: `1.0`, `True`, `'a'`, `[1.0, 2.0]`, `array([1., 2., 3.])`. Arrays of more than
 * a thousand elements show the first and last three of each axis, as in numpy, on one line.
 *
 * @param lengthMax longer text is cut and ends in `...`. A long list costs no more than the part that is shown
 */
export function pythonRepr(value: StoredValue, lengthMax = Number.POSITIVE_INFINITY): string {
  switch (value.form) {
    case 'scalar':
      return cutText(scalarRepr(value.value, value.dtype, lengthMax), lengthMax)
    case 'list':
      return cutText(listRepr(value.values, value.dtype, lengthMax), lengthMax)
    case 'ndarray':
      return cutText(arrayRepr(value), lengthMax)
    case 'null':
      return 'None'
    case 'date':
      return scalarRepr(new Date(value.time).toISOString(), 'str', lengthMax)
    case 'record': {
      const fields = value.fields.map(
        ({ name, value: field }) => `'${name}': ${pythonRepr(field, lengthMax)}`,
      )
      return cutText(`{${fields.join(', ')}}`, lengthMax)
    }
    case 'table':
      return cutText(
        `table of ${value.rowCount} rows: ${value.columns.map(({ name }) => name).join(', ')}`,
        lengthMax,
      )
    case 'sparse':
      return cutText(
        `<${value.shape.join('x')} sparse ${value.dtype} matrix with ${value.data.length} stored elements>`,
        lengthMax,
      )
    case 'unread':
      return cutText(`<${value.type}>`, lengthMax)
    default:
      return assertNever(value)
  }
}

/** A float64 as Python prints it: the same shortest digits as in JavaScript, but other rules for the exponent. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const magnitude = Math.abs(value)
  if (magnitude === 0 || (magnitude >= FIXED_MIN && magnitude < FIXED_END)) {
    const fixed = String(value)
    return fixed.includes('.') ? fixed : `${fixed}.0`
  }
  const [coefficient = '', exponentText = ''] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  return `${coefficient}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** Python prints 0.0001 and 1e-05, 1000000000000000.0 and 1e+16. JavaScript prints all of these without an exponent. */
const FIXED_MIN = 1e-4
const FIXED_END = 1e16

function scalarRepr(value: Scalar | Complex | Uint8Array, dtype: string, lengthMax: number): string {
  switch (typeof value) {
    case 'object':
      return value instanceof Uint8Array ? bytesRepr(value.subarray(0, lengthMax)) : complexRepr(value)
    case 'boolean':
      return value ? 'True' : 'False'
    case 'string':
      return stringRepr(value, lengthMax)
    case 'bigint':
      return String(value)
    case 'number':
      return dtype === 'int64' ? String(value) : pythonFloat(value)
  }
}

/** `(1+2j)`. The real part is left out if it is 0. */
function complexRepr({ re, im }: Complex): string {
  const imaginary = `${pythonFloat(im).replace(/\.0$/, '')}j`
  if (Object.is(re, 0)) return imaginary
  const sign = imaginary.startsWith('-') ? '' : '+'
  return `(${pythonFloat(re).replace(/\.0$/, '')}${sign}${imaginary})`
}

function bytesRepr(bytes: Uint8Array): string {
  return `b${scalarRepr(String.fromCharCode(...bytes), 'str', Number.POSITIVE_INFINITY)}`
}

function stringRepr(text: string, lengthMax: number): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  // Do not escape text that will be cut: the escaped text could exceed the maximum length of a string.
  const escaped = text.slice(0, lengthMax).replace(/[\\'"\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ') return character
    if (character === '\\' || character === quote) return `\\${character}`
    if (character === "'" || character === '"') return character
    return NAMED_ESCAPES[character] ?? codeEscape(character.codePointAt(0) as number)
  })
  return `${quote}${escaped}${quote}`
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function codeEscape(code: number): string {
  const hex = code.toString(16)
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

function listRepr(
  values: readonly (Scalar | Complex | Uint8Array)[],
  dtype: string,
  lengthMax: number,
): string {
  const shown: string[] = []
  let length = 2
  for (const value of values) {
    const text = scalarRepr(value, dtype, lengthMax)
    shown.push(text)
    length += text.length + 2
    // The rest will be cut.
    if (length > lengthMax + 2) break
  }
  return `[${shown.join(', ')}]`
}

/** numpy's `threshold` and `edgeitems`. */
const ELEMENTS_MAX = 1000
const EDGE_ITEMS = 3

function arrayRepr({ data, shape, dtype }: StoredArray): string {
  if (!ArrayBuffer.isView(data)) return `array(${listRepr(data.slice(0, ELEMENTS_MAX), 'str', ELEMENTS_MAX)})`
  if (dtype === 'complex128' || dtype === 'complex64') {
    const numbers = Array.from({ length: Math.min(EDGE_ITEMS, data.length / 2) }, (_, index) =>
      complexRepr({ re: Number(data[2 * index]), im: Number(data[2 * index + 1]) }),
    )
    return `array([${numbers.join(', ')}${data.length / 2 > EDGE_ITEMS ? ', ...' : ''}], dtype=${dtype})`
  }
  const suffix = dtype === 'float64' || dtype === 'int64' ? '' : `, dtype=${dtype}`
  if (data.length === 0 && shape.length > 1) return `array([], shape=(${shape.join(', ')})${suffix})`
  const isShortened = data.length > ELEMENTS_MAX
  return `array(${axisRepr(data, shape, 0, 0, isShortened)}${suffix})`
}

function axisRepr(
  data: TypedArray,
  shape: readonly number[],
  axis: number,
  offset: number,
  isShortened: boolean,
): string {
  if (axis === shape.length) return elementRepr(data, offset)
  const size = shape[axis] as number
  const stride = shape.slice(axis + 1).reduce((product, inner) => product * inner, 1)
  const element = (index: number) => axisRepr(data, shape, axis + 1, offset + index * stride, isShortened)
  if (!isShortened || size <= 2 * EDGE_ITEMS)
    return `[${Array.from({ length: size }, (_, i) => element(i)).join(', ')}]`
  const first = Array.from({ length: EDGE_ITEMS }, (_, index) => element(index))
  const last = Array.from({ length: EDGE_ITEMS }, (_, index) => element(size - EDGE_ITEMS + index))
  return `[${[...first, '...', ...last].join(', ')}]`
}

/** numpy prints `1.` where Python prints `1.0`. */
function elementRepr(data: TypedArray, offset: number): string {
  const element = data[offset] as number | bigint
  const isFloat = data instanceof Float64Array || data instanceof Float32Array
  if (typeof element === 'bigint' || !isFloat) return String(element)
  // A float32 has fewer digits than the double it is read into.
  const shortest = data instanceof Float32Array ? shortestFloat32(element) : element
  return pythonFloat(shortest).replace(/\.0$/, '.')
}

/** The shortest decimal that rounds to the same float32. */
function shortestFloat32(element: number): number {
  if (!Number.isFinite(element)) return element
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(element.toPrecision(digits))
    if (Math.fround(short) === element) return short
  }
  return element
}
