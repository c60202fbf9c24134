/** Slices of an array, such as `0:100,5:6`: the first hundred rows of the sixth column. */
import { PypetError } from '../errors.ts'
import type { TypedArray } from '../values/typed-array.ts'

export interface AxisSlice {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/**
 * Parses a slice. An axis without one is taken whole.
 *
 * @throws PypetError `PYPET_USAGE` for what is no slice of an array of this shape
 */
export function parseSlice(text: string, shape: readonly number[]): AxisSlice[] {
  const parts = text === '' ? [] : text.split(',')
  if (parts.length > shape.length) throw wrongSlice(text, shape)
  return shape.map((size, axis) => {
    const part = parts[axis] ?? ':'
    const match = /^(\d*):(\d*)$/.exec(part)
    if (match === null) throw wrongSlice(text, shape)
    const start = match[1] ? Number(match[1]) : 0
    const end = match[2] ? Number(match[2]) : size
    if (start > end || end > size) throw wrongSlice(text, shape)
    return { start, end }
  })
}

function wrongSlice(text: string, shape: readonly number[]): PypetError {
  return new PypetError(
    'PYPET_USAGE',
    `${JSON.stringify(text.slice(0, 100))} is not a slice of an array of shape [${shape.join(', ')}]`,
    { where: 'slice', hint: 'A slice has start:end for each axis, with 0 ≤ start ≤ end ≤ size.' },
  )
}

/**
 * The elements of a slice, in C order.
 *
 * @param width how many numbers an element has: 2 for complex ones
 */
export function sliceArray<Values extends TypedArray>(
  values: Values,
  shape: readonly number[],
  slice: readonly AxisSlice[],
  width: 1 | 2,
): Values {
  const isWhole = slice.every(({ start, end }, axis) => start === 0 && end === shape[axis])
  if (isWhole) return values
  const count = slice.reduce<number>((product, { start, end }) => product * (end - start), width)
  const result = new (values.constructor as new (length: number) => Values)(count)
  let filled = 0
  // Along the last axis, elements are next to each other.
  const walk = (axis: number, offset: number): void => {
    const { start, end } = slice[axis] as AxisSlice
    const size = shape[axis] as number
    if (axis === shape.length - 1) {
      const from = (offset * size + start) * width
      const part = values.subarray(from, from + (end - start) * width)
      result.set(part as never, filled)
      filled += part.length
      return
    }
    for (let at = start; at < end; at += 1) walk(axis + 1, offset * size + at)
  }
  walk(0, 0)
  return result
}
