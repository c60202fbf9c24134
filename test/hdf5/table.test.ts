import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  appendRows,
  createFilledTable,
  createTable,
  defineTable,
  packRows,
  writeRows,
} from '../../src/hdf5/table.ts'
import { cutToUtf8Bytes } from '../../src/values/utf8.ts'
import { text } from '../run/arbitrary-record.ts'

const TABLE = defineTable([
  ['idx', 'int32'],
  ['name', 'S10'],
  ['time', 'float64'],
  ['big', 'int64'],
  ['done', 'bool'],
])

test('columns are packed one after the other in the order of declaration', () => {
  expect(TABLE.rowType.bytes).toBe(31)
  expect(TABLE.columns.map(({ name, offset }) => [name, offset])).toEqual([
    ['idx', 0],
    ['name', 4],
    ['time', 14],
    ['big', 22],
    ['done', 30],
  ])
  expect(TABLE.rowType.columns.map(({ offset }) => offset)).toEqual([0, 4, 14, 22, 30])
})

describe('packing', () => {
  test('any rows are found again at their offsets', () => {
    const row = fc.tuple(
      fc.integer(),
      text(),
      fc.double(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.boolean(),
    )
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const packed = packRows(TABLE, rows)
        expect(packed.byteLength).toBe(rows.length * 31)
        const found = rows.map((_, index) => {
          const view = new DataView(packed.buffer, index * 31, 31)
          const name = new Uint8Array(packed.buffer, index * 31 + 4, 10)
          return [
            view.getInt32(0, true),
            // Strict, so that a character that was cut in two is an error.
            new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name).replace(/\0*$/, ''),
            view.getFloat64(14, true),
            view.getBigInt64(22, true),
            view.getInt8(30) === 1,
          ]
        })
        expect(found).toEqual(rows.map(([idx, name, ...rest]) => [idx, cutToUtf8Bytes(name, 10), ...rest]))
      }),
    )
  })

  test('numbers and booleans are taken for integers of 64 bits', () => {
    const { buffer } = packRows(defineTable([['n', 'int64']]), [[Number.MAX_SAFE_INTEGER], [-1], [true]])
    expect([...new BigInt64Array(buffer)]).toEqual([9_007_199_254_740_991n, -1n, 1n])
  })

  test('no rows are no bytes', () => {
    expect(packRows(TABLE, [])).toHaveLength(0)
  })
})

describe('operations', () => {
  test('a table says to PyTables what it is', () => {
    const [create, ...attributes] = createTable('/t', TABLE, 'the title', 5)
    expect(create).toMatchObject({ type: 'create-table', path: '/t', rowCount: 5, chunkRows: 8 })
    const values = attributes.map((operation) => operation.type === 'create-attribute' && operation.value)
    expect(values).toEqual(['TABLE', '2.7', 'the title', 'idx', 'name', 'time', 'big', 'done', 5])
  })

  test.each([
    [0, 8],
    [8, 8],
    [100, 100],
    [1_000_000, 2114],
  ])('a table of %i rows has chunks of %i rows', (rowCount, chunkRows) => {
    expect(createTable('/t', TABLE, '', rowCount)[0]).toMatchObject({ chunkRows })
  })

  test('rows wider than a chunk make chunks of one row', () => {
    const wide = defineTable([['text', 'S100000']])
    expect(createTable('/t', wide, '', 10)[0]).toMatchObject({ chunkRows: 1 })
  })

  test('small chunks are not deflated, which would cost more than it saves', () => {
    const small = defineTable([['data', 'float64']])
    const deflateOf = (rowCount: number) => createTable('/t', small, '', rowCount)[0]
    expect(deflateOf(1)).toMatchObject({ chunkRows: 8, deflate: 0 })
    expect(deflateOf(64)).toMatchObject({ chunkRows: 64, deflate: 0 })
    expect(deflateOf(65)).toMatchObject({ chunkRows: 65, deflate: 1 })
  })

  test('a plain table is created, and nothing is said of it', () => {
    expect(createTable('/t', TABLE, 'the title', 5, { isPlain: true })).toMatchObject([
      { type: 'create-table' },
    ])
  })

  test('filling gives the rows to the creation, and none where there are none', () => {
    const rows = [
      [1, 'a', 0, 0, false],
      [2, 'b', 0, 0, false],
    ]
    const filled = { type: 'create-table', rowCount: 2, rows: packRows(TABLE, rows) }
    expect(createFilledTable('/t', TABLE, '', rows)[0]).toMatchObject(filled)
    expect(createFilledTable('/t', TABLE, '', [])[0]).not.toHaveProperty('rows')
    expect(createFilledTable('/t', TABLE, '', []).at(-1)).toMatchObject({ name: 'NROWS', value: 0 })
    expect(writeRows('/t', TABLE, 0, [])).toEqual([])
  })

  test('appended rows stand behind the others, and NROWS counts them', () => {
    const operations = appendRows('/t', TABLE, 7, [[1, 'a', 0, 0, false]])
    expect(operations).toMatchObject([
      { type: 'resize-table', rowCount: 8 },
      { type: 'write-rows', firstRow: 7, rowCount: 1 },
      { type: 'replace-attribute', name: 'NROWS', value: 8 },
    ])
    expect(appendRows('/t', TABLE, 7, [])).toEqual([])
  })
})
