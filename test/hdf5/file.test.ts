import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { Hdf5File } from '../../src/hdf5/file.ts'
import type { Hdf5Operation, Hdf5Type } from '../../src/hdf5/operation.ts'
import { appendRows, createFilledTable, defineTable } from '../../src/hdf5/table.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { useFolder } from '../temporary-folder.ts'

const inFolder = useFolder()

/** Writes a new file and opens it for reading. */
async function written(name: string, ...operations: Hdf5Operation[]): Promise<Hdf5Content> {
  const file = await Hdf5File.open(inFolder(name), 'create')
  try {
    file.apply(operations)
  } finally {
    file.close()
  }
  return await Hdf5Content.open(inFolder(name))
}

const FLOAT64: Hdf5Type = { kind: 'float', bytes: 8 }

function dataset(
  elementType: Hdf5Type,
  shape: readonly number[],
  data: ArrayBufferView,
  deflate = 0,
): Hdf5Operation {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  return { type: 'create-dataset', path: '/d', elementType, shape, bytes, deflate }
}

describe('datasets', () => {
  test.each<[Hdf5Type, ArrayBufferView, string]>([
    [FLOAT64, Float64Array.of(0.1, Number.NaN, -0), '<d'],
    [{ kind: 'float', bytes: 4 }, Float32Array.of(0.5, -1), '<f'],
    [{ kind: 'int', bytes: 1 }, Int8Array.of(-128, 127), '<b'],
    [{ kind: 'int', bytes: 2 }, Int16Array.of(-32_768, 32_767), '<h'],
    [{ kind: 'int', bytes: 4 }, Int32Array.of(-1, 2 ** 31 - 1), '<i'],
    [{ kind: 'int', bytes: 8 }, BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), '<q'],
    [{ kind: 'uint', bytes: 1 }, Uint8Array.of(0, 255), '<B'],
    [{ kind: 'uint', bytes: 2 }, Uint16Array.of(0, 65_535), '<H'],
    [{ kind: 'uint', bytes: 4 }, Uint32Array.of(0, 2 ** 32 - 1), '<I'],
    [{ kind: 'uint', bytes: 8 }, BigUint64Array.of(0n, 2n ** 64n - 1n), '<Q'],
  ])('elements of %o are read as they were written', async (type, data, dtype) => {
    using content = await written('element.h5', dataset(type, [(data as Uint8Array).length], data))
    expect(content.dataset('/d').dtype).toBe(dtype)
    expect(content.dataset('/d').value).toEqual(data)
  })

  test.each<[shape: number[], length: number]>([
    [[], 1],
    [[0], 0],
    [[0, 3], 0],
    [[3, 0], 0],
    [[1, 2, 1, 3], 6],
  ])('the shape %j is kept', async (shape, length) => {
    using content = await written('shape.h5', dataset(FLOAT64, shape, new Float64Array(length)))
    expect(content.dataset('/d').shape).toEqual(shape)
  })

  test.each<[shape: number[]]>([[[100_000]], [[2, 50_000]], [[50_000, 2]], [[10, 10, 1000]]])(
    'a deflated array of the shape %j is chunked and smaller',
    async (shape) => {
      const data = Float64Array.from({ length: 100_000 }, (_, index) => index % 100)
      using content = await written('deflated.h5', dataset(FLOAT64, shape, data, 6))
      const { metadata, value } = content.dataset('/d')
      expect(value).toEqual(data)
      const chunkElements = (metadata.chunks as number[]).reduce((product, size) => product * size, 1)
      expect(chunkElements).toBeLessThanOrEqual(8192)
      expect(chunkElements).toBeGreaterThan(4096)
      expect((await readFile(inFolder('deflated.h5'))).byteLength).toBeLessThan(200_000)
    },
  )

  // Above 32 MiB, where data goes through the library in slices.
  test.each<[shape: number[]]>([[[5_000_001]], [[3, 1_700_000]], [[2, 1, 2_500_000]], [[1_700_000, 3]]])(
    'a large array of the shape %j arrives whole',
    async (shape) => {
      const length = shape.reduce((product, size) => product * size, 1)
      const data = Float64Array.from({ length }, (_, index) => index)
      using content = await written('large.h5', dataset(FLOAT64, shape, data))
      expect(content.dataset('/d').shape).toEqual(shape)
      const read = content.dataset('/d').value as Float64Array
      // Compared as bytes: a matcher that walks five million elements takes seconds.
      expect(
        Buffer.compare(Buffer.from(read.buffer, read.byteOffset, read.byteLength), Buffer.from(data.buffer)),
      ).toBe(0)
    },
  )
})

describe('attributes', () => {
  test.each([
    ['text', 'Größe 🧠'],
    ['empty', ''],
    ['trailing', 'ends in a space '],
    ['long', 'π'.repeat(50_000)],
    ['yes', true],
    ['no', false],
    ['number', 2 ** 40],
    ['negative', -1],
  ])('%s is read as it was written', async (name, value) => {
    const group: Hdf5Operation = { type: 'create-group', path: '/g' }
    using content = await written('attribute.h5', group, {
      type: 'create-attribute',
      path: '/g',
      name,
      value,
    })
    const read = content.attribute('/g', name)
    if (typeof value === 'string') expect(String(read).replace(/\0$/, '')).toBe(value)
    else expect(Number(read)).toBe(Number(value))
  })

  test('more different texts than are remembered are still right', async () => {
    const operations = Array.from({ length: 600 }, (_, index): Hdf5Operation[] => [
      { type: 'create-group', path: `/g${index}` },
      { type: 'create-attribute', path: `/g${index}`, name: 'own', value: `text ${index}` },
      { type: 'create-attribute', path: `/g${index}`, name: 'shared', value: 'Result' },
    ]).flat()
    using content = await written('texts.h5', ...operations)
    for (let index = 0; index < 600; index += 1) {
      expect(content.attribute(`/g${index}`, 'own')).toBe(`text ${index}`)
      expect(content.attribute(`/g${index}`, 'shared')).toBe('Result')
    }
  })

  test('a replaced number is the new one', async () => {
    using content = await written(
      'replaced.h5',
      { type: 'create-attribute', path: '/', name: 'NROWS', value: 1 },
      { type: 'replace-attribute', path: '/', name: 'NROWS', value: 2 },
    )
    expect(Number(content.attribute('/', 'NROWS'))).toBe(2)
  })
})

describe('tables', () => {
  const TABLE = defineTable([
    ['n', 'int32'],
    ['text', 'S4'],
  ])

  test('a table keeps its rows while it grows', async () => {
    using content = await written(
      'table.h5',
      ...createFilledTable('/t', TABLE, '', [
        [1, 'ä'],
        [2, 'full'],
      ]),
      ...appendRows('/t', TABLE, 2, [[3, '']]),
      ...appendRows(
        '/t',
        TABLE,
        3,
        Array.from({ length: 100 }, (_, index) => [4 + index, 'x']),
      ),
    )
    expect(content.column('/t', 'n')).toEqual(Array.from({ length: 103 }, (_, index) => index + 1))
    expect(content.column('/t', 'text').slice(0, 4)).toEqual(['ä', 'full', '', 'x'])
    expect(Number(content.attribute('/t', 'NROWS'))).toBe(103)
  })

  test('rows that were not written are zeros and empty texts', async () => {
    const [create] = createFilledTable('/t', TABLE, '', [])
    using content = await written('holes.h5', { ...create, rowCount: 2 } as Hdf5Operation)
    expect(content.column('/t', 'n')).toEqual([0, 0])
    expect(content.column('/t', 'text')).toEqual(['', ''])
  })
})

describe('what goes wrong', () => {
  test('an operation that HDF5 refuses is named with HDF5’s reason', async () => {
    const file = await Hdf5File.open(inFolder('twice.h5'), 'create')
    const group: Hdf5Operation = { type: 'create-group', path: '/g' }
    try {
      expect(() => file.apply([group, group])).toThrow(
        expect.objectContaining({
          code: 'PYPET_STORAGE_FAILED',
          where: inFolder('twice.h5'),
          message: expect.stringMatching(/create-group \/g failed: .*already exists/),
        }),
      )
    } finally {
      file.close()
    }
  })

  test('a folder is no file to write', async () => {
    await mkdir(inFolder('folder.h5'))
    for (const mode of ['create', 'append'] as const) {
      await expect(Hdf5File.open(inFolder('folder.h5'), mode)).rejects.toMatchObject({
        code: 'PYPET_FILE_NOT_WRITABLE',
        where: inFolder('folder.h5'),
      })
    }
  })

  test('a text is not HDF5 and has no root names', async () => {
    await writeFile(inFolder('text.h5'), 'not HDF5')
    await expect(Hdf5File.rootNames(inFolder('text.h5'))).rejects.toMatchObject({
      code: 'PYPET_FILE_NOT_HDF5',
    })
  })
})

test('appending keeps what is there, and the root names tell it', async () => {
  const path = inFolder('appended.h5')
  for (const [name, mode] of [
    ['first', 'create'],
    ['second', 'append'],
  ] as const) {
    const file = await Hdf5File.open(path, mode)
    file.apply([{ type: 'create-group', path: `/${name}` }])
    file.close()
  }
  expect(await Hdf5File.rootNames(path)).toEqual(['first', 'second'])
})

test('after a flush the file on disk is whole while it is still open', async () => {
  const file = await Hdf5File.open(inFolder('open.h5'), 'create')
  try {
    file.apply([dataset(FLOAT64, [3], Float64Array.of(1, 2, 3))])
    file.flush()
    await writeFile(inFolder('copy.h5'), await readFile(inFolder('open.h5')))
    using content = await Hdf5Content.open(inFolder('copy.h5'))
    expect(content.dataset('/d').value).toEqual(Float64Array.of(1, 2, 3))
  } finally {
    file.close()
  }
})
