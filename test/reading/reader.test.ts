import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { isPypetError } from '../../src/errors.ts'
import type { Cell } from '../../src/hdf5/datatype.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { addGroup, addTable, useFolder, writeHdf5 } from '../results/trajectory-file.ts'

const inFolder = useFolder()
const crashed = new URL('../fixtures/pypet/d_crashed.h5', import.meta.url).pathname

async function errorOf(opening: Promise<unknown>) {
  const thrown = await opening.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!isPypetError(thrown)) throw new Error(`not our error: ${thrown}`)
  return thrown
}

describe('opening', () => {
  test('a file that does not exist is not found', async () => {
    const error = await errorOf(openHdf5Reader(inFolder('nothing.h5')))
    expect(error).toMatchObject({ code: 'PYPET_FILE_NOT_FOUND', where: inFolder('nothing.h5') })
  })

  test('a directory is named as one', async () => {
    await mkdir(inFolder('folder.h5'))
    const error = await errorOf(openHdf5Reader(inFolder('folder.h5')))
    expect(error).toMatchObject({ code: 'PYPET_FILE_NOT_HDF5' })
    expect(error.message).toContain('directory')
  })

  test('an empty file is named as one', async () => {
    await writeFile(inFolder('empty.h5'), '')
    const error = await errorOf(openHdf5Reader(inFolder('empty.h5')))
    expect(error.code).toBe('PYPET_FILE_NOT_HDF5')
    expect(error.message).toContain('empty')
  })

  test('a text is not HDF5', async () => {
    await writeFile(inFolder('text.h5'), 'x,y\n1,2\n'.repeat(1000))
    const error = await errorOf(openHdf5Reader(inFolder('text.h5')))
    expect(error.code).toBe('PYPET_FILE_NOT_HDF5')
    expect(error.message).toContain('signature')
  })

  test('a file that is cut short says how much of it is there', async () => {
    const file = inFolder('cut.h5')
    await copyFile(crashed, file)
    await truncate(file, 30_000)
    const error = await errorOf(openHdf5Reader(file))
    expect(error.code).toBe('PYPET_FILE_NOT_HDF5')
    expect(error.message).toContain('30000 of 69009 bytes')
  })

  test('a file whose superblock follows a user block opens', async () => {
    const file = inFolder('user-block.h5')
    await writeFile(file, Buffer.concat([Buffer.alloc(1024, 'x'), await readFile(crashed)]))
    using reader = await openHdf5Reader(file)
    expect(reader.children('/')).toEqual(['Crashed'])
  })

  test('reading after closing is refused', async () => {
    const reader = await openHdf5Reader(crashed)
    reader.close()
    reader.close()
    expect(() => reader.children('/')).toThrow('is closed')
  })
})

describe('values', () => {
  test.each<[string, unknown, number[], string, Cell[]]>([
    ['float64', Float64Array.of(0.1, Number.NaN), [2], '<d', [0.1, Number.NaN]],
    ['float32', Float32Array.of(0.5), [1], '<f', [0.5]],
    ['int8', Int8Array.of(-128), [1], '<b', [-128]],
    ['uint8', Uint8Array.of(255), [1], '<B', [255]],
    ['int16', Int16Array.of(-32768), [1], '<h', [-32768]],
    ['uint16', Uint16Array.of(65535), [1], '<H', [65535]],
    ['int32', Int32Array.of(-2147483648), [1], '<i', [-2147483648]],
    ['uint32', Uint32Array.of(4294967295), [1], '<I', [4294967295]],
    ['int64', BigInt64Array.of(5n, -(2n ** 63n)), [2], '<q', [5, -(2n ** 63n)]],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n), [1], '<Q', [2n ** 64n - 1n]],
    ['scalar', Float64Array.of(6), [], '<d', [6]],
    ['empty array', Float64Array.of(), [0], '<d', []],
    ['fixed string', ['ä☃', ''], [2], 'S8', ['ä☃', '']],
    ['variable string', ['ä☃', 'longer than eight bytes'], [2], 'S', ['ä☃', 'longer than eight bytes']],
  ])('%s comes back', async (name, data, shape, dtype, cells) => {
    const file = await writeHdf5(inFolder(`${name}.h5`), (root) => {
      root.create_dataset({ name: 'value', data: data as never, shape, dtype })
    })
    using reader = await openHdf5Reader(file)
    expect(reader.form('/value').shape).toEqual(shape)
    expect(reader.cells('/value')).toEqual(cells)
  })

  test('a box of a matrix is read in C order', async () => {
    const file = await writeHdf5(inFolder('matrix.h5'), (root) => {
      root.create_dataset({ name: 'm', data: Float64Array.from({ length: 12 }, (_, i) => i), shape: [3, 4] })
    })
    using reader = await openHdf5Reader(file)
    expect(reader.cells('/m', reader.form('/m'), { start: [1, 1], count: [2, 2] })).toEqual([5, 6, 9, 10])
  })

  test('attributes of pypet are text, booleans from bitfields, and undefined where absent or without value', async () => {
    using reader = await openHdf5Reader(crashed)
    const leaf = '/Crashed/results/runs/run_00000000/z'
    expect(reader.attribute(leaf, 'SRVC_LEAF')).toBe(true)
    expect(reader.attribute(leaf, 'SRVC_INIT_CLASS_NAME')).toBe('Result')
    expect(reader.attribute(leaf, 'SRVC_NOTHING')).toBeUndefined()
    expect(reader.attribute(leaf, 'TITLE')).toBeUndefined()
  })
})

describe('tables', () => {
  test('rows of a table longer than a slice are visited once, in order', async () => {
    const rowCount = 30_000
    const file = await writeHdf5(inFolder('long.h5'), (root) => {
      addTable(root, 'table', [
        ['index', '<i', Int32Array.from({ length: rowCount }, (_, row) => row)],
        ['text', 'S120', Array.from({ length: rowCount }, (_, row) => `row ${row}`)],
      ])
    })
    using reader = await openHdf5Reader(file)
    let visited = 0
    reader.scanRows('/table', ['text', 'absent', 'index'], (row, [text, absent, index]) => {
      if (row !== visited || index !== row || text !== `row ${row}` || absent !== undefined) {
        throw new Error(`row ${row} after ${visited} rows: ${index}, ${text}`)
      }
      visited += 1
    })
    expect(visited).toBe(rowCount)
  })

  test('a range of rows is read alone, and ends with the table', async () => {
    using reader = await openHdf5Reader(crashed)
    const rows: Cell[] = []
    reader.scanRows('/Crashed/overview/runs', ['idx'], (_, [idx]) => rows.push(idx as Cell), {
      start: 17,
      end: 99,
    })
    expect(rows).toEqual([17, 18, 19])
  })

  test('a dataset that is no table is refused with its path', async () => {
    using reader = await openHdf5Reader(crashed)
    const path = '/Crashed/results/runs/run_00000000/z/z'
    expect(() => reader.rowCount(path)).toThrow(expect.objectContaining({ code: 'PYPET_STORAGE_FAILED' }))
    expect(() => reader.rowCount(path)).toThrow(path)
  })
})

describe('paths', () => {
  test('links are named, and nothing is reached through them', async () => {
    const other = await writeHdf5(inFolder('other.h5'), (root) => void addGroup(root, '/secret'))
    const file = await writeHdf5(inFolder('links.h5'), (root) => {
      addGroup(root, '/group').create_dataset({ name: 'value', data: Float64Array.of(1), shape: [] })
      root.create_soft_link('/group', 'soft')
      root.create_soft_link('/nowhere', 'dangling')
      root.create_external_link(other, '/', 'external')
    })
    using reader = await openHdf5Reader(file)
    expect(reader.kind('/')).toBe('group')
    expect(reader.kind('/group')).toBe('group')
    expect(reader.kind('/group/value')).toBe('dataset')
    expect(reader.kind('/soft')).toBe('soft-link')
    expect(reader.kind('/dangling')).toBe('soft-link')
    expect(reader.kind('/external')).toBe('external-link')
    for (const path of ['/none', '/group/none', '/none/none', '/soft/value', '/external/secret']) {
      expect(reader.kind(path), path).toBeUndefined()
    }
    expect(() => reader.children('/external')).toThrow('found external-link instead of group')
    expect(() => reader.cells('/group')).toThrow('found group instead of dataset')
  })

  test('damage inside a file is reported with file and path', async () => {
    const file = await writeHdf5(inFolder('damaged.h5'), (root) => {
      root.create_dataset({
        name: 'data',
        data: Float64Array.from({ length: 4096 }, (_, i) => Math.sin(i)),
        shape: [4096],
        chunks: [4096],
        compression: 9,
      })
    })
    const bytes = await readFile(file)
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 2000)
    await writeFile(file, bytes)
    using reader = await openHdf5Reader(file)
    expect(() => reader.cells('/data')).toThrow(
      expect.objectContaining({ code: 'PYPET_STORAGE_FAILED', where: `${file}:/data` }),
    )
  })
})
