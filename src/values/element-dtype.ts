import type { PypetError } from '../errors.ts'
import type { Dtype } from './stored-value.ts'
import type { NumericDtype } from './typed-array.ts'

/** What the numbers of an array mean, and how many make an element. */
export function elementDtype(
  { dtype }: { readonly dtype?: unknown },
  found: NumericDtype,
  refuse: (found: string) => PypetError,
): { readonly dtype: Dtype; readonly partCount: number } {
  if (dtype === 'bool' && (found === 'uint8' || found === 'int8')) return { dtype, partCount: 1 }
  if (dtype === 'complex128' && found === 'float64') return { dtype, partCount: 2 }
  if (dtype === 'complex64' && found === 'float32') return { dtype, partCount: 2 }
  // Ndarray packages name the type of the data in words of their own.
  if (dtype !== 'bool' && dtype !== 'complex128' && dtype !== 'complex64')
    return { dtype: found, partCount: 1 }
  throw refuse(`dtype ${dtype} with data of ${found}`)
}

export const DTYPES_ALLOWED =
  'bool with a Uint8Array, complex128 with a Float64Array, complex64 with a Float32Array'
