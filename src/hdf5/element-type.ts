/** Maps element types of pypet-ts to HDF5 types. */
import type { RawNumbers } from '../values/raw-value.ts'
import type { Hdf5Type } from './operation.ts'

const FLOAT64: Hdf5Type = { kind: 'float', bytes: 8 }
const FLOAT32: Hdf5Type = { kind: 'float', bytes: 4 }

/** As PyTables and h5py store complex numbers: real part `r`, imaginary part `i`. */
function complexType(part: Hdf5Type): Hdf5Type {
  return {
    kind: 'compound',
    bytes: 2 * part.bytes,
    columns: [
      { name: 'r', offset: 0, type: part },
      { name: 'i', offset: part.bytes, type: part },
    ],
  }
}

const ELEMENT_TYPES: Readonly<Record<RawNumbers['dtype'], Hdf5Type>> = {
  float64: FLOAT64,
  float32: FLOAT32,
  int8: { kind: 'int', bytes: 1 },
  int16: { kind: 'int', bytes: 2 },
  int32: { kind: 'int', bytes: 4 },
  int64: { kind: 'int', bytes: 8 },
  uint8: { kind: 'uint', bytes: 1 },
  uint16: { kind: 'uint', bytes: 2 },
  uint32: { kind: 'uint', bytes: 4 },
  uint64: { kind: 'uint', bytes: 8 },
  bool: { kind: 'int', bytes: 1 },
  complex128: complexType(FLOAT64),
  complex64: complexType(FLOAT32),
}

/** The HDF5 type of an element. One object per dtype, so that data computed from it can be cached. */
export function elementType(dtype: RawNumbers['dtype']): Hdf5Type {
  return ELEMENT_TYPES[dtype]
}

export function isElementType(dtype: string): dtype is RawNumbers['dtype'] {
  return Object.hasOwn(ELEMENT_TYPES, dtype)
}
