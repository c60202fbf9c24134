/** How exports are written: whole or not at all. And when runs are a product of their parameters. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { writeParquet } from '../../src/export/parquet.ts'
import { productOf } from '../../src/export/product.ts'
import { TextBytes } from '../../src/export/text-bytes.ts'
import { csvText } from '../../src/export/text-rows.ts'
import { writeOutput } from '../../src/export/write-output.ts'
import { blockOf } from '../../src/results/block.ts'
import type { TableColumn } from '../../src/results/query.ts'
import { fileTree } from '../experiment/file-tree.ts'

const FORCED = { force: true, forceName: '--force' }
const NEW = { force: false, forceName: '--force' }

describe('an output', () => {
  test('appears when it is complete, and a failing one leaves nothing', async () => {
    const folder = fileTree({ 'old.csv': 'old' })
    const path = join(folder, 'new.csv')
    await writeOutput(path, NEW, async ({ write }) => {
      write('half ')
      expect(existsSync(path)).toBe(false)
      write(Buffer.from('and half'))
    })
    expect(readFileSync(path, 'utf8')).toBe('half and half')
    await expect(
      writeOutput(join(folder, 'old.csv'), FORCED, async ({ write }) => {
        write('new')
        throw new Error('the disk is full')
      }),
    ).rejects.toThrow('the disk is full')
    expect(readFileSync(join(folder, 'old.csv'), 'utf8')).toBe('old')
    expect(readdirSync(folder).sort()).toEqual(['new.csv', 'old.csv'])
  })

  test('replaces the target of a symbolic link, and keeps the link', async () => {
    const folder = fileTree({ 'real.csv': 'old' })
    symlinkSync('real.csv', join(folder, 'link.csv'))
    await writeOutput(join(folder, 'link.csv'), FORCED, async ({ write }) => write('new'))
    expect(readFileSync(join(folder, 'real.csv'), 'utf8')).toBe('new')
    expect(realpathSync(join(folder, 'link.csv'))).toBe(join(folder, 'real.csv'))
  })

  test.each([
    ['old.csv', 'Replace it with --force'],
    ['folder', 'Choose the name of a file'],
    ['none/a.csv', 'mkdir -p'],
    ['old.csv/a.csv', 'Choose another path'],
  ])('at %s is refused: %s', async (name, hint) => {
    const folder = fileTree({ 'old.csv': 'old' })
    mkdirSync(join(folder, 'folder'))
    const writing = writeOutput(join(folder, name), NEW, async () => undefined)
    await expect(writing).rejects.toMatchObject({ code: 'PYPET_USAGE', hint: expect.stringContaining(hint) })
  })
})

const numbers = (values: readonly (number | undefined)[]) =>
  blockOf(
    values.map((value) => (value === undefined ? undefined : { form: 'scalar', dtype: 'float64', value })),
  )

describe('a product', () => {
  test('has a place for each run, whatever the order of the runs', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.nat()),
        (axes, repeats, order) => {
          const count = axes.reduce((product, size) => product * size, repeats)
          const shuffled = Array.from({ length: count }, (_, place) => ({
            place,
            key: order.next().value as number,
          }))
            .sort((one, other) => one.key - other.key)
            .map(({ place }) => place)
          const digit = (place: number, axis: number) => {
            const stride = axes.slice(axis + 1).reduce((product, size) => product * size, repeats)
            return Math.floor(place / stride) % (axes[axis] as number)
          }
          const blocks = axes.map((_, axis) => numbers(shuffled.map((place) => digit(place, axis))))
          const product = productOf(blocks, count)
          expect(product?.repeats).toBe(repeats)
          expect(product?.axes.map(({ rows }) => rows.length)).toEqual(axes)
          expect([...(product?.placeOf ?? [])].sort((one, other) => one - other)).toEqual(
            Array.from({ length: count }, (_, place) => place),
          )
          // Runs with the same values follow each other.
          const valuesAt = new Map(
            shuffled.map((place, row) => [product?.placeOf[row], axes.map((_, axis) => digit(place, axis))]),
          )
          for (let place = 0; place < count; place += repeats)
            for (let repeat = 1; repeat < repeats; repeat += 1)
              expect(valuesAt.get(place + repeat)).toEqual(valuesAt.get(place))
        },
      ),
    )
  })

  test.each([
    ['a point is missing', [1, 1, 2], [1, 2, 1]],
    ['a point is there twice, another not at all', [1, 1, 1, 2], [1, 1, 2, 1]],
    ['parameters change together', [1, 2, 3], [4, 5, 6]],
  ])('is none if %s', (_, x, y) => {
    expect(productOf([numbers(x), numbers(y)], x.length)).toBeUndefined()
  })

  test('is none without parameters or runs', () => {
    expect(productOf([], 3)).toBeUndefined()
    expect(productOf([numbers([])], 0)).toBeUndefined()
  })
})

const columnOf = (name: string, block: ReturnType<typeof blockOf>): TableColumn => ({
  name,
  unit: '',
  comment: '',
  column: undefined,
  type: () => ({ dtype: block.form === 'text' ? 'str' : 'float64', shape: [] }),
  isComplete: () => block.present === undefined,
  read: () => block,
})

test('texts in any script are put together as UTF-8, however long', () => {
  const texts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 })))
  fc.assert(
    fc.property(texts, fc.nat(3), (given, times) => {
      const text = new TextBytes()
      for (const each of given) text.put(each.repeat(10 ** times))
      const expected = given.map((each) => Buffer.from(each.repeat(10 ** times)))
      expect(Buffer.from(text.take()).equals(Buffer.concat(expected))).toBe(true)
      expect(text.take()).toHaveLength(0)
    }),
    { numRuns: 50 },
  )
})

test('a column of Parquet is required if each row has a value, and optional otherwise', async () => {
  const pieces: Uint8Array[] = []
  const columns = [columnOf('all', numbers([1, 2])), columnOf('some', numbers([1, undefined]))]
  await writeParquet(
    { columns, length: 2, runs: undefined },
    { metadata: {}, write: (bytes) => void pieces.push(bytes.slice()) },
  )
  const bytes = new Uint8Array(Buffer.concat(pieces))
  const kinds = parquetMetadata(bytes.buffer).schema.map(({ name, repetition_type }) => [
    name,
    repetition_type,
  ])
  expect(kinds.slice(1)).toEqual([
    ['all', 'REQUIRED'],
    ['some', 'OPTIONAL'],
  ])
  expect(await parquetReadObjects({ file: bytes.buffer })).toEqual([
    { all: 1, some: 1 },
    { all: 2, some: null },
  ])
})

describe('CSV', () => {
  test('reads back to the same bits and the same texts', () => {
    const rows = fc.array(
      fc.record({
        number: fc.option(fc.double(), { nil: undefined }),
        text: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 20 },
    )
    fc.assert(
      fc.property(rows, (given) => {
        const text = blockOf(
          given.map(({ text: value }) =>
            value === undefined ? undefined : { form: 'scalar', dtype: 'str', value },
          ),
        )
        // A column without any value has no texts.
        fc.pre(text.form === 'text')
        const columns = [
          columnOf('number', numbers(given.map(({ number }) => number))),
          columnOf('text', text),
        ]
        const [head, ...lines] = fields(
          Buffer.concat([...csvText({ columns, length: given.length, runs: undefined })]).toString(),
        )
        expect(head).toEqual(['number', 'text'])
        const read = lines.map(([number = '', value]) => ({
          number: number === '' ? undefined : Number(number.replace('inf', 'Infinity')),
          text: value,
        }))
        expect(read).toEqual(given.map(({ number, text: value }) => ({ number, text: value })))
        for (const [row, { number }] of given.entries())
          expect(Object.is(read[row]?.number, number)).toBe(true)
      }),
    )
  })
})

/** Fields of CSV (RFC 4180). An empty field without quotes is undefined. */
function fields(text: string): (string | undefined)[][] {
  const rows: (string | undefined)[][] = [[]]
  const pattern = /(?:"((?:[^"]|"")*)"|([^,\n]*))([,\n])/gy
  for (const [, quoted, plain = '', end] of text.matchAll(pattern)) {
    rows.at(-1)?.push(quoted === undefined ? plain || undefined : quoted.replaceAll('""', '"'))
    if (end === '\n') rows.push([])
  }
  return rows.slice(0, -1)
}

test('a temporary file of a killed export is removed by the next one', async () => {
  const folder = fileTree({})
  const path = join(folder, 'a.csv')
  let temporary = ''
  await writeOutput(path, NEW, async (output) => {
    temporary = output.path
  })
  const dead = temporary.replace(/\.\d+-/, '.4194303-')
  writeFileSync(dead, 'half')
  await writeOutput(path, FORCED, async () => undefined)
  expect(existsSync(dead)).toBe(false)
})
