import { describe, expect, test } from 'vitest'
import type { Hdf5Operation } from '../../src/hdf5/operation.ts'
import { parameterLeaf, resultLeaf } from '../../src/layout/leaf-layout.ts'
import { newRange, type RangeShape } from '../../src/layout/range-layout.ts'
import type { RawLeaf } from '../../src/run/run-frame.ts'
import { rawValue } from '../../src/values/raw-value.ts'
import type { BasicDtype } from '../../src/values/stored-value.ts'
import { type StorableValue, toStoredValue } from '../../src/values/value.ts'
import { integer } from '../../src/values/value-forms.ts'

const raw = (value: StorableValue) => rawValue(toStoredValue(value, 'z'))
const leafOf = (items: RawLeaf['items']): RawLeaf => ({ location: 'r', kind: 'result', comment: '', items })
const OPTIONS = { comment: '', complevel: 0 }

function attributes(operations: readonly Hdf5Operation[], path: string): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const operation of operations) {
    if (operation.type === 'create-attribute' && operation.path === path)
      found[operation.name] = operation.value
  }
  return found
}

function created(operations: readonly Hdf5Operation[], path: string) {
  return operations.find((operation) => operation.path === path && operation.type.startsWith('create-'))
}

/** The bytes of the one row that the one table is created with. */
function writtenRow(operations: readonly Hdf5Operation[]): Buffer {
  const creation = operations.find((operation) => operation.type === 'create-table')
  if (creation?.rows === undefined) throw new Error('no row is written')
  return Buffer.from(creation.rows)
}

const item = (value: StorableValue, complevel = 0) =>
  resultLeaf('/z', leafOf([{ name: 'z', value: raw(value) }]), { comment: '', complevel })

describe('results', () => {
  test('a result is a leaf group of class Result with one dataset an item', () => {
    const items = [
      { name: 'a', value: raw(1) },
      { name: 'b', value: raw('x') },
    ]
    const operations = resultLeaf('/r', leafOf(items), { comment: 'both', complevel: 0 })
    expect(operations[0]).toEqual({ type: 'create-group', path: '/r' })
    const expected = { SRVC_INIT_CLASS_NAME: 'Result', SRVC_LEAF: true, SRVC_INIT_COMMENT: 'both' }
    expect(attributes(operations, '/r')).toEqual(expected)
    expect(created(operations, '/r/a')).toMatchObject({ type: 'create-dataset', shape: [] })
    expect(created(operations, '/r/b')).toMatchObject({ type: 'create-dataset', shape: [] })
  })

  test('a leaf without a comment has no comment attribute', () => {
    expect(attributes(item(1), '/z')).not.toHaveProperty('SRVC_INIT_COMMENT')
  })

  test.each<[StorableValue, string, string | undefined]>([
    [1.5, 'COLL_SCALAR', 'float'],
    [integer(1), 'COLL_SCALAR', 'int'],
    [true, 'COLL_SCALAR', 'bool'],
    ['x', 'COLL_SCALAR', 'str'],
    [[1.5], 'COLL_LIST', 'float'],
    [[1n], 'COLL_LIST', 'int'],
    [[true], 'COLL_LIST', 'bool'],
    [['x'], 'COLL_LIST', 'str'],
    [[], 'COLL_LIST', undefined],
    [Float32Array.of(1), 'COLL_NDARRAY', undefined],
    [{ data: Float64Array.of(1), shape: [] }, 'COLL_SCALAR', 'float64'],
    [{ data: Uint16Array.of(1), shape: [] }, 'COLL_SCALAR', 'uint16'],
  ])('%o is %s of %s for pypet', (value, collection, scalarType) => {
    const found = attributes(item(value), '/z/z')
    expect(found).toEqual({
      SRVC_DATA_COLL_TYPE: collection,
      ...(scalarType !== undefined && { SRVC_DATA_SCALAR_TYPE: scalarType }),
      SRVC_STORE: 'ARRAY',
      // pypet sees a scalar; the array is restored here.
      ...(scalarType === 'float64' || scalarType === 'uint16' ? { PYPET_TS_TYPE: 'ndarray' } : {}),
    })
  })

  test('texts take the bytes of the longest, and an empty one takes one', () => {
    const size = (value: StorableValue) => created(item(value), '/z/z') as { elementType: { bytes: number } }
    expect(size(['a', 'äö', '']).elementType.bytes).toBe(4)
    expect(size('').elementType.bytes).toBe(1)
    expect(size(['']).elementType.bytes).toBe(1)
    expect(size(['a', 'äö', ''])).toMatchObject({
      shape: [3],
      bytes: Uint8Array.of(0x61, 0, 0, 0, ...Buffer.from('äö'), 0, 0, 0, 0),
    })
  })

  test('a list may have hundreds of thousands of texts', () => {
    const texts = Array.from({ length: 200_000 }, (_, index) => `text ${index}`)
    expect(created(item(texts), '/z/z')).toMatchObject({ shape: [200_000], elementType: { bytes: 11 } })
    expect(created(parameterLeaf('/p', raw(texts), {}, OPTIONS), '/p/data__rr__')).toMatchObject({
      shape: [200_000],
    })
  })

  test.each<[StorableValue, number, string]>([
    [Float64Array.of(1, 2), 6, 'CARRAY'],
    [Float64Array.of(1), 0, 'ARRAY'],
    [new Float64Array(0), 0, 'ARRAY'],
    [{ data: new Float64Array(0), shape: [0, 3] }, 0, 'ARRAY'],
    [{ data: Float64Array.of(1), shape: [] }, 0, 'ARRAY'],
    [[1, 2, 3], 0, 'ARRAY'],
    [1, 0, 'ARRAY'],
  ])('with compression asked for, %o is deflated by %i and stored as %s', (value, deflate, store) => {
    const operations = item(value, 6)
    expect(created(operations, '/z/z')).toMatchObject({ deflate })
    expect(attributes(operations, '/z/z')).toMatchObject({ SRVC_STORE: store })
  })
})

describe('parameters', () => {
  test.each<[StorableValue, 'float' | 'int' | 'bool' | 'str', number | bigint | string]>([
    [1.5, 'float', 1.5],
    [2n ** 62n, 'int', 2n ** 62n],
    [true, 'bool', 1],
    ['äö', 'str', 'äö'],
  ])('%s is a table of one row for a Python %s', (value, scalarType, cell) => {
    const operations = parameterLeaf('/p', raw(value), {}, OPTIONS)
    expect(attributes(operations, '/p')).toMatchObject({ SRVC_INIT_CLASS_NAME: 'Parameter', SRVC_LEAF: true })
    expect(created(operations, '/p/data')).toMatchObject({ type: 'create-table', rowCount: 1 })
    expect(attributes(operations, '/p/data')).toMatchObject({
      SRVC_COLUMN_data_COLL_TYPE: 'COLL_SCALAR',
      SRVC_COLUMN_data_SCALAR_TYPE: scalarType,
      SRVC_STORE: 'TABLE',
      NROWS: 1,
      FIELD_0_NAME: 'data',
    })
    const row = writtenRow(operations)
    const read = { float: 'readDoubleLE', int: 'readBigInt64LE', bool: 'readInt8', str: 'toString' } as const
    expect(row[read[scalarType]]()).toBe(cell)
    expect(row.byteLength).toBe({ float: 8, int: 8, bool: 1, str: 4 }[scalarType])
  })

  test('of many small ones, PyTables is not told what it reads as well', () => {
    const operations = parameterLeaf('/p', raw(1.5), {}, { ...OPTIONS, isPlain: true })
    expect(attributes(operations, '/p/data')).toEqual({
      SRVC_COLUMN_data_COLL_TYPE: 'COLL_SCALAR',
      SRVC_COLUMN_data_SCALAR_TYPE: 'float',
      SRVC_STORE: 'TABLE',
    })
    expect(writtenRow(operations).readDoubleLE()).toBe(1.5)
  })

  test('scalars are read from wherever they lie in a frame', () => {
    const bytes = new Uint8Array(11)
    new DataView(bytes.buffer).setFloat64(3, 2.5, true)
    const value = { form: 'scalar', dtype: 'float64', shape: [], bytes: bytes.subarray(3) } as const
    const operations = parameterLeaf('/p', value, {}, OPTIONS)
    expect(writtenRow(operations).readDoubleLE()).toBe(2.5)
  })

  test.each<[StorableValue]>([
    [[1, 2]],
    [[]],
    [['a']],
    [Float64Array.of(1, 2)],
    [{ data: Int8Array.of(1), shape: [] }],
  ])('%o is an array in an ArrayParameter', (value) => {
    const operations = parameterLeaf('/p', raw(value), {}, OPTIONS)
    expect(attributes(operations, '/p')).toMatchObject({ SRVC_INIT_CLASS_NAME: 'ArrayParameter' })
    expect(created(operations, '/p/data__rr__')).toMatchObject({ type: 'create-dataset' })
    expect(created(operations, '/p/data')).toBeUndefined()
  })
})

describe('explored ranges', () => {
  const cells = (dtype: BasicDtype, length: number, values: readonly (string | number)[]): RangeShape => {
    const textBytesMax = 6
    return { kind: 'cells', length, dtype, textBytesMax, cells: (first, end) => values.slice(first, end) }
  }

  test('a range is a table of one row a run beside the default', () => {
    const operations = [...newRange('/p', cells('bool', 1000, []), 0)].flat()
    expect(operations[0]).toMatchObject({ type: 'create-table', path: '/p/explored_data', rowCount: 1000 })
    expect(attributes(operations, '/p/explored_data')).toMatchObject({
      SRVC_COLUMN_data_SCALAR_TYPE: 'bool',
      SRVC_STORE: 'TABLE',
      NROWS: 1000,
    })
  })

  test('texts are written in batches where they belong, in the size of the longest of all', () => {
    const texts = Array.from({ length: 4098 }, (_, run) => (run % 2 === 0 ? 'a' : 'äöü'))
    const written = [...newRange('/p', cells('str', 4098, texts), 0)]
      .flat()
      .filter(({ type }) => type === 'write-rows')
    expect(written).toHaveLength(2)
    expect(written[1]).toEqual({
      type: 'write-rows',
      path: '/p/explored_data',
      firstRow: 4096,
      rowCount: 2,
      bytes: Uint8Array.of(0x61, 0, 0, 0, 0, 0, ...Buffer.from('äöü')),
    })
  })

  test('a range of empty texts has a column all the same', () => {
    const [created] = [...newRange('/p', { ...cells('str', 2, ['', '']), textBytesMax: 0 } as RangeShape, 0)]
    expect(created?.[0]).toMatchObject({ rowType: { bytes: 1 } })
  })
})
