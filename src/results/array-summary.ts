/** An array in a few numbers. */
import type { StoredValue } from '../values/stored-value.ts'

export interface ArraySummary {
  readonly dtype: string
  readonly shape: readonly number[]
  /** Of the elements that are numbers. Undefined if there are none. */
  readonly minimum: number | undefined
  readonly mean: number | undefined
  readonly maximum: number | undefined
  /** Number of elements that are NaN. */
  readonly nanCount: number
  /** The elements if there is one axis, averaged in as many pieces as fit. NaN where a piece has no number. */
  readonly line: readonly number[] | undefined
}

/** Undefined for a value that is not an array of numbers. @param width pieces of the line */
export function summariseArray(value: StoredValue, width: number): ArraySummary | undefined {
  const found = numbersOf(value)
  if (found === undefined) return undefined
  const { dtype, shape, elements } = found
  let [minimum, maximum, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (let at = 0; at < elements.length; at += 1) {
    const element = Number(elements[at])
    if (Number.isNaN(element)) continue
    count += 1
    sum += element
    if (element < minimum) minimum = element
    if (element > maximum) maximum = element
  }
  const hasSome = count > 0
  return {
    dtype,
    shape,
    minimum: hasSome ? minimum : undefined,
    mean: hasSome ? sum / count : undefined,
    maximum: hasSome ? maximum : undefined,
    nanCount: elements.length - count,
    line: shape.length === 1 && hasSome ? pieces(elements, width) : undefined,
  }
}

export interface NumberArray {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly elements: ArrayLike<number | bigint>
}

/** The elements of an array or a list of real numbers. */
export function numbersOf(value: StoredValue): NumberArray | undefined {
  if (value.form === 'ndarray') {
    const { dtype, shape, data } = value
    if (Array.isArray(data) || dtype === 'bool' || dtype === 'complex128' || dtype === 'complex64')
      return undefined
    return { dtype, shape, elements: data as ArrayLike<number | bigint> }
  }
  if (value.form !== 'list') return undefined
  const { dtype, values } = value
  const isNumber = (element: unknown) => typeof element === 'number' || typeof element === 'bigint'
  if (!values.every(isNumber)) return undefined
  return { dtype, shape: [values.length], elements: values as readonly (number | bigint)[] }
}

function pieces(elements: ArrayLike<number | bigint>, width: number): number[] {
  const count = Math.min(width, elements.length)
  return Array.from({ length: count }, (_, piece) => {
    const start = Math.floor((piece * elements.length) / count)
    const end = Math.floor(((piece + 1) * elements.length) / count)
    let [sum, found] = [0, 0]
    for (let at = start; at < end; at += 1) {
      const element = Number(elements[at])
      if (Number.isNaN(element)) continue
      sum += element
      found += 1
    }
    return found === 0 ? Number.NaN : sum / found
  })
}
