/** Any run record that a worker may send, for random tests. */
import fc, { type Arbitrary } from 'fast-check'
import type { LeafRecord, RunRecord } from '../../src/trajectory/run-record.ts'
import type { NumericDtype, StoredValue, TypedArray } from '../../src/trajectory/value.ts'

/** No NUL, and no lone surrogate: what `toStoredValue` lets pass. */
export function text(): Arbitrary<string> {
  return fc.string({ unit: 'binary', maxLength: 20 }).map((any) => any.replaceAll('\0', ''))
}

const int64 = () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

function scalar(): Arbitrary<StoredValue> {
  return fc.oneof(
    fc.double().map((value) => ({ form: 'scalar', dtype: 'float64', value }) as const),
    int64().map((value) => ({ form: 'scalar', dtype: 'int64', value }) as const),
    fc.boolean().map((value) => ({ form: 'scalar', dtype: 'bool', value }) as const),
    text().map((value) => ({ form: 'scalar', dtype: 'str', value }) as const),
  )
}

function list(): Arbitrary<StoredValue> {
  return fc.oneof(
    fc.array(fc.double()).map((values) => ({ form: 'list', dtype: 'float64', values }) as const),
    fc.array(int64()).map((values) => ({ form: 'list', dtype: 'int64', values }) as const),
    fc.array(fc.boolean()).map((values) => ({ form: 'list', dtype: 'bool', values }) as const),
    fc.array(text()).map((values) => ({ form: 'list', dtype: 'str', values }) as const),
  )
}

const TYPED_ARRAYS: Readonly<Record<NumericDtype, Arbitrary<TypedArray>>> = {
  float64: fc.float64Array(),
  float32: fc.float32Array(),
  int8: fc.int8Array(),
  int16: fc.int16Array(),
  int32: fc.int32Array(),
  int64: fc.bigInt64Array(),
  uint8: fc.uint8Array(),
  uint16: fc.uint16Array(),
  uint32: fc.uint32Array(),
  uint64: fc.bigUint64Array(),
}

function ndarray(): Arbitrary<StoredValue> {
  return fc.constantFrom(...(Object.keys(TYPED_ARRAYS) as NumericDtype[])).chain((dtype) =>
    TYPED_ARRAYS[dtype].chain((data) => {
      const shapes = [[data.length], [1, data.length], [data.length, 1], [data.length, 1, 1]]
      if (data.length === 1) shapes.push([])
      return fc.constantFrom(...shapes).map((shape) => ({ form: 'ndarray', dtype, shape, data }) as const)
    }),
  )
}

export function storedValue(): Arbitrary<StoredValue> {
  return fc.oneof(scalar(), list(), ndarray())
}

const name = () => fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,9}$/)

function leaf(): Arbitrary<LeafRecord> {
  return fc.record({
    location: name().map((part) => `results.runs.${part}`),
    kind: fc.constantFrom('result', 'parameter'),
    comment: text(),
    items: fc.array(fc.record({ name: name(), value: storedValue() }), { maxLength: 4 }),
  })
}

export function runRecord(): Arbitrary<RunRecord> {
  return fc.record({
    run: fc.nat(),
    startTimestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map(Math.abs),
    finishTimestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map(Math.abs),
    leaves: fc.array(leaf(), { maxLength: 4 }),
  })
}
