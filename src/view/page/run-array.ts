import { ARRAY_TYPES, type TypedArray } from '../../values/typed-array.ts'
import { fetchArray } from './api.ts'

/** A slice of an array of a run. */
export interface RunArray {
  readonly run: number
  /** Of the slice. */
  readonly shape: readonly number[]
  /** To draw. Of complex numbers, the real parts. */
  readonly numbers: Float64Array
  /** Only of complex numbers. */
  readonly imaginary: Float64Array | undefined
  /** All digits. */
  textAt(index: number): string
}

export async function readRunArray(run: number, column: string, slice: string): Promise<RunArray> {
  const message = await fetchArray(run, column, slice)
  const { dtype, slice: found } = message.header
  const shape = found.map(({ start, end }) => end - start)
  if (dtype === 'complex') {
    const parts = message.take(Float64Array)
    const count = parts.length / 2
    const real = Float64Array.from({ length: count }, (_, at) => parts[2 * at] as number)
    const imaginary = Float64Array.from({ length: count }, (_, at) => parts[2 * at + 1] as number)
    return { run, shape, numbers: real, imaginary, textAt: (at) => `${real[at]} + ${imaginary[at]}i` }
  }
  const values = message.take<TypedArray>(ARRAY_TYPES[dtype === 'bool' ? 'uint8' : dtype] as never)
  const numbers = Float64Array.from(values as ArrayLike<number | bigint>, Number)
  return { run, shape, numbers, imaginary: undefined, textAt: (at) => String(values[at]) }
}
