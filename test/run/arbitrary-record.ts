/** Any run record that a worker may send, for random tests. */
import fc, { type Arbitrary } from 'fast-check'
import type { GroupRecord, LeafRecord, RunRecord } from '../../src/run/run-record.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import type { NumericDtype, TypedArray } from '../../src/values/typed-array.ts'

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

function complex() {
  return fc.record({ re: fc.double(), im: fc.double() })
}

function structured(): Arbitrary<StoredValue> {
  const column = (rowCount: number) =>
    fc.oneof(
      fc
        .array(fc.double(), { minLength: rowCount, maxLength: rowCount })
        .map((values) => ({ form: 'list', dtype: 'float64', values }) as const),
      fc
        .array(text(), { minLength: rowCount, maxLength: rowCount })
        .map((values) => ({ form: 'list', dtype: 'str', values }) as const),
      fc
        .int16Array({ minLength: rowCount, maxLength: rowCount })
        .map((data) => ({ form: 'ndarray', dtype: 'int16', shape: [rowCount], data }) as const),
      fc
        .array(complex(), { minLength: rowCount, maxLength: rowCount })
        .map((values) => ({ form: 'list', dtype: 'complex128', values }) as const),
    )
  return fc.oneof(
    complex().map((value) => ({ form: 'scalar', dtype: 'complex128', value }) as const),
    fc.array(complex()).map((values) => ({ form: 'list', dtype: 'complex128', values }) as const),
    fc
      .float64Array({ maxLength: 5 })
      .map((half) => Float64Array.from([...half, ...half]))
      .map((data) => ({ form: 'ndarray', dtype: 'complex128', shape: [data.length / 2], data }) as const),
    fc
      .uint8Array({ max: 1 })
      .map((data) => ({ form: 'ndarray', dtype: 'bool', shape: [data.length], data }) as const),
    fc
      .array(text(), { minLength: 1 })
      .map((data) => ({ form: 'ndarray', dtype: 'str', shape: [data.length], data }) as const),
    fc.constant({ form: 'null' } as const),
    fc.date({ noInvalidDate: true }).map((date) => ({ form: 'date', time: date.getTime() }) as const),
    fc.nat({ max: 4 }).chain((rowCount) =>
      fc
        .uniqueArray(fc.record({ name: name(), value: column(rowCount) }), {
          minLength: 1,
          maxLength: 3,
          selector: (entry) => entry.name,
        })
        .map((columns) => ({ form: 'table', rowCount, columns }) as const),
    ),
    fc
      .uniqueArray(fc.record({ name: name(), value: fc.oneof(scalar(), list(), ndarray()) }), {
        maxLength: 4,
        selector: (entry) => entry.name,
      })
      .map((fields) => ({ form: 'record', fields }) as const),
    fc.array(fc.nat({ max: 6 }), { maxLength: 4 }).chain((counts) => {
      const length = counts.reduce((sum, count) => sum + count, 0)
      return fc.float64Array({ minLength: length, maxLength: length }).map(
        (data) =>
          ({
            form: 'sparse',
            format: 'csr',
            shape: [counts.length, 6],
            dtype: 'float64',
            data,
            indptr: Int32Array.from([0, ...counts.map((_, row) => sumOf(counts.slice(0, row + 1)))]),
            indices: Int32Array.from(counts.flatMap((count) => Array.from({ length: count }, (_, i) => i))),
          }) as const,
      )
    }),
  )
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Of any form but `unread`, which is never written. */
export function storedValue(): Arbitrary<StoredValue> {
  return fc.oneof(scalar(), list(), ndarray(), structured())
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

function group(): Arbitrary<GroupRecord> {
  return fc.record({
    location: name().map((part) => `results.runs.${part}`),
    comment: text(),
    annotations: fc.array(fc.record({ name: name(), value: storedValue() }), { maxLength: 2 }),
  })
}

export function runRecord(): Arbitrary<RunRecord> {
  return fc.record(
    {
      run: fc.nat(),
      startTimestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map(Math.abs),
      finishTimestamp: fc.double({ min: 0, max: 1e11, noNaN: true }).map(Math.abs),
      leaves: fc.array(leaf(), { maxLength: 4 }),
      groups: fc.array(group(), { maxLength: 2 }),
    },
    { requiredKeys: ['run', 'startTimestamp', 'finishTimestamp', 'leaves'] },
  )
}
